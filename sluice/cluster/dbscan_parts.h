// What the two ways of DBSCAN share: the limit, exact sums of weights, the numbering. Not for other use.
#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "sluice/cluster/dbscan.h"
#include "sluice/cluster/union_find.h"
#include "sluice/kernels/metric.h"

namespace sluice::detail {

// The largest distance (dist64.h) that counts as within eps: for euclidean the largest square whose root is <= eps.
double dbscan_limit(DbscanMetric metric, double eps, int64_t cols);
kernels::Metric dbscan_kernel_metric(DbscanMetric metric);

// A sum of weights as whole numbers, so that no order of adding changes what it is compared with.
struct Mass {
  int64_t high = 0;
  int64_t low = 0;
  Mass& operator+=(const Mass& other) {
    high += other.high;
    low += other.low;
    return *this;
  }
};

// Unweighted rows count 1. A weight is cut off at min_samples (alone enough) and kept to about 2^(123 - log2(min_samples) - 2 log2(rows))
// parts of 1, which is exactly for all but tiny ones.
class MassScale {
 public:
  MassScale(bool weighted, int64_t rows, int64_t min_samples);
  bool weighted() const { return weighted_; }
  Mass of(double weight) const;
  bool enough(const Mass& sum) const;

 private:
  bool weighted_;
  int64_t min_samples_;
  int high_bits_ = 0;
  int low_bits_ = 0;
};

// The rows as the metric sees them (cosine: of length 1), and what is asked of them.
struct DbscanTask {
  const Source& rows;
  kernels::Metric metric;
  double limit;
  MassScale mass;
};

inline constexpr int32_t kNoCluster = std::numeric_limits<int32_t>::max();

// Of all rows, on every rank.
struct DbscanLabels {
  std::vector<uint8_t> core;
  std::vector<int32_t> labels;  // -1: noise
  int64_t n_clusters = 0;
};

// Nothing, unless `always`, where all pairs would be quicker.
std::optional<DbscanLabels> dbscan_by_tree(const DbscanTask& task, bool always, Context& ctx);
DbscanLabels dbscan_by_pairs(const DbscanTask& task, Context& ctx);

// Labels of new rows by core rows (as the metric sees them).
RowColumn<int32_t> assign_by_tree(const DbscanTask& task, const Source& cores, const std::vector<int32_t>& labels, Context& ctx);
RowColumn<int32_t> assign_by_pairs(const DbscanTask& task, const Source& cores, const std::vector<int32_t>& labels, Context& ctx);

bool tree_serves(kernels::Metric metric, int64_t rows, int64_t cols, const Context& ctx);

// Labels of core members by their sets, numbered by the first row of each; kNoCluster elsewhere. row_of: member -> row (null: itself).
std::vector<int32_t> number_clusters(UnionFind& sets, const std::vector<uint8_t>& core, const std::vector<int64_t>* row_of,
                                     int64_t& n_clusters);

// The element-wise smallest of the ranks' values, on every rank.
void min_over_ranks(std::vector<int32_t>& values, Context& ctx);

}  // namespace sluice::detail
