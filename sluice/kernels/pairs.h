// All pairs of two blocks of rows: neighbours within a radius, the k nearest, and sums of distances by label, with the decisions of a
// plain float64 loop at the speed of float32. A float32 filter scores tiles of pairs; a proven error bound (pair_bounds.h) says which
// pairs are surely in and which surely out, and only the rest are decided in float64 (dist64.h). No rows x rows matrix exists at any time.
// Use for DBSCAN, k nearest neighbours, LOF, near duplicates, silhouettes, one pair of row blocks a call. For the nearest of few fixed
// points see assign.h. For 2 or 3 columns and many rows a grid or tree above this saves more than any kernel.
#pragma once
#include <cstdint>
#include <type_traits>
#include <vector>

#include "sluice/kernels/aligned.h"
#include "sluice/kernels/metric.h"
#include "sluice/kernels/rows.h"

namespace sluice::kernels {

// Working memory of one thread; grows at need: for block b about 4 rows d bytes, for 48 rows of a about 12 d bytes each, plus for
// visit_within 6 bytes a row of b, for nearest 800 (k + 48) bytes, for distance_sums 8 rows d bytes of a.
struct PairScratch {
  AlignedBuffer<float> others;       // packed rows of b
  AlignedBuffer<float> start;        // what the score of each row of b starts at
  AlignedBuffer<float> margin;       // what its score may be short of the truth
  AlignedBuffer<float> queries;      // packed rows of a block of a
  AlignedBuffer<float> row;          // one converted row
  AlignedBuffer<double> wide;        // rows of a, widened
  AlignedBuffer<double> numbers;     // residuals of b's rows; squared norms
  AlignedBuffer<uint32_t> bits;      // pairs found, by row of a
  AlignedBuffer<float> best_scores;  // nearest: candidates of each row of a
  AlignedBuffer<int32_t> best_rows;
  AlignedBuffer<float> best_bounds;
  int64_t rechecked = 0;  // pairs that were decided in float64, counted up for ever
};

class PairPlan {
 public:
  // `shift` (d values, or null for zero): any point near the data. scale_exponent: all |x - shift| < 2^scale_exponent.
  // Both steer the filter only: bad ones cost time, never a decision. kCosine: rows are normalised by the caller; both are not used.
  PairPlan(Metric metric, int64_t d, const double* shift, int scale_exponent);

  // In all functions: a.cols = b.cols = d >= 1, values finite, fewer than 2^31 rows, either storage type on either side; distance means
  // distance64(metric, ., ., d), so kSquaredEuclidean takes and gives squares. Cost O(a.rows b.rows d) float32 fma plus O((a.rows +
  // b.rows) d) to lay the rows out: pass hundreds of rows on both sides. Results are functions of the values alone, not of the CPU,
  // the shift, the block cut or the storage type.

  // counts[i] += number of rows j of b with distance(a_i, b_j) <= limit.
  void count_within(const RowsView& a, const RowsView& b, double limit, int64_t* counts, PairScratch& scratch) const noexcept;

  // hit(context, i, j) for every pair with distance(a_i, b_j) <= limit, in ascending i, then j. `hit` must not throw.
  using Hit = void (*)(void* context, int64_t i, int64_t j);
  void visit_within(const RowsView& a, const RowsView& b, double limit, void* context, Hit hit, PairScratch& scratch) const noexcept;
  template <class F>
  void visit_within(const RowsView& a, const RowsView& b, double limit, F&& hit, PairScratch& scratch) const noexcept {
    auto call = [](void* f, int64_t i, int64_t j) { (*static_cast<std::remove_reference_t<F>*>(f))(i, j); };
    visit_within(a, b, limit, const_cast<void*>(static_cast<const void*>(&hit)), static_cast<Hit>(call), scratch);
  }

  // Keeps the k nearest of all rows shown so far: row i's are distance[i * k ..] and index[i * k ..] in ascending (distance, index), to
  // be filled with +infinity and -1 before the first call. Row j of b has the number b_first_row + j and is shown once; row i of a has
  // the number a_first_row + i, and no row is its own neighbour (a_first_row = -1: rows of a have no numbers). k >= 1.
  void nearest(const RowsView& a, const RowsView& b, int64_t b_first_row, int64_t a_first_row, int64_t k, double* distance, int64_t* index,
               PairScratch& scratch) const noexcept;

  // sums[i * k + b_labels[j]] += distance(a_i, b_j), its square root for kSquaredEuclidean, one chain over j in ascending order; labels in
  // [0, k), a negative label leaves the row out. All in float64. Cost O(a.rows b.rows d) float64.
  void distance_sums(const RowsView& a, const RowsView& b, const int32_t* b_labels, int64_t k, double* sums,
                     PairScratch& scratch) const noexcept;

  Metric metric() const { return metric_; }
  int64_t d() const { return static_cast<int64_t>(shift_.size()); }
  const double* shift() const { return shift_.data(); }
  int scale_exponent() const { return scale_exponent_; }

 private:
  Metric metric_;
  int scale_exponent_;
  std::vector<double> shift_;
};

}  // namespace sluice::kernels
