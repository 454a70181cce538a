#include "sluice/cluster/dbscan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>

#include "sluice/cluster/dbscan_parts.h"
#include "sluice/core/normalised.h"

namespace sluice {
namespace {

using detail::DbscanLabels;
using detail::DbscanTask;

constexpr int64_t kTreeCols = 64;    // beyond, a tree is not tried
constexpr int64_t kAssignCols = 16;  // of searches one by one

struct MetricRows {
  MetricRows(const Source& rows, DbscanMetric metric) : source(&rows) {
    if (metric != DbscanMetric::kCosine) return;
    unit = std::make_unique<NormalisedSource>(rows);
    source = unit.get();
  }
  std::unique_ptr<NormalisedSource> unit;
  const Source* source;
};

bool use_tree(const Source& rows, const DbscanParams& params, const Context& ctx) {
  const kernels::Metric metric = detail::dbscan_kernel_metric(params.metric);
  const bool serves = detail::tree_serves(metric, rows.rows(), rows.cols(), ctx);
  if (params.algorithm != DbscanAlgorithm::kKdTree) return params.algorithm == DbscanAlgorithm::kAuto && serves && rows.cols() <= kTreeCols;
  if (metric == kernels::Metric::kCosine)
    fail(ErrorCode::kUsage, "--algorithm", "kd_tree can't search by cosine", "leave it out or use brute");
  if (!serves) {
    fail(ErrorCode::kMemory, "dbscan",
         "the tree of " + std::to_string(rows.rows()) + " rows takes more than half of the " + std::to_string(ctx.memory) +
             " bytes of the memory budget",
         "use --algorithm brute, which reads the rows piece by piece, or a larger --memory");
  }
  return true;
}

template <class T>
RowColumn<T> own_rows(const std::vector<T>& all, const LeafRange& range) {
  RowColumn<T> mine(range, T{});
  std::copy(all.begin() + range.first_row(), all.begin() + range.last_row(), mine.at(range.first_row()));
  return mine;
}

}  // namespace

namespace detail {

double dbscan_limit(DbscanMetric metric, double eps, int64_t cols) {
  if (metric == DbscanMetric::kManhattan) return eps;
  if (metric == DbscanMetric::kCosine) return std::max(eps, static_cast<double>(cols + 128) * 0x1p-53);
  constexpr double kMax = std::numeric_limits<double>::max();
  double square = std::min(eps * eps, kMax);
  while (square > 0 && std::sqrt(square) > eps) square = std::nextafter(square, 0.0);
  while (square < kMax && std::sqrt(std::nextafter(square, kMax)) <= eps) square = std::nextafter(square, kMax);
  return square;
}

kernels::Metric dbscan_kernel_metric(DbscanMetric metric) {
  switch (metric) {
    case DbscanMetric::kManhattan:
      return kernels::Metric::kManhattan;
    case DbscanMetric::kCosine:
      return kernels::Metric::kCosine;
    default:
      return kernels::Metric::kSquaredEuclidean;
  }
}

MassScale::MassScale(bool weighted, int64_t rows, int64_t min_samples) : weighted_(weighted), min_samples_(min_samples) {
  if (!weighted) return;
  const int row_bits = static_cast<int>(std::bit_width(static_cast<uint64_t>(rows)));
  high_bits_ = std::max(0, 62 - row_bits - static_cast<int>(std::bit_width(static_cast<uint64_t>(min_samples))));
  low_bits_ = 61 - row_bits;
}

Mass MassScale::of(double weight) const {
  if (!weighted_) return {1, 0};
  const double scaled = std::ldexp(std::min(weight, static_cast<double>(min_samples_)), high_bits_);
  const double whole = std::floor(scaled);
  return {static_cast<int64_t>(whole), static_cast<int64_t>(std::nearbyint(std::ldexp(scaled - whole, low_bits_)))};
}

bool MassScale::enough(const Mass& sum) const {
  if (!weighted_) return sum.high >= min_samples_;
  using Wide = __int128;
  return (Wide{sum.high} << low_bits_) + sum.low >= Wide{min_samples_} << (high_bits_ + low_bits_);
}

std::vector<int32_t> number_clusters(UnionFind& sets, const std::vector<uint8_t>& core, const std::vector<int64_t>* row_of,
                                     int64_t& n_clusters) {
  const auto size = static_cast<int64_t>(core.size());
  const auto row = [&](int64_t member) { return row_of == nullptr ? member : (*row_of)[static_cast<size_t>(member)]; };
  std::vector<int64_t> first_row(core.size(), -1);  // by root
  std::vector<int64_t> roots;
  for (int64_t p = 0; p < size; ++p) {
    if (core[static_cast<size_t>(p)] == 0) continue;
    const int64_t root = sets.find(p);
    int64_t& first = first_row[static_cast<size_t>(root)];
    if (first < 0) roots.push_back(root);
    first = first < 0 ? row(p) : std::min(first, row(p));
  }
  std::sort(roots.begin(), roots.end(),
            [&](int64_t a, int64_t b) { return first_row[static_cast<size_t>(a)] < first_row[static_cast<size_t>(b)]; });
  n_clusters = static_cast<int64_t>(roots.size());
  for (size_t c = 0; c < roots.size(); ++c) first_row[static_cast<size_t>(roots[c])] = static_cast<int64_t>(c);
  std::vector<int32_t> labels(core.size(), kNoCluster);
  for (int64_t p = 0; p < size; ++p) {
    if (core[static_cast<size_t>(p)] != 0)
      labels[static_cast<size_t>(p)] = static_cast<int32_t>(first_row[static_cast<size_t>(sets.find(p))]);
  }
  return labels;
}

void min_over_ranks(std::vector<int32_t>& values, Context& ctx) {
  if (ctx.ranks() == 1) return;
  for (const Bytes& theirs : ctx.comm->all_gather(std::as_bytes(std::span<const int32_t>(values)))) {
    const auto* other = reinterpret_cast<const int32_t*>(theirs.data());
    for (size_t i = 0; i < values.size(); ++i) values[i] = std::min(values[i], other[i]);
  }
}

}  // namespace detail

DbscanFit dbscan_fit(const Source& rows, const DbscanParams& params, Context& ctx) {
  require_clean(rows);
  if (rows.rows() < 1) fail(ErrorCode::kBadInput, "rows", "there is no row to cluster", "give at least one");
  if (rows.cols() < 1) fail(ErrorCode::kBadInput, "columns", "there is no numeric column to cluster by", "name some with --columns");
  if (!(params.eps > 0) || std::isinf(params.eps)) fail(ErrorCode::kUsage, "--eps", "it is not a finite number above 0", "give one");
  if (params.min_samples < 1) fail(ErrorCode::kUsage, "--min-samples", "it is below 1", "give at least 1");
  if (rows.rows() > std::numeric_limits<int32_t>::max())
    fail(ErrorCode::kBadInput, "rows", "there are more than 2^31 - 1 rows", "take a sample");
  const MetricRows metric_rows(rows, params.metric);
  const DbscanTask task{*metric_rows.source, detail::dbscan_kernel_metric(params.metric),
                        detail::dbscan_limit(params.metric, params.eps, rows.cols()),
                        detail::MassScale(rows.max_weight() > 0, rows.rows(), params.min_samples)};
  std::optional<DbscanLabels> by_tree;
  if (use_tree(rows, params, ctx)) by_tree = detail::dbscan_by_tree(task, params.algorithm == DbscanAlgorithm::kKdTree, ctx);
  const DbscanLabels all = by_tree ? *std::move(by_tree) : detail::dbscan_by_pairs(task, ctx);
  const LeafRange range = leaf_range(rows.rows(), rows.cols(), ctx);
  DbscanFit fit;
  fit.labels = own_rows(all.labels, range);
  fit.core = own_rows(all.core, range);
  fit.n_clusters = all.n_clusters;
  fit.n_noise = std::count(all.labels.begin(), all.labels.end(), -1);
  fit.n_core = std::count(all.core.begin(), all.core.end(), 1);
  return fit;
}

RowColumn<int32_t> dbscan_assign(const DbscanModel& model, const Source& rows, Context& ctx) {
  require_clean(rows);
  const int64_t count = model.components.rows;
  if (count == 0 || rows.rows() == 0) return {leaf_range(rows.rows(), rows.cols(), ctx), -1};
  const MemorySource components(DType::kF64, model.components.values.data(), count, model.components.cols, model.components.cols, nullptr);
  const MetricRows metric_rows(rows, model.metric), cores(components, model.metric);
  const DbscanTask task{*metric_rows.source, detail::dbscan_kernel_metric(model.metric),
                        detail::dbscan_limit(model.metric, model.eps, rows.cols()), detail::MassScale(false, count, model.min_samples)};
  const std::vector<int32_t> labels(model.labels.begin(), model.labels.end());
  if (rows.cols() <= kAssignCols && detail::tree_serves(task.metric, count, rows.cols(), ctx))
    return detail::assign_by_tree(task, *cores.source, labels, ctx);
  return detail::assign_by_pairs(task, *cores.source, labels, ctx);
}

}  // namespace sluice
