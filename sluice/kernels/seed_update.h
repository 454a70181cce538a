// What k-means++ asks at every step: for a few candidate points, each row's distance to the nearest centre if the candidate joined.
// A float32 lower bound (filter.h) skips the float64 distance wherever it certainly is not below the current one, which is nearly
// everywhere once some centres stand. The numbers are those of plain float64 loops, bit for bit, on every CPU.
// Arthur and Vassilvitskii 2007, k-means++: The Advantages of Careful Seeding.
#pragma once
#include <cstdint>

#include "sluice/kernels/aligned.h"
#include "sluice/kernels/metric.h"
#include "sluice/kernels/rows.h"

namespace sluice::kernels {

inline constexpr int64_t kMostCandidates = 16;

// Working memory of one thread, about 64 (d + 64) floats; grows at need. `evaluated` counts float64 distances.
struct SeedScratch {
  AlignedBuffer<float> packed;
  AlignedBuffer<float> row;
  int64_t evaluated = 0;
};

// out[i * n_candidates + l] = min(current[i], distance64(row i, candidate l)).
// candidates: n_candidates x rows.cols, row-major; beyond kMostCandidates unfiltered. current: one value a row, or null for infinity.
// shift (cols values or null) and scale_exponent as in assign.h. Cost O(rows cols n_candidates). Values finite.
void seed_distances(const RowsView& rows, Metric metric, const double* candidates, int64_t n_candidates, const double* current, double* out,
                    SeedScratch& scratch, const double* shift, int scale_exponent) noexcept;

}  // namespace sluice::kernels
