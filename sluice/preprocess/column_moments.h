// Means and variances of columns that may have gaps: what scaling, imputing by the mean, z-scores and the profile share.
// Use on any source with statistics. For covariances see reduce/pca.h.
//
// Two passes: an exact integer sum gives a provisional centre, then sums of differences from it and of their squares are taken in double
// within a leaf and exactly over leaves; so an offset of 1e8 costs no digit. Squares are taken after division by a power of two near
// the column's largest value: none overflows.
#pragma once
#include <cstdint>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/source.h"

namespace sluice {

struct ColumnMoments {
  std::vector<int64_t> count;     // values that are not missing
  std::vector<double> mean;       // 0 for a column without values; the value itself for a constant one
  std::vector<double> variance;   // over count (not count - 1); exactly 0 for a constant column; may be infinite past 1e308
  std::vector<double> deviation;  // its square root, right even where the variance over- or underflows
};

// Cost: 2 passes, O(n d). Memory: about 1.2 KiB a column and thread. Same bits for any threads, ranks and storage; other leaf sizes
// agree to about 1e-14. Asks for source.stats.measured and no infinite value; NaN is skipped, weights are not looked at.
ColumnMoments column_moments(const Source& source, Context& ctx);

}  // namespace sluice
