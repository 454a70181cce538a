// syrk_add for one Highway target: rows are centred once into column panels, then tiles of the triangle run over 128 rows at a time.
#if defined(SLUICE_KERNELS_SYRK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICE_KERNELS_SYRK_INL_H_
#undef SLUICE_KERNELS_SYRK_INL_H_
#else
#define SLUICE_KERNELS_SYRK_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "hwy/highway.h"
#include "sluice/kernels/syrk.h"
#include "sluice/kernels/tile64-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::kernels {
namespace HWY_NAMESPACE {

constexpr int64_t kSyrkRows = 128;  // a panel of 24 columns is 24 KiB then: it stays in L1, the whole block of 256 columns in L2

// Row r, column j of the block stands at [j / kPanel64][r][j % kPanel64]. Padding holds zeros or older values; its products are dropped.
template <class T>
void center_row(const T* x, const double* center, int64_t d, const double* weight, double* to, double* weighted) {
  const Doubles dd;
  for (int64_t j = 0; j < d; j += kLanes64) {
    const int64_t at = j / kPanel64 * (kSyrkRows * kPanel64) + j % kPanel64;
    if (j + kLanes64 <= d) {
      const auto y = hn::Sub(load_doubles(x + j), hn::LoadU(dd, center + j));
      hn::Store(y, dd, to + at);
      if (weight != nullptr) hn::Store(hn::Mul(hn::Set(dd, *weight), y), dd, weighted + at);
      continue;
    }
    for (int64_t t = j; t < d; ++t) {
      const double y = static_cast<double>(x[t]) - center[t];
      to[at + t - j] = y;
      if (weight != nullptr) weighted[at + t - j] = *weight * y;
    }
  }
}

// A tile that crosses the diagonal or the right edge: entries in the triangle are brought into a full tile and back.
HWY_INLINE void edge_tile(int64_t vectors, const double* a, const double* b, int64_t n, double* upper, int64_t d, int64_t i0, int64_t j0) {
  HWY_ALIGN double part[kTileRows64 * kPanel64] = {};
  const int64_t rows = std::min(kTileRows64, d - i0);
  const int64_t last = std::min(d, j0 + vectors * kLanes64);
  for (int64_t m = 0; m < rows; ++m) {
    for (int64_t j = std::max(j0, i0 + m); j < last; ++j) part[m * kPanel64 + j - j0] = upper[(i0 + m) * d + j];
  }
  tile64<1, kPanel64>(vectors, a, b, n, part, kPanel64);
  for (int64_t m = 0; m < rows; ++m) {
    for (int64_t j = std::max(j0, i0 + m); j < last; ++j) upper[(i0 + m) * d + j] = part[m * kPanel64 + j - j0];
  }
}

// All tiles of the triangle over n packed rows.
inline void syrk_block(const double* left, const double* right, int64_t n, int64_t d, double* upper) {
  const int64_t panels = (d + kPanel64 - 1) / kPanel64;
  for (int64_t jp = 0; jp < panels; ++jp) {
    const double* b = right + jp * (kSyrkRows * kPanel64);
    const int64_t vectors = std::min<int64_t>(3, (d - jp * kPanel64 + kLanes64 - 1) / kLanes64);
    for (int64_t i0 = 0; i0 < std::min(d, (jp + 1) * kPanel64); i0 += kTileRows64) {
      const int64_t ip = i0 / kPanel64;
      const int64_t skip = ip == jp ? i0 % kPanel64 / kLanes64 : 0;  // vectors left of the diagonal
      const int64_t j0 = jp * kPanel64 + skip * kLanes64;
      const int64_t used = vectors - skip;
      const double* a = left + ip * (kSyrkRows * kPanel64) + i0 % kPanel64;
      const bool inside = ip < jp && j0 + used * kLanes64 <= d;
      if (inside) {
        tile64<1, kPanel64>(used, a, b, n, upper + i0 * d + j0, d);
      } else {
        edge_tile(used, a, b + skip * kLanes64, n, upper, d, i0, j0);
      }
    }
  }
}

void Syrk(const RowsView& rows, const double* center, const double* weights, double* upper, SyrkScratch& scratch) {
  const int64_t d = rows.cols;
  const int64_t size = (d + kPanel64 - 1) / kPanel64 * (kSyrkRows * kPanel64);
  double* panel = scratch.panel.reserve(size);
  double* weighted = weights == nullptr ? nullptr : scratch.weighted.reserve(size);
  for (int64_t first = 0; first < rows.rows; first += kSyrkRows) {
    const int64_t n = std::min(kSyrkRows, rows.rows - first);
    for (int64_t r = 0; r < n; ++r) {
      const double* weight = weights == nullptr ? nullptr : weights + first + r;
      double* to = panel + r * kPanel64;
      double* to_weighted = weights == nullptr ? nullptr : weighted + r * kPanel64;
      if (rows.is_f64) {
        center_row(rows.f64(first + r), center, d, weight, to, to_weighted);
      } else {
        center_row(rows.f32(first + r), center, d, weight, to, to_weighted);
      }
    }
    syrk_block(weights == nullptr ? panel : weighted, panel, n, d, upper);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sluice::kernels
HWY_AFTER_NAMESPACE();
#endif
