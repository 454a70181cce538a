// What the pieces of HDBSCAN share: the rows as the metric sees them, the order of edges, the spanning tree. Not for other use.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "sluice/cluster/hdbscan.h"
#include "sluice/kernels/metric.h"

namespace sluice::detail {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The rows as the metric sees them. Distances and reaches inside are `raw`, as kernels/dist64.h gives them: squares for euclidean and
// for cosine, there of rows of length 1.
class ReachTask {
 public:
  ReachTask(const Source& rows, HdbscanMetric metric, double alpha, int64_t min_samples, const Context& ctx);

  const Source& rows() const { return *rows_; }
  kernels::Metric metric() const {
    return metric_ == HdbscanMetric::kManhattan ? kernels::Metric::kManhattan : kernels::Metric::kSquaredEuclidean;
  }
  int64_t min_samples() const { return min_samples_; }
  // A distance as it counts in a reach, and the largest distance that may count as so much.
  double scaled(double raw) const { return raw * factor_; }
  double unscaled(double reach) const { return std::min(reach / factor_ * (1 + 0x1p-50), std::numeric_limits<double>::max()); }
  double reach(double core_a, double core_b, double raw) const { return std::max(std::max(core_a, core_b), scaled(raw)); }
  // In the metric's own units.
  double published(double raw) const;

 private:
  std::unique_ptr<MemorySource> unit_;
  const Source* rows_;
  HdbscanMetric metric_;
  double factor_;
  int64_t min_samples_;
};

// Rows of length 1, for cosine, with a further column: zero rows point along it, so that they are at distance 1 from all others.
std::unique_ptr<MemorySource> unit_rows(const Source& rows, const Context& ctx);

// The level of a reach in the metric's units.
inline double lambda_of(double reach) {
  return reach > 0 ? std::min(1 / reach, std::numeric_limits<double>::max()) : kInfinity;
}

// The strict order of edges that makes the spanning tree unique. The distance comes second, so that coinciding rows are joined first.
struct ReachEdge {
  double reach = kInfinity;
  double distance = kInfinity;
  int64_t low = -1;  // rows, low < high
  int64_t high = -1;
};
inline bool before(const ReachEdge& a, const ReachEdge& b) {
  if (a.reach != b.reach) return a.reach < b.reach;
  if (a.distance != b.distance) return a.distance < b.distance;
  return a.low != b.low ? a.low < b.low : a.high < b.high;
}

struct SpanningTree {
  std::vector<double> core;      // raw, by row
  std::vector<ReachEdge> edges;  // rows - 1 of them, in their order
};

// Disjoint sets for one thread.
class Sets {
 public:
  explicit Sets(int64_t size) : up_(static_cast<size_t>(size)) {
    for (int64_t i = 0; i < size; ++i) up_[static_cast<size_t>(i)] = i;
  }
  int64_t find(int64_t x) {
    while (at(x) != x) x = at(x) = at(at(x));
    return x;
  }
  // The smaller becomes the root. False when they are one set already.
  bool unite(int64_t a, int64_t b) {
    a = find(a), b = find(b);
    if (a == b) return false;
    at(std::max(a, b)) = std::min(a, b);
    return true;
  }

 private:
  int64_t& at(int64_t x) { return up_[static_cast<size_t>(x)]; }
  std::vector<int64_t> up_;
};

// Runs body(worker, first, last) over [0, count) in pieces on this rank's threads alone.
void in_pieces(int64_t count, int64_t piece, const Context& ctx, const std::function<void(int worker, int64_t first, int64_t last)>& body);

// Nothing, unless `always`, where all pairs would be quicker. rows >= min_samples.
std::optional<SpanningTree> spanning_by_tree(const ReachTask& task, bool always, const Context& ctx);
SpanningTree spanning_by_pairs(const ReachTask& task, const Context& ctx);

// The cluster tree of the edges.
CondensedTree condense(const ReachTask& task, const SpanningTree& spanning, int64_t min_cluster_size);

double probability_of(const ClusterChoice& choice, int32_t label, double lambda);
double outlier_score_of(const ClusterChoice& choice, int64_t cluster, double lambda);

// Fills all of the fit but the core distances from its tree.
void choose_clusters(const HdbscanParams& params, HdbscanFit& fit);

}  // namespace sluice::detail
