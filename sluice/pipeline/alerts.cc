#include "sluice/pipeline/alerts.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sluice/anomaly/explain.h"
#include "sluice/metrics/ranking.h"
#include "sluice/pipeline/row_files.h"
#include "sluice/report/report.h"

namespace sluice {
namespace {

constexpr size_t kMostShown = 100;  // alerts on the page

struct Reason {
  int64_t column;
  double value, contribution;
};

struct Alert {
  int64_t input_row = 0;
  std::string id;
  double score = 0, p_value = 1;
  std::vector<Reason> reasons;
};

std::string text_of_range(const Matrix<double>& usual, int64_t column) {
  return report_number(usual(0, column)) + " to " + report_number(usual(2, column));
}

// The columns that made a row anomalous, those that did most first; of equal ones the first column. What did less than a hundredth of the
// first is not worth a person's time.
std::vector<Reason> reasons_of(const double* contribution, const std::vector<double>& row, int64_t most) {
  std::vector<Reason> all;
  for (size_t j = 0; j < row.size(); ++j) {
    if (contribution[j] > 0) all.push_back({static_cast<int64_t>(j), row[j], contribution[j]});
  }
  std::stable_sort(all.begin(), all.end(), [](const Reason& a, const Reason& b) { return a.contribution > b.contribution; });
  const auto slight = std::ranges::find_if(all, [&](const Reason& reason) { return reason.contribution < all.front().contribution / 100; });
  all.erase(slight, all.end());
  if (static_cast<int64_t>(all.size()) > most) all.resize(static_cast<size_t>(most));
  return all;
}

// The flagged rows, highest score first, of equal ones the first row.
std::vector<int64_t> flagged_rows(const std::vector<double>& scores, double threshold) {
  std::vector<int64_t> rows;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] >= threshold) rows.push_back(static_cast<int64_t>(i));
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [&](int64_t a, int64_t b) { return scores[static_cast<size_t>(a)] > scores[static_cast<size_t>(b)]; });
  return rows;
}

std::string csv_of(const Alert& alert, const AlertRule& rule, const Source& rows) {
  std::string line = to_text(alert.input_row) + ',' + csv_field(alert.id) + ',' + to_text(alert.score) + ',' + to_text(alert.p_value);
  for (size_t i = 0; i < static_cast<size_t>(std::min(rule.top_features, rows.cols())); ++i) {
    if (i >= alert.reasons.size()) {
      line += ",,,,,";
      continue;
    }
    const Reason& reason = alert.reasons[i];
    line += ',' + csv_field(rows.name_of(reason.column)) + ',' + to_text(reason.value) + ',' + to_text(rule.usual(0, reason.column)) + ',' +
            to_text(rule.usual(2, reason.column)) + ',' + to_text(reason.contribution);
  }
  return line + '\n';
}

OutcomeFile alerts_file(std::shared_ptr<const std::vector<Alert>> alerts, const AlertRule& rule, std::shared_ptr<const Source> rows) {
  return {"alerts.csv", [alerts = std::move(alerts), rule, rows = std::move(rows)](const std::function<void(std::string_view)>& put) {
            std::string header = "row,id,score,p_value";
            for (int64_t i = 1; i <= std::min(rule.top_features, rows->cols()); ++i) {
              for (const char* what : {"feature", "value", "usual_low", "usual_high", "contribution"})
                header += "," + std::string(what) + "_" + to_text(i);
            }
            put(header + '\n');
            for (const Alert& alert : *alerts) put(csv_of(alert, rule, *rows));
          }};
}

OutcomeTable alerts_table(const std::vector<Alert>& alerts, const AlertRule& rule, const Source& rows, bool with_id) {
  OutcomeTable table;
  table.title = "Alerts";
  table.note =
      "Usual: between the 5 % and the 95 % quantile of the column. Reasons: what lowers the score most when it is set to the column's "
      "median.";
  if (alerts.size() > kMostShown)
    table.note =
        "The first " + std::to_string(kMostShown) + " of " + std::to_string(alerts.size()) + "; all are in alerts.csv. " + table.note;
  table.header = {"row", "score", "p value", "reasons"};
  if (with_id) table.header.insert(table.header.begin() + 1, "id");
  for (size_t i = 0; i < std::min(kMostShown, alerts.size()); ++i) {
    const Alert& alert = alerts[i];
    std::string why;
    for (const Reason& reason : alert.reasons) {
      why += (why.empty() ? "" : "; ") + rows.name_of(reason.column) + " = " + report_number(reason.value) + " (usual " +
             text_of_range(rule.usual, reason.column) + ")";
    }
    std::vector<std::variant<std::string, int64_t, double>> cells{alert.input_row, alert.score, alert.p_value, why};
    if (with_id) cells.insert(cells.begin() + 1, alert.id);
    table.rows.push_back(std::move(cells));
  }
  return table;
}

// Which labels mean anomalous, and the sentence that says so.
std::vector<uint8_t> positives(const Labels& labels, const std::string& positive, std::string& said) {
  const auto name = [&](int64_t value) { return labels.names.empty() ? to_text(value) : labels.names[static_cast<size_t>(value)]; };
  std::map<int64_t, int64_t> counts;
  for (const int64_t value : labels.values) ++counts[value];
  std::vector<uint8_t> out(labels.values.size());
  const auto mark = [&](const auto& is) { std::transform(labels.values.begin(), labels.values.end(), out.begin(), is); };
  if (!positive.empty()) {
    mark([&](int64_t value) { return name(value) == positive; });
    said = "anomalous are the rows labelled " + positive;
  } else if (labels.names.empty() && counts.contains(0)) {
    mark([](int64_t value) { return value != 0; });
    said = "anomalous are the rows whose label is not 0";
  } else {
    const auto usual = std::ranges::max_element(counts, [](const auto& a, const auto& b) { return a.second < b.second; });
    mark([&](int64_t value) { return value != usual->first; });
    said = "anomalous are the rows whose label is not " + name(usual->first) + ", the most frequent; --positive names another";
  }
  return out;
}

template <class T>
OutcomeArray own_rows(const char* name, const char* type, const std::vector<T>& all, const LeafRange& range) {
  const auto first = static_cast<size_t>(range.first_row());
  return outcome_array(name, type, 0, range.first_row(),
                       std::span<const T>(all).subspan(first, static_cast<size_t>(range.last_row()) - first));
}

std::vector<Alert> alerts_of(const std::vector<int64_t>& flagged, const Outcome& out, const AlertRule& rule,
                             const std::vector<double>& scores, const std::vector<double>& p_values, const Dataset& data, Context& ctx) {
  const auto most = static_cast<size_t>(std::min(rule.explain, most_explained(data.rows->cols())));
  const std::span<const int64_t> explained(flagged.data(), std::min(flagged.size(), most));
  ctx.stage("reasons", static_cast<int64_t>(explained.size()));
  const Matrix<double> contribution = contributions(*data.rows, explained, rule.usual, out.score, ctx);
  std::vector<Alert> alerts(flagged.size());
  for (size_t i = 0; i < flagged.size(); ++i) {
    const int64_t row = flagged[i];
    Alert& alert = alerts[i];
    alert.input_row = data.input_row(row);
    if (data.ids != nullptr) alert.id = data.ids->at(alert.input_row);
    alert.score = scores[static_cast<size_t>(row)];
    alert.p_value = p_values[static_cast<size_t>(row)];
    if (i < explained.size())
      alert.reasons = reasons_of(contribution.row(static_cast<int64_t>(i)), read_row(*data.rows, row), rule.top_features);
  }
  return alerts;
}

std::vector<double> p_values_of(const AlertRule& rule, const std::vector<double>& scores) {
  std::vector<double> out;
  out.reserve(scores.size());
  for (const double score : scores) {
    if (rule.p_values == PValues::kConformal) {
      out.push_back(conformal_p_value(rule.calibration, score));
    } else {
      out.push_back(rule.null.spread > 0 ? p_value(rule.null, score) : 1);
    }
  }
  return out;
}

// The lowest score that Benjamini and Hochberg's rule flags. P-values must fall as scores rise.
std::optional<double> threshold_by_fdr(const std::vector<double>& scores, const std::vector<double>& p_values, double fdr) {
  const std::optional<double> largest = largest_rejected(p_values, fdr);
  std::optional<double> lowest;
  for (size_t i = 0; largest && i < scores.size(); ++i) {
    if (p_values[i] <= *largest && (!lowest || scores[i] < *lowest)) lowest = scores[i];
  }
  return lowest;
}

}  // namespace

MadeRule make_rule(const AnomalyPlan& plan, const Outcome& fitted, const Source& rows, Context& ctx) {
  MadeRule made;
  AlertRule& rule = made.rule;
  rule.decide = plan.decide;
  rule.p_values = plan.params.p_values;
  rule.fdr = plan.params.fdr;
  rule.explain = plan.params.explain;
  rule.top_features = plan.params.top_features;
  rule.positive = plan.params.positive;
  rule.usual = usual_values(rows, ctx);
  made.scores = gather(*fitted.scores, ctx);
  if (rule.p_values == PValues::kConformal) {
    CrossScores cross =
        cross_scores(rows, [&](const Source& half, Context& c) { return plan.detector->run(half, plan.detector_params, c); }, ctx);
    made.p_values = std::move(cross.p_values);
    rule.calibration = std::move(cross.scores);
    std::sort(rule.calibration.begin(), rule.calibration.end());
  } else {
    // Its score is 2 to the power of a mean over the trees.
    const bool exponential = plan.params.method == "isolation_forest";
    rule.null = empirical_null(made.scores, exponential ? NullScale::kLog : NullScale::kCubeRoot);
    made.p_values = p_values_of(rule, made.scores);
  }
  switch (rule.decide) {
    case AnomalyPlan::Decide::kShare:
      rule.threshold = threshold_of_share(made.scores, *plan.params.contamination);
      break;
    case AnomalyPlan::Decide::kValue:
      rule.threshold = plan.params.threshold;
      break;
    default:
      // Ranks among themselves are uniform: by them nothing stands out of the fit's own rows.
      if (rule.p_values == PValues::kEmpirical) rule.threshold = threshold_by_fdr(made.scores, made.p_values, rule.fdr);
  }
  return made;
}

void add_alerts(Outcome& out, const std::string& method, const AlertRule& rule, const std::vector<double>& scores,
                const std::vector<double>& p_values, std::optional<double> threshold, const Dataset& data, Context& ctx) {
  const LeafRange range = leaf_range(data.rows->rows(), data.rows->cols(), ctx);
  const std::vector<int64_t> flagged = threshold ? flagged_rows(scores, *threshold) : std::vector<int64_t>{};
  std::vector<uint8_t> flags(scores.size(), 0);
  for (const int64_t row : flagged) flags[static_cast<size_t>(row)] = 1;
  out.arrays.push_back(own_rows("flags", "|u1", flags, range));
  out.arrays.push_back(own_rows("p_values", "<f8", p_values, range));
  out.result.put("method", method);
  threshold ? out.result.put("threshold", *threshold) : out.result.put("threshold", std::nullopt);
  out.result.put("n_flagged", static_cast<int64_t>(flagged.size()));
  if (data.labels) {
    std::string said;
    const std::vector<uint8_t> truth = positives(*data.labels, rule.positive, said);
    out.result.put("roc_auc", roc_auc(scores, truth));
    out.result.put("average_precision", average_precision(scores, truth));
    out.notes.push_back(said);
  }
  const auto alerts = std::make_shared<const std::vector<Alert>>(alerts_of(flagged, out, rule, scores, p_values, data, ctx));
  out.tables.push_back(alerts_table(*alerts, rule, *data.rows, data.ids != nullptr));
  out.files.push_back(alerts_file(alerts, rule, data.rows));
}

void put_rule(ModelFile& model, const AlertRule& rule) {
  const int64_t words[] = {static_cast<int64_t>(rule.decide), static_cast<int64_t>(rule.p_values), rule.explain, rule.top_features,
                           static_cast<int64_t>(rule.null.scale)};
  model.put("alerts.rule", std::span<const int64_t>(words));
  const double null[] = {rule.null.least, rule.null.middle, rule.null.spread};
  model.put("alerts.null", std::span<const double>(null));
  model.put("alerts.fdr", std::span<const double>(&rule.fdr, 1));
  const std::vector<double> threshold = rule.threshold ? std::vector<double>{*rule.threshold} : std::vector<double>{};
  model.put("alerts.threshold", threshold);
  model.put("alerts.calibration", rule.calibration);
  model.put("alerts.usual", rule.usual);
  model.about["alerts.positive"] = rule.positive;
}

AlertRule load_rule(const ModelFile& model, int64_t cols) {
  AlertRule rule;
  const std::vector<int64_t> words = model.integers("alerts.rule");
  if (words.size() != 5 || words[0] < 0 || words[0] > 2 || words[1] < 0 || words[1] > 1 || words[2] < 0 || words[2] > 1'000'000 ||
      words[3] < 1 || words[3] > 1000 || words[4] < 0 || words[4] > 1)
    model.damaged("its rule for alerts is none that is known");
  rule.decide = static_cast<AnomalyPlan::Decide>(words[0]);
  rule.p_values = static_cast<PValues>(words[1]);
  rule.explain = words[2];
  rule.top_features = words[3];
  const std::vector<double> null = model.vector("alerts.null"), fdr = model.vector("alerts.fdr"),
                            threshold = model.vector("alerts.threshold");
  if (null.size() != 3 || null[2] < 0) model.damaged("its null distribution is none");
  rule.null = {static_cast<NullScale>(words[4]), null[0], null[1], null[2]};
  if (fdr.size() != 1 || !(fdr[0] > 0 && fdr[0] < 1) || threshold.size() > 1)
    model.damaged("its threshold or false-discovery rate is none");
  rule.fdr = fdr[0];
  if (!threshold.empty()) rule.threshold = threshold[0];
  if (rule.decide == AnomalyPlan::Decide::kValue && !rule.threshold) model.damaged("its threshold is missing");
  rule.calibration = model.vector("alerts.calibration");
  if (!std::is_sorted(rule.calibration.begin(), rule.calibration.end()) ||
      (rule.p_values == PValues::kConformal) == rule.calibration.empty())
    model.damaged("its calibration scores do not fit its rule");
  rule.positive = model.text("alerts.positive");
  rule.usual = model.matrix("alerts.usual");
  if (rule.usual.rows != 3 || rule.usual.cols != cols) model.damaged("its usual values are not three a column");
  return rule;
}

void judge_new_rows(Outcome& out, const ModelFile& model, const Dataset& data, Context& ctx) {
  const AlertRule rule = load_rule(model, data.rows->cols());
  const std::vector<double> scores = gather(*out.scores, ctx);
  if (!std::ranges::all_of(scores, [](double x) { return std::isfinite(x); })) model.damaged("by it these rows have no finite score");
  const std::vector<double> p_values = p_values_of(rule, scores);
  const std::optional<double> threshold =
      rule.decide == AnomalyPlan::Decide::kFdr ? threshold_by_fdr(scores, p_values, rule.fdr) : rule.threshold;
  add_alerts(out, model.text("algorithm"), rule, scores, p_values, threshold, data, ctx);
}

}  // namespace sluice
