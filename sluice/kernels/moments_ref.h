// column_sums as plain loops: the truth the vector code is tested against, and its last columns.
#pragma once
#include <cmath>

#include "sluice/kernels/rows.h"

namespace sluice::kernels {

// Rows [first, last), columns [begin, cols). sum_sq may be null.
inline void column_sums_ref(const RowsView& rows, const double* center, int64_t first, int64_t last, int64_t begin, double* sum,
                            double* sum_sq) noexcept {
  for (int64_t r = first; r < last; ++r) {
    for (int64_t j = begin; j < rows.cols; ++j) {
      const double y = (rows.is_f64 ? rows.f64(r)[j] : double{rows.f32(r)[j]}) - center[j];
      sum[j] += y;
      if (sum_sq != nullptr) sum_sq[j] = std::fma(y, y, sum_sq[j]);
    }
  }
}

}  // namespace sluice::kernels
