// Rows that do not belong: scored among the preprocessed rows, flagged, and explained. They stay in the curated set, marked.
#include "sluice/core/fold.h"
#include "sluice/pipeline/anomaly_command.h"
#include "sluice/pipeline/flow.h"

namespace sluice {

void anomaly(Flow& flow) {
  const char* kBox = "anomaly detection";
  if (flow.plan.anomaly.off) {
    box(flow, kBox).state = ReportState::kOff;
    return;
  }
  const std::string folder = folder_for(flow, "anomaly");
  Dataset rows = flow.data;
  rows.rows = flow.prepared;
  if (!flow.plan.anomaly.params.contains("positive")) rows.labels.reset();  // classes, not alarms
  Stage found = anomaly_stage(flow.plan.anomaly.params, rows, folder, flow.ctx);
  write_stage_summary(flow, "anomaly", found.summary);
  const Json& result = found.summary["result"];
  found.outcome.arrays.clear();  // they are in their files
  flow.curated.scores = gather(*found.outcome.scores, flow.ctx);
  if (result["threshold"].is_number()) flow.curated.threshold = result["threshold"].get<double>();
  done(flow, kBox, {result["method"].get<std::string>(), report_number(result["n_flagged"].get<int64_t>()) + " rows flagged"});
  add_chapter(flow, "anomaly", std::move(found.page.sections));
}

}  // namespace sluice
