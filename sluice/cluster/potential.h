// The potential of k-means++: for each row the distance to its nearest centre so far, and draws in proportion to it.
// Distances are float64; the numbers drawn by are their fixed-point integers, so sums and draws are exact whoever computes them.
#pragma once
#include <limits>
#include <vector>

#include "sluice/cluster/kmeans_init.h"
#include "sluice/core/fold.h"
#include "sluice/core/random.h"

namespace sluice {

// f(worker, leaf, scratch) for each leaf of this rank, as MatrixBlock with a Dense scratch or, where the source is sparse, as CsrBlock with
// a SparseScratch, one a worker.
template <class Dense, class F>
void map_with_scratch(const Source& rows, Context& ctx, const F& f) {
  const auto threads = static_cast<size_t>(ctx.threads);
  if (rows.sparse()) {
    std::vector<kernels::SparseScratch> scratch(threads);
    map_csr(rows, ctx, [&](int worker, const CsrBlock& leaf) { f(worker, leaf, scratch[static_cast<size_t>(worker)]); });
  } else {
    std::vector<Dense> scratch(threads);
    map(rows, ctx, [&](int worker, const MatrixBlock& leaf) { f(worker, leaf, scratch[static_cast<size_t>(worker)]); });
  }
}

class Potential {
 public:
  // At the start every row has potential 1 (times its weight), so the first draw is uniform.
  Potential(const Source& rows, const Geometry& geometry, Context& ctx);

  // Draws a row in proportion to the potential; when all are zero, uniformly.
  int64_t draw(Random& random) const;
  bool zero() const { return total_ == 0; }

  // What the potential would become with each of the candidates (points, one a row) added; at most kernels::kMostCandidates.
  std::vector<unsigned __int128> with(const Matrix<double>& candidates) const;
  // Adds the points as centres.
  void add(const Matrix<double>& centers);

  // The row's distance to its nearest centre, and the sum over all rows.
  double of(int64_t row) const { return distance_[row]; }
  double total() const;
  const LeafRange& range() const { return range_; }

 private:
  void sum_leaves();
  uint64_t quantised(double distance, double weight) const;
  const Source* rows_;
  const Geometry* geometry_;
  Context* ctx_;
  LeafRange range_;
  RowColumn<double> distance_;
  int scale_ = 0;                          // integers count units of 2^-scale_
  double unit_ = 1;                        // 2^scale_
  std::vector<unsigned __int128> leaves_;  // this rank's leaf totals
  unsigned __int128 before_ = 0;           // of the ranks before this one
  unsigned __int128 mine_ = 0;
  unsigned __int128 total_ = 0;
  bool started_ = false;
};

}  // namespace sluice
