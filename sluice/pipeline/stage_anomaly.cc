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
  const std::vector<double> scores = gather(*found.outcome.scores, flow.ctx);
  const bool any = result["threshold"].is_number();
  flow.curated.score.assign(static_cast<size_t>(flow.table.rows), 0);
  flow.curated.anomalous.assign(static_cast<size_t>(flow.table.rows), 0);
  for (size_t i = 0; i < scores.size(); ++i) {
    const auto row = static_cast<size_t>(flow.data.input_row(static_cast<int64_t>(i)));
    flow.curated.score[row] = scores[i];
    flow.curated.anomalous[row] = any && scores[i] >= result["threshold"].get<double>() ? 1 : 0;
  }
  done(flow, kBox, {result["method"].get<std::string>(), report_number(result["n_flagged"].get<int64_t>()) + " rows flagged"});
  add_chapter(flow, "anomaly", std::move(found.page.sections));
}

}  // namespace sluice
