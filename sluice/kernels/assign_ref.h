// Nearest centre by plain double loops: the truth of assign.h, its "scalar" target, and what undecidable rows fall back to.
#pragma once
#include <cstdint>
#include <limits>

#include "sluice/kernels/dist64.h"
#include "sluice/kernels/rows.h"

namespace sluice::kernels {

struct Nearest {
  int32_t label = 0;
  double distance = std::numeric_limits<double>::infinity();

  // Ties go to the lower index, in whatever order the centres come.
  void offer(int64_t centre, double d) {
    if (d < distance || (d == distance && centre < label)) {
      label = static_cast<int32_t>(centre);
      distance = d;
    }
  }
};

template <class T>
inline Nearest nearest_by_scan(Metric metric, const T* row, const double* centers, int64_t k, int64_t d) noexcept {
  Nearest best;
  for (int64_t c = 0; c < k; ++c) best.offer(c, distance64(metric, row, centers + c * d, d));
  return best;
}

inline void assign_ref(Metric metric, const double* centers, int64_t k, int64_t d, const RowsView& rows, int32_t* labels,
                       double* distances) noexcept {
  for (int64_t i = 0; i < rows.rows; ++i) {
    const Nearest best =
        rows.is_f64 ? nearest_by_scan(metric, rows.f64(i), centers, k, d) : nearest_by_scan(metric, rows.f32(i), centers, k, d);
    labels[i] = best.label;
    if (distances != nullptr) distances[i] = best.distance;
  }
}

}  // namespace sluice::kernels
