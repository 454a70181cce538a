// project as plain loops: the truth the vector code is tested against.
#pragma once
#include <cmath>

#include "sluice/kernels/rows.h"

namespace sluice::kernels {

inline void project_ref(const RowsView& rows, const double* center, const double* components, int64_t q, double* out) noexcept {
  for (int64_t r = 0; r < rows.rows; ++r) {
    for (int64_t c = 0; c < q; ++c) {
      double sum = 0;
      for (int64_t j = 0; j < rows.cols; ++j) {
        const double x = rows.is_f64 ? rows.f64(r)[j] : double{rows.f32(r)[j]};
        sum = std::fma(x - center[j], components[c * rows.cols + j], sum);
      }
      out[r * q + c] = sum;
    }
  }
}

}  // namespace sluice::kernels
