// Nearest centre of every row, with the labels of a plain float64 loop at the speed of float32.
// A float32 filter scores all centres; a proven error bound (filter.h) says which of them could still be the nearest, and only those are
// compared in float64 (dist64.h). No rows x centres matrix exists at any time.
// Use for k-means, quantisers and anything that needs one nearest of many fixed points. For the t nearest see top-k.
// Determinism: labels and distances are functions of the values alone, not of the CPU, the block cut or the storage type.
#pragma once
#include <cstdint>
#include <vector>

#include "sluice/kernels/aligned.h"
#include "sluice/kernels/filter.h"
#include "sluice/kernels/metric.h"
#include "sluice/kernels/rows.h"
#include "sluice/kernels/sparse_rows.h"

namespace sluice::kernels {

// Working memory of one thread, about 100 (d + 64) floats; grows at need. `rechecked` counts rows that needed float64 comparisons.
struct AssignScratch {
  AlignedBuffer<float> packed;
  AlignedBuffer<float> row;
  AlignedBuffer<float> best;
  int64_t rechecked = 0;
};

// k packed centres; immutable, shared by threads.
class AssignPlan {
 public:
  // centers: k x d float64, row-major, copied; k >= 1, d >= 1. `shift` (d values, or null for zero): any point near the data.
  // scale_exponent: all |x - shift| < 2^scale_exponent, roughly; used where the centres themselves give no scale.
  // Shift and scale steer the filter only: bad ones cost time, never a label.
  // Cost O(k d); memory 12 k d bytes. kCosine: centres and rows are normalised by the caller; shift and scale are not used.
  // sparse: laid out for rows of non-zeros instead (8 k d bytes; dense rows are then scanned plainly); kSquaredEuclidean and kCosine only.
  AssignPlan(Metric metric, const double* centers, int64_t k, int64_t d, const double* shift, int scale_exponent, bool sparse = false);

  // labels[i] = argmin over c of distance64(row i, centre c), ties to the lowest c. distances may be null.
  // rows.cols must be d. Values finite, distances below the largest double. Cost O(rows k d).
  void assign(const RowsView& rows, int32_t* labels, double* distances, AssignScratch& scratch) const noexcept;

  // The same of rows of non-zeros, by a plan made for them.
  void assign(const SparseRows& rows, int32_t* labels, double* distances, SparseScratch& scratch) const {
    sparse_.assign(centers_.data(), rows, labels, distances, scratch);
  }

  Metric metric() const { return metric_; }
  int64_t k() const { return k_; }
  int64_t d() const { return d_; }

 private:
  Metric metric_;
  int64_t k_;
  int64_t d_;
  std::vector<double> centers_;
  FilterCentres filter_;
  SparseCentres sparse_;
};

}  // namespace sluice::kernels
