// What a yes leads to: duplicates dropped, each with a kept witness, and rows weighed so that every cluster counts the same.
#include "sluice/curate/curate.h"
#include "sluice/pipeline/flow.h"
#include "sluice/pipeline/record.h"

namespace sluice {

void apply(Flow& flow) {
  if (flow.plan.apply.off || !flow.clusters_apply) {
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

}  // namespace sluice
