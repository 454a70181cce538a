// New rows hung onto the tree of a fit.
#include "sluice/cluster/hdbscan_parts.h"
#include "sluice/cluster/kmeans_init.h"
#include "sluice/core/fold.h"
#include "sluice/kernels/dist64.h"
#include "sluice/neighbors/knn.h"

namespace sluice {
namespace {

struct Placed {
  int32_t label = -1;
  double probability = 0, outlier_score = 0;
};

// `near`: training rows, ascending by their (raw) distances.
Placed place(const HdbscanFit& fit, const detail::ReachTask& task, const int64_t* near, const std::vector<double>& distance) {
  const auto first = static_cast<size_t>(near[0]);
  if (distance[0] == 0) return {fit.labels[first], fit.probabilities[first], fit.outlier_scores[first]};
  if (static_cast<int64_t>(fit.labels.size()) < task.min_samples()) return {};
  const double core = task.min_samples() == 1 ? 0 : task.published(distance[static_cast<size_t>(task.min_samples() - 2)]);
  double best = detail::kInfinity;
  size_t joined = first;
  for (size_t t = 0; t < distance.size(); ++t) {
    const auto row = static_cast<size_t>(near[t]);
    const double reach = std::max({core, fit.core_distances[row], task.published(task.scaled(distance[t]))});
    if (reach < best) best = reach, joined = row;
  }
  const double lambda = std::min(detail::lambda_of(best), fit.tree.row_lambda[joined]);
  int64_t cluster = fit.tree.row_cluster[joined];
  while (fit.tree.birth[static_cast<size_t>(cluster)] > lambda) cluster = fit.tree.parent[static_cast<size_t>(cluster)];
  Placed out;
  out.outlier_score = detail::outlier_score_of(fit.choice, cluster, lambda);
  out.label = fit.choice.label[static_cast<size_t>(cluster)];
  if (out.label >= 0 && lambda < fit.choice.least_lambda[static_cast<size_t>(out.label)]) out.label = -1;
  out.probability = detail::probability_of(fit.choice, out.label, lambda);
  return out;
}

}  // namespace

HdbscanLabels hdbscan_assign(const HdbscanModel& model, const Source& rows, Context& ctx) {
  require_clean(rows);
  const LeafRange range = leaf_range(rows.rows(), rows.cols(), ctx);
  HdbscanLabels out{{range, -1}, {range, 0.0}, {range, 0.0}};
  if (rows.rows() == 0) return out;
  const int64_t n = model.components.rows;
  MemorySource components(DType::kF64, model.components.values.data(), n, model.components.cols, model.components.cols, nullptr);
  Context alone = ctx;
  alone.comm = nullptr;
  std::optional<detail::ReachTask> training, queries;
  on_every_rank(ctx, [&] {
    components.stats = measure(components, alone);
    training.emplace(components, model.metric, model.alpha, model.min_samples, alone);
    queries.emplace(rows, model.metric, model.alpha, model.min_samples, alone);
  });
  const int64_t k = std::min(n, 2 * model.min_samples);
  const Neighbors near = knn_search(training->rows(), queries->rows(), k, training->metric(), ctx);
  for_each_leaf(range, ctx, [&](int, int64_t leaf) {
    BlockBuffer of_queries, of_training;
    const int64_t first = leaf * range.rows_per_leaf;
    const MatrixBlock block = queries->rows().read(first, std::min(range.rows_per_leaf, range.rows - first), of_queries);
    std::vector<double> scratch(static_cast<size_t>(block.cols)), distance(static_cast<size_t>(k));
    for (int64_t i = 0; i < block.rows; ++i) {
      const double* x = block.row(i, scratch.data());
      const int64_t* nearest = near.row(first + i);
      for (size_t t = 0; t < distance.size(); ++t) {
        const MatrixBlock other = training->rows().read(nearest[t], 1, of_training);
        distance[t] = kernels::distance64(training->metric(), static_cast<const double*>(other.data), x, block.cols);
      }
      const Placed placed = place(model.fit, *training, nearest, distance);
      out.labels[first + i] = placed.label;
      out.probabilities[first + i] = placed.probability;
      out.outlier_scores[first + i] = placed.outlier_score;
    }
  });
  return out;
}

}  // namespace sluice
