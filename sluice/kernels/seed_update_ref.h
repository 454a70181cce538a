// seed_distances by plain loops: its truth and its "scalar" target.
#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>

#include "sluice/kernels/dist64.h"
#include "sluice/kernels/rows.h"

namespace sluice::kernels {

inline double row_distance64(Metric metric, const RowsView& rows, int64_t i, const double* centre) noexcept {
  return rows.is_f64 ? distance64(metric, rows.f64(i), centre, rows.cols) : distance64(metric, rows.f32(i), centre, rows.cols);
}

inline void seed_distances_ref(const RowsView& rows, Metric metric, const double* candidates, int64_t n_candidates, const double* current,
                               double* out) noexcept {
  for (int64_t i = 0; i < rows.rows; ++i) {
    const double now = current == nullptr ? std::numeric_limits<double>::infinity() : current[i];
    for (int64_t l = 0; l < n_candidates; ++l) {
      out[i * n_candidates + l] = std::min(now, row_distance64(metric, rows, i, candidates + l * rows.cols));
    }
  }
}

}  // namespace sluice::kernels
