// column_scan as a plain loop over the columns [begin, cols): the truth the vector code is tested against, and its rest loop.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>

#include "sluice/kernels/column_scan.h"

namespace sluice::kernels {

template <class T>
inline ScanFlags column_scan_ref(const T* rows, int64_t count, int64_t begin, int64_t cols, int64_t stride, const ColumnScan<T>& scan,
                                 ScanChecks checks) noexcept {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  ScanFlags flags;
  for (int64_t j = begin; j < cols; ++j) {
    for (int64_t i = 0; i < count; ++i) {
      const T x = rows[i * stride + j];
      const T size = std::fabs(x);
      if (!(size < kInfinity)) {
        flags.not_finite = true;
        continue;
      }
      if (x < scan.min[j]) scan.min[j] = x;
      if (x > scan.max[j]) scan.max[j] = x;
      if (checks.fraction && std::nearbyint(x) != x) scan.fraction[j] = -1;
      if (checks.wide && static_cast<double>(static_cast<float>(x)) != static_cast<double>(x)) scan.wide[j] = -1;
      if (size == 0) {
        ++scan.zeros[j];
      } else if (size < kScanLow<T> || size >= kScanHigh<T>) {
        flags.beyond_window = true;
      }
    }
  }
  return flags;
}

}  // namespace sluice::kernels
