#include "sluice/cluster/hdbscan.h"

#include "sluice/cluster/hdbscan_parts.h"
#include "sluice/cluster/kmeans_init.h"
#include "sluice/core/fold.h"
#include "sluice/core/memory.h"
#include "sluice/core/normalised.h"
#include "sluice/neighbors/kd_tree.h"

namespace sluice {
namespace {

constexpr int64_t kTreeCols = 64;  // beyond, a tree is not tried

void require_usable(const Source& rows, const HdbscanParams& params) {
  require_clean(rows);
  if (rows.rows() < 1) fail(ErrorCode::kBadInput, "rows", "there is no row to cluster", "give at least one");
  if (rows.cols() < 1) fail(ErrorCode::kBadInput, "columns", "there is no numeric column to cluster by", "name some with --columns");
  if (rows.rows() > std::numeric_limits<int32_t>::max())
    fail(ErrorCode::kBadInput, "rows", "there are more than 2^31 - 1 rows", "take a sample");
  if (rows.max_weight() > 0) fail(ErrorCode::kBadInput, "weights", "hdbscan has no use for row weights", "leave them out, or use dbscan");
  if (params.min_cluster_size < 2) fail(ErrorCode::kUsage, "--min-cluster-size", "it is below 2", "give at least 2");
  if (params.max_cluster_size && params.cluster_selection_method == HdbscanSelection::kLeaf)
    fail(ErrorCode::kUsage, "--max-cluster-size", "leaf takes the smallest clusters anyway", "leave it out, or use eom");
  if (params.metric == HdbscanMetric::kCosine && params.algorithm == HdbscanAlgorithm::kKdTree && rows.cols() > kTreeCols)
    fail(ErrorCode::kUsage, "--algorithm", "kd_tree takes up to " + to_text(kTreeCols) + " columns by cosine", "leave it out or use brute");
}

// All that is held at a time, but for what the caller has.
void require_memory(const Source& rows, const HdbscanParams& params, int64_t min_samples, const Context& ctx) {
  const int64_t n = rows.rows(), d = rows.cols();
  int64_t bytes = n * 220 + (params.metric == HdbscanMetric::kCosine ? 8 * n * (d + 1) : 0);
  if (d <= kTreeCols && params.algorithm != HdbscanAlgorithm::kBrute) {
    bytes += kd_tree_bytes(n, d);
  } else {
    bytes += 2 * n * d * static_cast<int64_t>(size_of(rows.dtype())) + 16 * n * std::max<int64_t>(16, min_samples);
  }
  require_left("hdbscan", "the tree of " + to_text(n) + " rows of " + to_text(d) + " columns", static_cast<double>(bytes), rows, ctx,
               "give a larger --memory, or take a sample");
}

detail::SpanningTree spanning_tree(const detail::ReachTask& task, HdbscanAlgorithm algorithm, const Context& ctx) {
  const bool always = algorithm == HdbscanAlgorithm::kKdTree;
  if (always || (algorithm == HdbscanAlgorithm::kAuto && task.rows().cols() <= kTreeCols)) {
    if (auto by_tree = detail::spanning_by_tree(task, always, ctx)) return *std::move(by_tree);
  }
  return detail::spanning_by_pairs(task, ctx);
}

HdbscanFit fitted(const Source& rows, const HdbscanParams& params, int64_t min_samples, const Context& ctx) {
  HdbscanFit fit;
  if (rows.rows() < min_samples) {  // no row is core at any level
    fit.core_distances.assign(static_cast<size_t>(rows.rows()), detail::kInfinity);
    fit.tree.parent = {-1};
    fit.tree.birth = {0};
    fit.tree.size = {rows.rows()};
    fit.tree.row_cluster.assign(fit.core_distances.size(), 0);
    fit.tree.row_lambda.assign(fit.core_distances.size(), 0);
    HdbscanParams none;
    detail::choose_clusters(none, fit);
    return fit;
  }
  const detail::ReachTask task(rows, params.metric, params.alpha, min_samples, ctx);
  const detail::SpanningTree spanning = spanning_tree(task, params.algorithm, ctx);
  ctx.stage("clusters");
  fit.tree = detail::condense(task, spanning, params.min_cluster_size);
  for (const double core : spanning.core) fit.core_distances.push_back(task.published(core));
  detail::choose_clusters(params, fit);
  return fit;
}

}  // namespace

namespace detail {

std::unique_ptr<MemorySource> unit_rows(const Source& rows, const Context& ctx) {
  const int64_t d = rows.cols();
  std::vector<double> values(static_cast<size_t>(rows.rows() * (d + 1)));
  Context alone = ctx;
  alone.comm = nullptr;
  std::vector<std::vector<double>> scratch(static_cast<size_t>(worker_count(alone)), std::vector<double>(static_cast<size_t>(d)));
  map(rows, alone, [&](int worker, const MatrixBlock& leaf) {
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const double* from = leaf.row(i, scratch[static_cast<size_t>(worker)].data());
      double* to = values.data() + (leaf.first_row + i) * (d + 1);
      std::copy(from, from + d, to);
      if (normalise(to, d) == 0) to[d] = 1;
    }
  });
  auto out = std::make_unique<MemorySource>(std::move(values), rows.rows(), d + 1);
  out->stats = measure(*out, alone);
  return out;
}

ReachTask::ReachTask(const Source& rows, HdbscanMetric metric, double alpha, int64_t min_samples, const Context& ctx)
    : rows_(&rows),
      metric_(metric),
      factor_(metric == HdbscanMetric::kEuclidean ? 1 / (alpha * alpha) : 1 / alpha),
      min_samples_(min_samples) {
  if (metric != HdbscanMetric::kCosine) return;
  unit_ = unit_rows(rows, ctx);
  rows_ = unit_.get();
}

double ReachTask::published(double raw) const {
  return metric_ == HdbscanMetric::kEuclidean ? std::sqrt(raw) : metric_ == HdbscanMetric::kCosine ? raw / 2 : raw;
}

void in_pieces(int64_t count, int64_t piece, const Context& ctx, const std::function<void(int, int64_t, int64_t)>& body) {
  Context alone = ctx;
  alone.comm = nullptr;
  const int64_t pieces = (count + piece - 1) / piece;
  for_each_leaf({piece, pieces, 0, pieces, count}, alone,
                [&](int worker, int64_t i) { body(worker, i * piece, std::min(count, (i + 1) * piece)); });
}

}  // namespace detail

HdbscanFit hdbscan_fit(const Source& rows, const HdbscanParams& params, Context& ctx) {
  require_usable(rows, params);
  const int64_t min_samples = params.min_samples.value_or(params.min_cluster_size);
  require_memory(rows, params, min_samples, ctx);
  Context alone = ctx;
  alone.comm = nullptr;
  HdbscanFit fit;
  on_every_rank(ctx, [&] { fit = fitted(rows, params, min_samples, alone); });
  return fit;
}

}  // namespace sluice
