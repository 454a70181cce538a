// What a yes leads to: duplicates dropped, each with a kept witness, and rows weighed so that every cluster counts the same.
#include <algorithm>

#include "sluice/curate/curate.h"
#include "sluice/pipeline/files.h"
#include "sluice/pipeline/flow.h"
#include "sluice/pipeline/page_sections.h"
#include "sluice/pipeline/record.h"

namespace sluice {
namespace {

// The rows as they were compared, so that verify can compare them again; beside them, whose rows they are.
void record_points(const Flow& flow, const std::string& folder) {
  const Source& rows = *flow.prepared;
  const NpyWriter file(folder + "/points.npy", "<f8", rows.rows(), rows.cols(), flow.ctx);
  std::vector<std::vector<double>> wide(static_cast<size_t>(flow.ctx.threads));
  map(rows, flow.ctx, [&](int worker, const MatrixBlock& leaf) {
    std::vector<double>& values = wide[static_cast<size_t>(worker)];
    values.resize(static_cast<size_t>(leaf.rows * leaf.cols));
    for (int64_t i = 0; i < leaf.rows; ++i) {
      double* to = values.data() + i * leaf.cols;
      if (const double* from = leaf.row(i, to); from != to) std::copy(from, from + leaf.cols, to);
    }
    file.write(leaf.first_row, leaf.rows, values.data());
  });
  if (flow.data.kept.empty()) return;
  const auto kept = static_cast<int64_t>(flow.data.kept.size());
  const NpyWriter numbers(folder + "/rows.npy", "<i8", kept, 0, flow.ctx);
  on_root(flow.ctx, [&] { numbers.write(0, kept, flow.data.kept.data()); });
}

// Near rows dropped: what verify needs, and what other distances would have kept.
void near_rows(Flow& flow, double distance, Json& result) {
  const bool dense = !flow.prepared->sparse();  // written out, rows of words would take too much room
  result["points_recorded"] = dense;
  if (dense) record_points(flow, folder_for(flow, "apply"));
  const Figure curve = kept_curve(*flow.prepared, flow.curated.labels, distance, flow.ctx);
  result["kept_curve"] = {{"rows", kept_curve_rows(flow.prepared->rows())}, {"distance", curve.lines[0].x}, {"kept", curve.lines[0].y}};
  std::vector<ReportSection> sections;
  sections.emplace_back(curve_of(curve));
  add_chapter(flow, "apply the clusters", std::move(sections));
}

}  // namespace

void apply(Flow& flow) {
  if (flow.plan.apply.off || !flow.clusters_apply) {
    box(flow, "apply the clusters").state = flow.plan.apply.off ? ReportState::kOff : ReportState::kSkipped;
    return;
  }
  const auto params = params_from<ApplyClustersParams>(flow.plan.apply.params);
  const size_t rows = flow.curated.labels.size();
  Witnesses found;
  if (!params.dedup) found = {std::vector<int64_t>(rows, -1), std::vector<double>(rows, 0.0)};
  if (params.dedup) found = duplicate_witnesses(*flow.prepared, flow.curated.labels, params.dedup_distance, flow.ctx);
  const std::vector<int64_t>& witness = found.row;
  if (params.balance) flow.curated.weights = balanced_weights(flow.curated.labels, witness);
  int64_t dropped = 0;
  flow.curated.clustered = true;
  for (size_t i = 0; i < witness.size(); ++i) {
    if (witness[i] < 0) continue;
    ++dropped;
    flow.curated.duplicates.push_back({flow.data.input_row(static_cast<int64_t>(i)), flow.data.input_row(witness[i]), found.distance[i]});
  }
  const int64_t kept = static_cast<int64_t>(witness.size()) - dropped;
  Json result = {{"n_kept", kept}, {"n_duplicates", dropped}};
  if (params.dedup && params.dedup_distance > 0) near_rows(flow, params.dedup_distance, result);
  const Json summary = summary_json(
      "apply", {{"balance", params.balance}, {"dedup", params.dedup}, {"dedup_distance", params.dedup_distance}}, flow.data, result);
  write_stage_summary(flow, "apply", summary);
  if (dropped > 0) flow.data.account.dropped["duplicate in its cluster"] = dropped;
  done(flow, "apply the clusters", {report_number(kept) + " rows kept", report_number(dropped) + " duplicates dropped"});
}

}  // namespace sluice
