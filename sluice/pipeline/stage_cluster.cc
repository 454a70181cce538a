// Clusters, and the measured decision on them.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "sluice/core/error.h"
#include "sluice/metrics/internal.h"
#include "sluice/pipeline/contact_sheet.h"
#include "sluice/pipeline/files.h"
#include "sluice/pipeline/flow.h"
#include "sluice/pipeline/page.h"
#include "sluice/pipeline/record.h"
#include "sluice/pipeline/row_files.h"

namespace sluice {
namespace {

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
  for (const char* name : {"n_clusters", "n_components"}) {  // of mixtures: as many components as clusters were found
    if (const auto k = params.find(name); k != params.end() && k->second == "auto")
      k->second = std::to_string(structure.n_clusters ? *structure.n_clusters : 2);
  }
  Clustering out;
  out.method = plan.method;
  out.stage = fit_stage(*find_algorithm(plan.method), params, flow.data, folder, flow.in.assignments, flow.ctx);
  out.measures = internal_measures(*flow.data.rows, *out.stage.outcome.labels, SilhouetteKind::kEuclidean, flow.ctx);
  return out;
}

// Replaces the centres of the clusters' own space by those people can read.
void show_centers(Flow& flow, const Matrix<double>& centers, const std::string& folder, std::vector<ReportSection>& sections) {
  const Matrix<double> shown = in_units(flow, centers);
  if (shown.empty()) return;
  on_root(flow.ctx, [&] { write_file(folder + "/centers.csv", centers_csv(shown, *flow.prepared)); });
  for (ReportSection& section : sections) {
    if (auto* table = std::get_if<ReportTable>(&section); table != nullptr && table->title == "Centres")
      *table = centers_table(shown, *flow.prepared);
  }
}

// The folder of the i-th method among several, within the stage's.
std::string place_of(const std::vector<StagePlan>& methods, size_t i) {
  return std::to_string(i + 1) + "-" + methods[i].method;
}

void copy_files(const std::string& from, const std::string& to) {
  for (const auto& entry : std::filesystem::directory_iterator(from)) {
    std::filesystem::copy_file(entry.path(), std::filesystem::path(to) / entry.path().filename(),
                               std::filesystem::copy_options::overwrite_existing);
  }
}

void cluster(Flow& flow, const ChooseKResult& structure, std::string& reason, double& silhouette) {
  const std::string folder = folder_for(flow, "cluster");
  std::optional<Clustering> best;
  std::vector<std::string> tried;
  size_t chosen = 0;
  for (size_t i = 0; i < flow.plan.cluster.size(); ++i) {
    const std::string place = flow.plan.cluster.size() == 1 ? folder : folder_for(flow, "cluster/" + place_of(flow.plan.cluster, i));
    Clustering one = cluster_once(flow, flow.plan.cluster[i], structure, place);
    tried.push_back(one.method + " silhouette " + report_number(one.measures.silhouette));
    const bool better = !best || (std::isfinite(one.measures.silhouette) && !(best->measures.silhouette >= one.measures.silhouette));
    if (better) {
      best = std::move(one);
      chosen = i;
    }
  }
  if (flow.plan.cluster.size() > 1) {  // the chosen one's files stand in cluster/ itself too
    on_root(flow.ctx, [&] { copy_files(folder + "/" + place_of(flow.plan.cluster, chosen), folder); });
    reason += "best of " + std::to_string(tried.size()) + " methods by silhouette: " + best->method + ". ";
  }
  Json summary = best->stage.summary;
  summary["result"]["silhouette"] = std::isfinite(best->measures.silhouette) ? Json(best->measures.silhouette) : Json();
  write_stage_summary(flow, "cluster", summary);
  silhouette = best->measures.silhouette;
  flow.curated.labels = all_labels(best->stage.outcome, flow.ctx);
  const Json& result = summary["result"];
  const int64_t clusters = result.contains("n_clusters") ? result["n_clusters"].get<int64_t>() : best->stage.outcome.centers.rows;
  std::vector<std::string> facts{best->method, report_number(clusters) + " clusters", "silhouette " + report_number(silhouette)};
  if (result.contains("ari")) facts.push_back("ARI " + report_number(result["ari"].get<double>()));
  done(flow, "cluster", facts);
  show_centers(flow, best->stage.outcome.centers, folder, best->stage.page.sections);
  add_chapter(flow, "cluster", std::move(best->stage.page.sections));
  if (flow.features.numbers == nullptr || !flow.features.numbers->stats.measured) return;
  if (const auto shape = picture_shape(*flow.features.numbers)) {
    const std::vector<double> distances = all_distances(best->stage.outcome, *flow.data.rows, flow.ctx);
    flow.page.sections.emplace_back(contact_sheet(*flow.features.numbers, *shape, flow.curated.labels, distances, flow.data.kept));
  }
}

bool k_given(const Plan& plan) {
  for (const char* name : {"n_clusters", "n_components"}) {
    const auto found = plan.cluster.front().params.find(name);
    if (found != plan.cluster.front().params.end() && found->second != "auto") return true;
  }
  return false;
}

std::string reason_of(const Flow& flow, const ChooseKResult& structure, double silhouette) {
  std::string reason = flow.plan.decision == Decide::kAuto ? "" : "forced by the pipeline file; measured: ";
  if (k_given(flow.plan) && structure.n_clusters) {  // choose-k's own number is beside the point
    reason += "cluster structure: " + structure.reason.substr(structure.reason.find(": ") + 2) + "; choose-k alone would take " +
              std::to_string(*structure.n_clusters);
  } else {
    reason += structure.reason;
  }
  if (std::isfinite(silhouette)) reason += "; silhouette " + report_number(silhouette);
  return reason;
}

// The measured decision, its numbers and its reason; or the one the pipeline file forces.
void decide(Flow& flow, const ChooseKResult& structure, double silhouette, const std::string& method_reason) {
  const Decide wanted = flow.plan.decision;
  const bool found = structure.n_clusters.has_value();
  flow.clusters_apply = wanted == Decide::kCluster || wanted == Decide::kBoth || (wanted == Decide::kAuto && found);
  flow.rules_apply = flow.plan.rules_wanted() || (wanted == Decide::kAuto && !found);
  const std::string word = flow.clusters_apply && flow.rules_apply ? "both" : flow.clusters_apply ? "yes" : "no";
  const std::string reason = method_reason + reason_of(flow, structure, silhouette);
  const Json summary = summary_json("decision", {{"decision", decision_word(wanted)}}, flow.data,
                                    {{"structure", found},
                                     {"decision", word},
                                     {"n_clusters", found ? Json(*structure.n_clusters) : Json()},
                                     {"silhouette", std::isfinite(silhouette) ? Json(silhouette) : Json()},
                                     {"reason", reason}});
  write_stage_summary(flow, "decision", summary);
  flow.boxes.decision = word;
  flow.boxes.reason = reason;
}

}  // namespace

void cluster_and_decide(Flow& flow) {
  if (flow.plan.cluster_off) {
    box(flow, "cluster").state = ReportState::kOff;
    flow.boxes.reason = "clustering is off, so nothing was decided";
    flow.rules_apply = flow.plan.rules_wanted();
    if (flow.rules_apply) flow.boxes.decision = "no";
    if (flow.rules_apply) flow.boxes.reason = "forced by the pipeline file; clustering is off, so nothing was measured";
    return;
  }
  const ChooseKResult structure = structure_of(flow);
  std::string reason;
  double silhouette = NAN;
  cluster(flow, structure, reason, silhouette);
  decide(flow, structure, silhouette, reason);
}

}  // namespace sluice
