// syrk_add as plain loops: the truth the vector code is tested against.
#pragma once
#include <cmath>

#include "sluice/kernels/rows.h"

namespace sluice::kernels {

inline double cell_of(const RowsView& rows, int64_t r, int64_t j) {
  return rows.is_f64 ? rows.f64(r)[j] : double{rows.f32(r)[j]};
}

// weights may be null.
inline void syrk_ref(const RowsView& rows, const double* center, const double* weights, double* upper) noexcept {
  const int64_t d = rows.cols;
  for (int64_t r = 0; r < rows.rows; ++r) {
    for (int64_t i = 0; i < d; ++i) {
      const double y = cell_of(rows, r, i) - center[i];
      const double left = weights == nullptr ? y : weights[r] * y;
      for (int64_t j = i; j < d; ++j) upper[i * d + j] = std::fma(left, cell_of(rows, r, j) - center[j], upper[i * d + j]);
    }
  }
}

}  // namespace sluice::kernels
