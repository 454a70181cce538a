// A labelling as measures need it: clusters numbered without holes, their sizes, means and scatters. For the measures of this room.
// Everything here is the same for any threads, ranks and leaves: counts are integers, means exact sums, scatters exact sums of row terms.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sluice/core/exact_sum.h"
#include "sluice/core/fold.h"
#include "sluice/core/matrix.h"

namespace sluice {

struct Clusters {
  RowColumn<int32_t> number;    // this rank's rows: 0 .. count() - 1, or -1 for noise
  std::vector<int32_t> labels;  // what each number was called, ascending
  std::vector<int64_t> sizes;
  int64_t n_noise = 0;

  int64_t count() const { return static_cast<int64_t>(sizes.size()); }
  int64_t rows() const;  // not noise
};

// Labels of all rows cut to this rank's. Throws Error{kBadInput} unless there is one a row.
RowColumn<int32_t> own_labels(std::span<const int32_t> all, const Source& rows, Context& ctx);

// -1 is noise; other labels may be any from 0 up, with holes. Cost O(n log k). Memory 4 bytes a row. Throws Error{kBadInput} at a label
// below -1.
Clusters clusters_of(const RowColumn<int32_t>& labels, Context& ctx);

struct ClusterMeans {
  Matrix<double> mean;          // one row a cluster
  std::vector<double> overall;  // of all rows that are not noise
};
// One pass. Memory: 8 k d limbs bytes a thread. Rows must be measured and clean.
ClusterMeans cluster_means(const Source& rows, const Clusters& clusters, Context& ctx);

// Sums of row terms, one for each of some groups; merging in any order gives the same bits.
class GroupSums {
 public:
  explicit GroupSums(int64_t groups) : sums_(static_cast<size_t>(groups)) {}
  void add(int64_t group, double term) { sums_[static_cast<size_t>(group)].add(term); }
  void merge(const GroupSums& other);
  void save(ByteWriter& out) const;
  void load(ByteReader& in);
  int64_t bytes() const { return static_cast<int64_t>(sums_.size() * sizeof(ExactSum)); }
  std::vector<double> values() const;
  double total() const;  // of all groups, rounded once

 private:
  std::vector<ExactSum> sums_;
};

// The sum of all ranks'. Collective.
GroupSums add_over_ranks(GroupSums mine, int64_t groups, Context& ctx);

struct Scatter {
  std::vector<double> squares;    // summed squared distances of a cluster's rows to its mean
  std::vector<double> distances;  // summed distances
  double wcss = 0;                // all squares
};
// One pass. Memory: 1.2 KiB a cluster and thread.
Scatter cluster_scatter(const Source& rows, const Clusters& clusters, const Matrix<double>& means, Context& ctx);

}  // namespace sluice
