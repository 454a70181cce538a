#include "sluice/anomaly/hdbscan_outliers.h"

#include <cstring>
#include <memory>

#include "sluice/anomaly/detector.h"

namespace sluice {
namespace {

// The scores among what HDBSCAN found for every row.
RowColumn<double> scores_of(const Outcome& found, const Source& rows, Context& ctx) {
  for (const OutcomeArray& array : found.arrays) {
    if (array.name != "outlier_scores") continue;
    RowColumn<double> scores(leaf_range(rows.rows(), rows.cols(), ctx), 0.0);
    if (!array.values.empty()) std::memcpy(scores.at(scores.first_row()), array.values.data(), array.values.size());
    return scores;
  }
  fail(ErrorCode::kBug, "hdbscan_outliers", "HDBSCAN gave no outlier scores", "please report this as a bug");
}

Outcome outcome_of(const Outcome& found, std::shared_ptr<const ModelFile> model, const Source& rows, Context& ctx) {
  Outcome out;
  out.scores = scores_of(found, rows, ctx);
  out.score = [model = std::move(model)](const MatrixBlock& block, double* to) {
    Context alone;
    MemorySource source(block.dtype, block.data, block.rows, block.cols, block.stride, nullptr);
    source.stats = measure(source, alone);
    const RowColumn<double> scores = scores_of(hdbscan_apply(*model, source, alone), source, alone);
    std::copy(scores.at(0), scores.at(block.rows), to);
  };
  return out;
}

}  // namespace

Outcome hdbscan_outliers_run(const Source& rows, const HdbscanOutlierParams& params, Context& ctx) {
  require_rows(rows);
  HdbscanParams hdbscan;
  hdbscan.min_cluster_size = params.min_cluster_size;
  hdbscan.min_samples = params.min_samples;
  hdbscan.alpha = params.alpha;
  hdbscan.metric = params.metric;
  // The model for scoring and the one that is handed over; and scoring a block takes a third out of its file.
  const double copies = 2 + worker_count(ctx);
  require_left("hdbscan_outliers", "the model, which holds all " + to_text(rows.rows()) + " rows,",
               static_cast<double>(rows.rows()) * (copies * (8.0 * static_cast<double>(rows.cols()) + 64) + kScoreBytes), rows, ctx,
               "give a larger --memory, or take a sample");
  Outcome found = hdbscan_run(rows, hdbscan, ctx);
  const auto model = std::make_shared<const ModelFile>(std::move(found.model));
  Outcome out = outcome_of(found, model, rows, ctx);
  out.model = *model;
  out.model.about["algorithm"] = "hdbscan_outliers";
  return out;
}

Outcome hdbscan_outliers_apply(const ModelFile& file, const Source& rows, Context& ctx) {
  return outcome_of(hdbscan_apply(file, rows, ctx), std::make_shared<const ModelFile>(file), rows, ctx);
}

}  // namespace sluice
