#include "sluice/pipeline/select_command.h"

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <optional>

#include "sluice/core/error.h"
#include "sluice/io/input.h"
#include "sluice/pipeline/files.h"
#include "sluice/pipeline/page.h"
#include "sluice/pipeline/record.h"
#include "sluice/pipeline/row_files.h"
#include "sluice/pipeline/share_table.h"
#include "sluice/pipeline/text_input.h"

namespace sluice {
namespace {

// The chosen rows, one a cluster, as numbers of the data set.
struct Chosen {
  std::vector<int64_t> row, stands_for;
  std::vector<double> distance;
  std::vector<size_t> order;  // of the clusters: those that stand for most rows first, ties the lowest row
};

Chosen chosen_of(const ModelFile& model) {
  Chosen out{model.integers("representatives"), model.integers("stands_for"), model.vector("distances"), {}};
  out.order.resize(out.row.size());
  std::iota(out.order.begin(), out.order.end(), size_t{0});
  std::sort(out.order.begin(), out.order.end(), [&](size_t a, size_t b) {
    return out.stands_for[a] != out.stands_for[b] ? out.stands_for[a] > out.stands_for[b] : out.row[a] < out.row[b];
  });
  return out;
}

std::string id_of(const Dataset& data, int64_t input_row) {
  return data.ids != nullptr ? csv_field(data.ids->at(input_row)) : to_text(input_row);
}

OutcomeFile to_label_file(std::shared_ptr<const Chosen> chosen, const Dataset& data) {
  return {"to_label.csv", [chosen, data](const std::function<void(std::string_view)>& put) {
            put("row,id,cluster,stands_for,distance\n");
            for (const size_t c : chosen->order) {
              const int64_t row = data.input_row(chosen->row[c]);
              put(to_text(row) + "," + id_of(data, row) + "," + to_text(static_cast<int64_t>(c)) + "," + to_text(chosen->stands_for[c]) +
                  "," + to_text(chosen->distance[c]) + "\n");
            }
          }};
}

OutcomeTable to_label_table(const Chosen& chosen, const Dataset& data) {
  OutcomeTable table;
  table.title = "Rows to label first";
  table.note = "Each is the row nearest the centre of its cluster, whose rows it stands for. to_label.csv holds the same.";
  table.header = {"row", "cluster", "stands for", "distance"};
  if (data.ids != nullptr) table.header.insert(table.header.begin() + 1, "id");
  for (const size_t c : chosen.order) {
    const int64_t row = data.input_row(chosen.row[c]);
    std::vector<std::variant<std::string, int64_t, double>> cells{row, static_cast<int64_t>(c), chosen.stands_for[c], chosen.distance[c]};
    if (data.ids != nullptr) cells.insert(cells.begin() + 1, std::string(data.ids->at(row)));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

std::string label_text(const Labels& labels, int64_t row) {
  const int64_t value = labels.values[static_cast<size_t>(row)];
  return labels.names.empty() ? to_text(value) : labels.names[static_cast<size_t>(value)];
}

// The labels of the chosen rows by cluster, from a table with columns row and label; none where the table has none.
std::vector<std::optional<std::string>> labels_of_file(const std::string& path, const Chosen& chosen, const Dataset& data, Context& ctx) {
  const Table table = share_table([&] { return read_table({path}, ReadOptions{}, store_options(ctx), ctx); }, ctx);
  const TableColumn& rows = table.columns[static_cast<size_t>(table.find("row"))];
  const TableColumn& label = table.columns[static_cast<size_t>(table.find("label"))];
  if (rows.type != ColumnType::kInteger) fail(ErrorCode::kBadInput, path, "its column row holds no row numbers", "start from to_label.csv");
  std::map<int64_t, size_t> cluster_of;
  for (size_t c = 0; c < chosen.row.size(); ++c) cluster_of[data.input_row(chosen.row[c])] = c;
  std::vector<std::optional<std::string>> out(chosen.row.size());
  for (int64_t i = 0; i < table.rows; ++i) {
    const std::vector<double> numbers = read_row(*table.numbers, i);
    const double row = numbers[static_cast<size_t>(rows.index)];
    const auto found = row == row ? cluster_of.find(static_cast<int64_t>(row)) : cluster_of.end();
    if (found == cluster_of.end()) {
      fail(ErrorCode::kBadInput, path,
           (row == row ? "row " + to_text(static_cast<int64_t>(row)) : "a line without row") + " is not among the chosen rows",
           "select with the data, --budget and --seed that chose them");
    }
    std::optional<std::string>& to = out[found->second];
    if (to) fail(ErrorCode::kBadInput, path, "row " + to_text(found->first) + " is there twice", "keep one of its lines");
    if (label.type == ColumnType::kText) {
      const TextColumn& texts = *table.texts[static_cast<size_t>(label.index)];
      if (!texts.missing(i)) to = std::string(texts.at(i));
    } else if (const double value = numbers[static_cast<size_t>(label.index)]; value == value) {
      to = label.type == ColumnType::kInteger ? to_text(static_cast<int64_t>(value)) : to_text(value);
    }
  }
  if (std::none_of(out.begin(), out.end(), [](const auto& one) { return one.has_value(); }))
    fail(ErrorCode::kBadInput, path, "it holds no label", "fill the column label");
  return out;
}

// Of rows that took a label over, the representatives left out: how many, and how many wrongly.
struct Taken {
  int64_t rows = 0, wrong = 0;
  double error() const { return static_cast<double>(wrong) / static_cast<double>(rows); }
};

Taken judged(const std::vector<int64_t>& rows, const std::vector<int32_t>& labels, const Chosen& chosen, const Labels& known) {
  Taken out;
  for (const int64_t row : rows) {
    const int64_t from = chosen.row[static_cast<size_t>(labels[static_cast<size_t>(row)])];
    if (row == from) continue;
    ++out.rows;
    out.wrong += known.values[static_cast<size_t>(row)] != known.values[static_cast<size_t>(from)] ? 1 : 0;
  }
  return out;
}

Figure error_curve(const std::vector<int32_t>& labels, const std::vector<double>& distances, const Chosen& chosen, const Labels& known,
                   double share) {
  Figure out;
  out.title = "Error of propagated labels against the share";
  out.x_name = "propagate";
  out.y_name = "share of wrong labels";
  out.note = "Rows nearest their cluster's centre take over the label of its chosen row; measured against the known labels.";
  out.marked_x = share;
  Figure::Line line;
  line.name = "error";
  for (const double x : {0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0}) {
    const Taken taken = judged(nearest_share(labels, distances, chosen.row, x), labels, chosen, known);
    if (taken.rows == 0) continue;
    line.x.push_back(x);
    line.y.push_back(taken.error());
  }
  if (!line.x.empty()) out.lines.push_back(std::move(line));
  return out;
}

OutcomeFile propagated_file(std::vector<int64_t> rows, std::shared_ptr<const std::vector<int32_t>> labels,
                            std::shared_ptr<const Chosen> chosen, std::vector<std::optional<std::string>> words, const Dataset& data) {
  return {"propagated.csv", [=](const std::function<void(std::string_view)>& put) {
            put("row,label,from\n");
            for (const int64_t row : rows) {
              const auto c = static_cast<size_t>((*labels)[static_cast<size_t>(row)]);
              put(to_text(data.input_row(row)) + "," + csv_field(*words[c]) + "," + to_text(data.input_row(chosen->row[c])) + "\n");
            }
          }};
}

// Adds what the labels of the chosen rows make of the rows near them.
void propagate(Outcome& out, const SelectCommandParams& params, const std::shared_ptr<const Chosen>& chosen, const Dataset& data,
               Context& ctx) {
  std::vector<std::optional<std::string>> words(chosen->row.size());
  if (!params.labels.empty()) {
    words = labels_of_file(params.labels, *chosen, data, ctx);
  } else {
    for (size_t c = 0; c < words.size(); ++c) words[c] = label_text(*data.labels, chosen->row[c]);
  }
  const auto labels = std::make_shared<const std::vector<int32_t>>(all_labels(out, ctx));
  const std::vector<double> distances = all_distances(out, *data.rows, ctx);
  std::vector<int64_t> rows = nearest_share(*labels, distances, chosen->row, params.stage.propagate);
  std::erase_if(rows, [&](int64_t row) { return !words[static_cast<size_t>((*labels)[static_cast<size_t>(row)])]; });
  const auto labelled = std::count_if(words.begin(), words.end(), [](const auto& one) { return one.has_value(); });
  const auto others = static_cast<int64_t>(rows.size()) - labelled;
  std::string note = "the labels of " + to_text(labelled) + " chosen rows went to " + to_text(others) + " others near them";
  out.result.put("n_labelled", static_cast<int64_t>(labelled));
  out.result.put("n_propagated", others);
  if (params.labels.empty()) {
    const Taken taken = judged(rows, *labels, *chosen, *data.labels);
    if (taken.rows > 0) {
      out.result.put("propagation_error", taken.error());
      note += ", " + report_number(100 * taken.error()) + " % of them wrong";
    } else {
      out.result.put("propagation_error", std::nullopt);
    }
    Figure curve = error_curve(*labels, distances, *chosen, *data.labels, params.stage.propagate);
    if (!curve.lines.empty()) out.figures.push_back(std::move(curve));
  }
  out.notes.push_back(std::move(note));
  out.files.push_back(propagated_file(std::move(rows), labels, chosen, std::move(words), data));
}

// Parameters that count: those of labels only where there are labels.
Json params_of(const SelectCommandParams& params, bool labelled) {
  std::map<std::string, std::string> values = param_values(params);
  if (params.labels.empty()) values.erase("labels");
  if (!labelled) values.erase("propagate");
  return params_json(param_infos<SelectCommandParams>(), values);
}

// Words that can't go together, before any work.
void check_words(const Invocation& in) {
  const bool file = in.params.contains("labels"), column = !in.input.label.empty();
  params_from<SelectCommandParams>(in.params);
  if (file && column) {
    fail(ErrorCode::kUsage, "--labels", "it labels the chosen rows, and so does --label",
         "give --label where all labels are known, to measure; else --labels");
  }
  if (!file && !column && in.params.contains("propagate"))
    fail(ErrorCode::kUsage, "--propagate", "there are no labels to propagate", "give --labels FILE or --label COLUMN, or leave it out");
}

}  // namespace

Stage select_stage(const ParamTexts& given, const Dataset& data, const std::string& folder, const std::string& assignments, Context& ctx,
                   StageTimes* times) {
  const auto params = params_from<SelectCommandParams>(given);
  const bool labelled = data.labels || !params.labels.empty();
  const Json said = with_text_params(params_of(params, labelled), data);
  Outcome out = select_run(*data.rows, params.stage.select, ctx);
  if (times != nullptr) times->lap("fit");
  const auto chosen = std::make_shared<const Chosen>(chosen_of(out.model));
  std::vector<int64_t> input_rows;
  for (const int64_t row : chosen->row) input_rows.push_back(data.input_row(row));
  out.model.put("representatives", std::span<const int64_t>(input_rows));
  put_representatives(out, out.model);
  out.files.push_back(to_label_file(chosen, data));
  out.tables.push_back(to_label_table(*chosen, data));
  if (labelled) propagate(out, params, chosen, data, ctx);
  put_text(data, out.model);
  save_model(out, *find_algorithm("select"), said, *data.rows, folder, ctx);
  return finish_stage(std::move(out), "select", said, data, folder, assignments, ctx);
}

Said select_command(const Invocation& in, Context& ctx) {
  check_words(in);
  OutputDir out(out_dir(in), in.overwrite, ctx);
  ctx.spool_dir = in.spool.empty() ? out.scratch() : in.spool;
  const Dataset data = open_dataset(in.input, ctx);
  in.times->lap("read");
  const Stage stage = select_stage(in.params, data, out.path("."), in.assignments, ctx, in.times.get());
  write_record(out, stage.summary, in, ctx);
  on_root(ctx, [&] { write_page(stage.page, out.path(".")); });
  out.commit(manifest_json(stage.summary, ctx, data.content, data.account));
  return {stage.summary, text_of(stage, out.dir())};
}

}  // namespace sluice
