#include "sluice/pipeline/run.h"

#include <fcntl.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "sluice/cluster/choose_k.h"
#include "sluice/curate/curate.h"
#include "sluice/metrics/internal.h"
#include "sluice/pipeline/algorithm_command.h"
#include "sluice/pipeline/checkpoint.h"
#include "sluice/pipeline/contact_sheet.h"
#include "sluice/pipeline/curated.h"
#include "sluice/pipeline/files.h"
#include "sluice/pipeline/output_dir.h"
#include "sluice/pipeline/page.h"
#include "sluice/pipeline/plan.h"
#include "sluice/pipeline/record.h"
#include "sluice/pipeline/row_files.h"
#include "sluice/pipeline/table_commands.h"
#include "sluice/preprocess/preprocess.h"

namespace sluice {
namespace {

// A run in the making: what each stage leaves for the next, and what the page and the summary will say.
struct Flow {
  Flow(const Plan& plan, const Invocation& in, OutputDir& out, Context& ctx) : plan(plan), in(in), out(out), ctx(ctx) {}

  const Plan& plan;
  const Invocation& in;
  OutputDir& out;
  Context& ctx;
  Table table;                          // as read
  Table features;                       // without label and id
  Dataset data;                         // what the next stage works on
  std::shared_ptr<Source> prepared;     // the rows after preprocessing, before reduction
  std::vector<PreprocessOutput> units;  // their columns, each with what takes scaling off; empty: not scaled
  std::function<Matrix<double>(const Matrix<double>&)>
      unreduce;  // from the clusters' space to prepared's; empty: the same space, or no way
  bool reduced = false;
  Curated curated;
  std::vector<int32_t> labels;  // of the kept rows
  std::vector<double> distances;
  Json result = Json::object();
  Report page;
  ReportFlow boxes = system_flow();
};

ReportBox& box(Flow& flow, const std::string& name) {
  for (ReportBox& one : flow.boxes.boxes) {
    if (one.name == name) return one;
  }
  fail(ErrorCode::kBug, "flow", "there is no box " + name, "please report this as a bug");
}

std::string folder_for(Flow& flow, const std::string& stage) {
  const std::string folder = flow.out.path(stage);
  on_root(flow.ctx, [&] { std::filesystem::create_directories(folder); });
  return folder;
}

void done(Flow& flow, const std::string& name, std::vector<std::string> facts) {
  box(flow, name).state = ReportState::kDone;
  box(flow, name).facts = std::move(facts);
}

void write_stage_summary(Flow& flow, const std::string& stage, const Json& summary) {
  flow.result[stage] = summary["result"];
  const std::string folder = folder_for(flow, stage);
  on_root(flow.ctx, [&] { write_file(folder + "/summary.json", to_json_text(summary)); });
}

void open_rows(Flow& flow) {
  flow.table = open_table(flow.plan.input, flow.ctx);
  flow.features = feature_table(flow.table, flow.plan.input);
  if (!flow.plan.input.label.empty()) flow.data.labels = read_label(flow.table, flow.plan.input.label, flow.ctx);
  flow.data.content = table_content(flow.table, flow.ctx);
  flow.data.account.in = flow.table.rows + flow.table.n_rejected();
  flow.data.account.rejected = flow.table.n_rejected();
  flow.curated.ledger.resize(static_cast<size_t>(flow.table.rows));
  flow.curated.cluster.assign(static_cast<size_t>(flow.table.rows), -1);
  flow.curated.weight.assign(static_cast<size_t>(flow.table.rows), 1.0);
}

void preprocess_off(Flow& flow) {
  InputOptions options = flow.plan.input;
  const Dataset plain = dataset_of(flow.table, options, flow.ctx);
  flow.data.rows = plain.rows;
  flow.data.ids = plain.ids;
  flow.data.id_name = plain.id_name;
  box(flow, "preprocess").state = ReportState::kOff;
}

void preprocess(Flow& flow) {
  if (flow.plan.preprocess.off) return preprocess_off(flow);
  const auto params = params_from<PreprocessParams>(flow.plan.preprocess.params);
  PreprocessFit fit = preprocess_fit(flow.features, params, flow.ctx, rows_kind(flow.plan.input));
  for (const RowFate& fate : fit.dropped) {
    flow.curated.ledger[static_cast<size_t>(fate.row)] = {false, "preprocess",
                                                          fate.reason + (fate.detail.empty() ? "" : ": " + fate.detail), fate.witness};
    ++flow.data.account.dropped[fate.reason];
  }
  flow.units = fit.model.outputs;
  flow.data.kept = fit.kept_rows;
  flow.data.rows = into_memory(fit.rows, flow.ctx);
  flow.data.ids = row_names(flow.table, flow.plan.input, flow.data.id_name);
  if (flow.data.labels && !fit.kept_rows.empty()) {
    std::vector<int64_t> left;
    for (const int64_t row : fit.kept_rows) left.push_back(flow.data.labels->values[static_cast<size_t>(row)]);
    flow.data.labels->values = std::move(left);
  }
  const std::string folder = folder_for(flow, "preprocess");
  on_root(flow.ctx, [&] {
    ModelFile model = save_preprocess(fit.model);
    model.about["algorithm"] = "preprocess";
    write_file(folder + "/model.safetensors", encode_model(model));
  });
  if (!fit.kept_rows.empty()) {
    const NpyWriter rows(folder + "/rows.npy", "<i8", static_cast<int64_t>(fit.kept_rows.size()), 0, flow.ctx);
    on_root(flow.ctx, [&] { rows.write(0, static_cast<int64_t>(fit.kept_rows.size()), fit.kept_rows.data()); });
  }
  Json summary = summary_json("preprocess", params_json(param_infos<PreprocessParams>(), param_values(params)), flow.data,
                              {{"n_columns", fit.rows->cols()}, {"n_dropped", fit.dropped.size()}, {"notes", fit.notes}});
  write_stage_summary(flow, "preprocess", summary);
  done(flow, "preprocess",
       {report_number(flow.features.rows) + " rows in, " + report_number(fit.rows->rows()) + " kept",
        report_number(fit.rows->cols()) + " columns"});
  flow.page.sections.emplace_back(ReportChapter{"preprocess", ""});
  flow.page.sections.emplace_back(ReportText{"What was decided", fit.notes});
}

// The rows of the embedding file that a reducer's stage wrote.
std::shared_ptr<Source> embedding_rows(const Flow& flow, const std::string& folder, int64_t cols) {
  const std::string path = folder + "/embedding.npy";
  const int64_t rows = flow.data.rows->rows();
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path));
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail(ErrorCode::kIo, path, "it can't be opened", "check the disk");
  auto source = std::make_shared<FileSource>(fd, path, Storage::kF64, false, size - rows * cols * 8, rows, cols);
  for (int64_t j = 0; j < cols; ++j) source->names.push_back("component " + std::to_string(j + 1));
  return source;
}

void reduce(Flow& flow) {
  StagePlan stage = flow.plan.reduce;
  if (stage.method == "auto" && !stage.off) {
    if (flow.data.rows->cols() <= 32) {
      box(flow, "reduce").state = ReportState::kSkipped;
      box(flow, "reduce").facts = {report_number(flow.data.rows->cols()) + " columns are few"};
      return;
    }
    stage.method = "pca";
    stage.params = {{"n_components", "0.95"}};
  }
  if (stage.off) {
    box(flow, "reduce").state = ReportState::kOff;
    return;
  }
  const std::string folder = folder_for(flow, "reduce");
  const Algorithm& algorithm = *find_algorithm(stage.method);
  Stage fitted = fit_stage(algorithm, stage.params, flow.data, folder, "off", flow.ctx);
  write_stage_summary(flow, "reduce", fitted.summary);
  flow.reduced = true;
  flow.unreduce = fitted.outcome.inverse;
  on_root(flow.ctx, [] {});  // all ranks have written their rows
  std::shared_ptr<Source> rows = embedding_rows(flow, folder, fitted.outcome.embedding_cols);
  rows->stats = measure(*rows, flow.ctx);
  const int64_t before = flow.data.rows->cols();
  flow.data.rows = into_memory(rows, flow.ctx);
  std::vector<std::string> facts{stage.method, report_number(before) + " columns to " + report_number(fitted.outcome.embedding_cols)};
  const Json& result = fitted.summary["result"];
  if (result.contains("explained_variance_ratio")) {
    double sum = 0;
    for (const Json& share : result["explained_variance_ratio"]) sum += share.get<double>();
    facts.push_back(report_number(std::nearbyint(1000 * sum) / 10) + " % of the variance");
  }
  done(flow, "reduce", facts);
  flow.page.sections.emplace_back(ReportChapter{"reduce", ""});
  for (ReportSection& section : fitted.page.sections) {
    if (std::holds_alternative<ReportCurve>(section)) flow.page.sections.push_back(std::move(section));
  }
}

// What choose-k says of the rows the clustering will see.
ChooseKResult structure_of(Flow& flow) {
  Context quiet = flow.ctx;
  quiet.checkpoints = nullptr;
  return choose_k(*flow.data.rows, ChooseKParams{}, quiet);
}

struct Clustering {
  Stage stage;
  InternalMeasures measures;
  std::string method;
};

Clustering cluster_once(Flow& flow, const StagePlan& plan, const ChooseKResult& structure, const std::string& folder) {
  ParamTexts params = plan.params;
  if (const auto k = params.find("n_clusters"); k != params.end() && k->second == "auto") {
    k->second = std::to_string(structure.n_clusters ? *structure.n_clusters : 2);
  }
  Clustering out;
  out.method = plan.method;
  out.stage = fit_stage(*find_algorithm(plan.method), params, flow.data, folder, flow.in.assignments, flow.ctx);
  out.measures = internal_measures(*flow.data.rows, *out.stage.outcome.labels, SilhouetteKind::kEuclidean, flow.ctx);
  return out;
}

// Distances of all rows to their own centre, on every rank.
std::vector<double> all_distances(const Outcome& outcome, const Source& rows, Context& ctx) {
  RowColumn<double> mine(leaf_range(rows.rows(), rows.cols(), ctx), 0.0);
  if (outcome.distances)
    map(rows, ctx,
        [&](int, const MatrixBlock& leaf) { outcome.distances(leaf, outcome.labels->at(leaf.first_row), mine.at(leaf.first_row)); });
  return gather(mine, ctx);
}

// Centres in the input's columns and units, where there is a way back; else nothing.
Matrix<double> centers_in_units(const Flow& flow, const Matrix<double>& centers) {
  if (centers.empty() || (flow.reduced && !flow.unreduce)) return {};
  Matrix<double> out = flow.reduced ? flow.unreduce(centers) : centers;
  for (int64_t j = 0; j < out.cols && !flow.units.empty(); ++j) {
    const PreprocessOutput& column = flow.units[static_cast<size_t>(j)];
    for (int64_t c = 0; c < out.rows; ++c) out(c, j) = std::fma(out(c, j), column.scale, column.center);
  }
  return out;
}

// Replaces the centres of the clusters' own space by those people can read.
void show_centers(Flow& flow, const Matrix<double>& centers, const std::string& folder, std::vector<ReportSection>& sections) {
  const Matrix<double> shown = centers_in_units(flow, centers);
  if (shown.empty()) return;
  on_root(flow.ctx, [&] { write_file(folder + "/centers.csv", centers_csv(shown, *flow.prepared)); });
  for (ReportSection& section : sections) {
    if (auto* table = std::get_if<ReportTable>(&section); table != nullptr && table->title == "Centres")
      *table = centers_table(shown, *flow.prepared);
  }
}

void cluster(Flow& flow, const ChooseKResult& structure, std::string& reason, double& silhouette) {
  const std::string folder = folder_for(flow, "cluster");
  std::optional<Clustering> best;
  std::vector<std::string> tried;
  size_t chosen = 0;
  for (size_t i = 0; i < flow.plan.cluster.size(); ++i) {
    const bool only = flow.plan.cluster.size() == 1;
    const std::string place = only ? folder : folder_for(flow, "cluster/" + std::to_string(i + 1) + "-" + flow.plan.cluster[i].method);
    Clustering one = cluster_once(flow, flow.plan.cluster[i], structure, place);
    tried.push_back(one.method + " silhouette " + report_number(one.measures.silhouette));
    const bool better = !best || (std::isfinite(one.measures.silhouette) && !(best->measures.silhouette >= one.measures.silhouette));
    if (better) {
      best = std::move(one);
      chosen = i;
    }
  }
  if (flow.plan.cluster.size() > 1) {  // the chosen one's files stand in cluster/ itself, the others beside
    Clustering again = cluster_once(flow, flow.plan.cluster[chosen], structure, folder);
    best = std::move(again);
    reason += "best of " + std::to_string(tried.size()) + " methods by silhouette: " + best->method + ". ";
  }
  Json summary = best->stage.summary;
  summary["result"]["silhouette"] = std::isfinite(best->measures.silhouette) ? Json(best->measures.silhouette) : Json();
  write_stage_summary(flow, "cluster", summary);
  silhouette = best->measures.silhouette;
  flow.labels = all_labels(best->stage.outcome, flow.ctx);
  flow.distances = all_distances(best->stage.outcome, *flow.data.rows, flow.ctx);
  const Json& result = summary["result"];
  std::vector<std::string> facts{best->method, result["n_clusters"].dump() + " clusters", "silhouette " + report_number(silhouette)};
  if (result.contains("ari")) facts.push_back("ARI " + report_number(result["ari"].get<double>()));
  done(flow, "cluster", facts);
  flow.page.sections.emplace_back(ReportChapter{"cluster", ""});
  show_centers(flow, best->stage.outcome.centers, folder, best->stage.page.sections);
  for (ReportSection& section : best->stage.page.sections) {
    if (!std::holds_alternative<ReportRowAccount>(section) && !std::holds_alternative<ReportPairs>(section))
      flow.page.sections.push_back(std::move(section));
  }
  if (flow.features.numbers == nullptr || !flow.features.numbers->stats.measured) return;
  if (const auto shape = picture_shape(*flow.features.numbers)) {
    flow.page.sections.emplace_back(contact_sheet(*flow.features.numbers, *shape, flow.labels, flow.distances, flow.data.kept));
  }
}

void apply(Flow& flow, bool yes) {
  if (flow.plan.apply.off || !yes) {
    box(flow, "apply the clusters").state = flow.plan.apply.off ? ReportState::kOff : ReportState::kSkipped;
    return;
  }
  const auto params = params_from<ApplyClustersParams>(flow.plan.apply.params);
  std::vector<int64_t> witness(flow.labels.size(), -1);
  if (params.dedup) witness = duplicate_witnesses(*flow.prepared, flow.labels, params.dedup_distance, flow.ctx);
  std::vector<double> weights = balanced_weights(flow.labels, witness);
  int64_t dropped = 0;
  flow.curated.clustered = true;
  for (size_t i = 0; i < flow.labels.size(); ++i) {
    const auto row = static_cast<size_t>(flow.data.input_row(static_cast<int64_t>(i)));
    flow.curated.cluster[row] = flow.labels[i];
    flow.curated.weight[row] = params.balance ? weights[i] : 1.0;
    if (witness[i] < 0) continue;
    ++dropped;
    flow.curated.ledger[row] = {false, "apply", "duplicate", flow.data.input_row(witness[i])};
  }
  const int64_t kept = static_cast<int64_t>(flow.labels.size()) - dropped;
  const Json summary =
      summary_json("apply", {{"balance", params.balance}, {"dedup", params.dedup}, {"dedup_distance", params.dedup_distance}}, flow.data,
                   {{"n_kept", kept}, {"n_duplicates", dropped}});
  write_stage_summary(flow, "apply", summary);
  if (dropped > 0) flow.data.account.dropped["duplicate in its cluster"] = dropped;
  done(flow, "apply the clusters", {report_number(kept) + " rows kept", report_number(dropped) + " duplicates dropped"});
}

// The measured decision, its numbers and its reason.
bool decide(Flow& flow, const ChooseKResult& structure, double silhouette, std::string reason) {
  const bool forced = flow.plan.decision == Decide::kCluster;
  const bool yes = forced || structure.n_clusters.has_value();
  reason += forced ? "forced by the pipeline file; measured: " : "";
  const bool k_given =
      flow.plan.cluster.front().params.contains("n_clusters") && flow.plan.cluster.front().params.at("n_clusters") != "auto";
  if (k_given && structure.n_clusters) {  // choose-k's own number is beside the point
    reason += "cluster structure: " + structure.reason.substr(structure.reason.find(": ") + 2) + "; choose-k alone would take " +
              std::to_string(*structure.n_clusters);
  } else {
    reason += structure.reason;
  }
  if (std::isfinite(silhouette)) reason += "; silhouette " + report_number(silhouette);
  const Json summary = summary_json("decision", {{"decision", forced ? "cluster" : "auto"}}, flow.data,
                                    {{"structure", structure.n_clusters.has_value()},
                                     {"decision", yes ? "yes" : "no"},
                                     {"n_clusters", structure.n_clusters ? Json(*structure.n_clusters) : Json()},
                                     {"silhouette", std::isfinite(silhouette) ? Json(silhouette) : Json()},
                                     {"reason", reason}});
  write_stage_summary(flow, "decision", summary);
  flow.boxes.decision = yes ? "yes" : "no";
  flow.boxes.reason =
      reason + (yes ? "" : ". The association rules this leads to are not there yet, so the rows are handed on as they are");
  return yes;
}

Json plan_json(const Plan& plan) {
  const auto stage = [](const StagePlan& one) {
    Json out = one.params;
    if (!one.method.empty()) out["method"] = one.method;
    return one.off ? Json("off") : out;
  };
  Json clusters = Json::array();
  for (const StagePlan& one : plan.cluster) clusters.push_back(stage(one));
  return {{"preprocess", stage(plan.preprocess)},
          {"reduce", stage(plan.reduce)},
          {"cluster", plan.cluster_off ? Json("off") : clusters},
          {"decision", plan.decision == Decide::kCluster ? "cluster" : "auto"},
          {"apply", stage(plan.apply)}};
}

void cluster_and_decide(Flow& flow) {
  if (flow.plan.cluster_off) {
    box(flow, "cluster").state = ReportState::kOff;
    flow.boxes.reason = "clustering is off, so nothing was decided";
    return apply(flow, false);
  }
  const ChooseKResult structure = structure_of(flow);
  std::string reason;
  double silhouette = NAN;
  cluster(flow, structure, reason, silhouette);
  apply(flow, decide(flow, structure, silhouette, reason));
}

Report finished_page(Flow& flow, const Json& summary) {
  Report page;
  page.title = "sluice run";
  page.lead = report_number(flow.table.rows) + " rows in; " + report_number(flow.data.account.kept) +
              " kept. Cluster structure: " + (flow.boxes.decision.empty() ? "not decided" : flow.boxes.decision) + ".";
  page.sections.emplace_back(flow.boxes);
  for (ReportSection& section : flow.page.sections) page.sections.push_back(std::move(section));
  page.sections.emplace_back(ReportChapter{"the record", ""});
  ReportPairs params;
  params.title = "Parameters";
  for (const auto& [stage, value] : summary["params"].items()) params.pairs.emplace_back(stage, value.dump());
  params.pairs.emplace_back("seed", std::to_string(flow.ctx.seed));
  page.sections.emplace_back(std::move(params));
  ReportRowAccount account;
  account.rows = flow.data.account.in;
  account.kept = flow.data.account.kept;
  account.rejected = flow.data.account.rejected;
  for (const auto& [reason, count] : flow.data.account.dropped) account.dropped.emplace_back(reason, count);
  page.sections.emplace_back(std::move(account));
  return page;
}

}  // namespace

Said run_pipeline_command(const Invocation& in, Context& ctx) {
  const Plan plan = read_plan(in.input.inputs.front());
  if (!in.seed_given) ctx.seed = plan.seed;
  OutputDir out(out_dir(in), in.overwrite, ctx);
  ctx.spool_dir = in.spool.empty() ? out.scratch() : in.spool;
  try {
    Flow flow(plan, in, out, ctx);
    open_rows(flow);
    in.times->lap("read");
    const Json params = plan_json(plan);
    CheckpointFolder checkpoints(
        out.checkpoints(), to_json_text({{"run", params}, {"content", flow.data.content}, {"seed", ctx.seed}, {"version", version()}}),
        ctx);
    preprocess(flow);
    in.times->lap("preprocess");
    flow.prepared = flow.data.rows;
    reduce(flow);
    in.times->lap("reduce");
    ctx.checkpoints = flow.plan.cluster.size() == 1 ? &checkpoints : nullptr;
    cluster_and_decide(flow);
    in.times->lap("cluster");
    for (const LedgerLine& line : flow.curated.ledger) flow.data.account.kept += line.kept ? 1 : 0;
    flow.data.account.check();
    on_root(ctx, [&] { write_curated(flow.curated, flow.table, flow.data.ids.get(), out.path("curated")); });
    Json summary = summary_json("run", params, flow.data, flow.result);
    summary["input"]["columns"] = flow.table.columns.size();
    write_record(out, summary, in, ctx);
    const Report page = finished_page(flow, summary);
    on_root(ctx, [&] { write_page(page, out.path(".")); });
    out.commit(manifest_json(summary, ctx, flow.data.content, flow.data.account));
    return {summary, plan_text(plan) + "\ncluster structure: " + flow.boxes.decision + " (" + flow.boxes.reason +
                         ")\nreport: " + out.dir() + "/report.html\n"};
  } catch (const Error& error) {
    if (error.code == ErrorCode::kInterrupted) out.keep_for_resume();
    throw;
  }
}

Said plan_command(const Invocation& in, Context&) {
  const Plan plan = read_plan(in.input.inputs.front());
  return {{{"command", "plan"}, {"version", version()}, {"params", plan_json(plan)}, {"result", Json::object()}}, plan_text(plan)};
}

}  // namespace sluice
