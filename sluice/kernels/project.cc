#include "sluice/kernels/project.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sluice/kernels/project.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "sluice/kernels/cpu.h"
#include "sluice/kernels/project_ref.h"
#include "sluice/kernels/tile64-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::kernels {
namespace HWY_NAMESPACE {

constexpr int64_t kColumns = 128;   // columns a pass: a panel of components is 24 KiB then and stays in L1
constexpr int64_t kBlockRows = 64;  // rows centred at a time

template <class T>
void center_part(const T* x, const double* center, int64_t n, double* to) {
  int64_t j = 0;
  for (; j + kLanes64 <= n; j += kLanes64) {
    hn::Store(hn::Sub(load_doubles(x + j), hn::LoadU(Doubles(), center + j)), Doubles(), to + j);
  }
  for (; j < n; ++j) to[j] = static_cast<double>(x[j]) - center[j];
}

// Component c, column j at [c / kPanel64][j][c % kPanel64]; lanes past q hold zeros or older values, their sums are dropped.
inline void pack_components(const double* components, int64_t q, int64_t d, double* to) {
  for (int64_t c = 0; c < q; ++c) {
    double* at = to + c / kPanel64 * (d * kPanel64) + c % kPanel64;
    for (int64_t j = 0; j < d; ++j) at[j * kPanel64] = components[c * d + j];
  }
}

// `rows` centred rows of n columns times one panel of components, added to out (row stride q, `used` components wide).
inline void project_panel(const double* a, int64_t rows, const double* b, int64_t n, double* out, int64_t q, int64_t used) {
  const int64_t vectors = (used + kLanes64 - 1) / kLanes64;
  for (int64_t r = 0; r < rows; r += kTileRows64) {
    if (r + kTileRows64 <= rows && used == vectors * kLanes64) {
      tile64<kColumns, 1>(vectors, a + r * kColumns, b, n, out + r * q, q);
      continue;
    }
    HWY_ALIGN double part[kTileRows64 * kPanel64] = {};
    const int64_t height = std::min(kTileRows64, rows - r);
    for (int64_t m = 0; m < height; ++m) std::copy_n(out + (r + m) * q, used, part + m * kPanel64);
    tile64<kColumns, 1>(vectors, a + r * kColumns, b, n, part, kPanel64);
    for (int64_t m = 0; m < height; ++m) std::copy_n(part + m * kPanel64, used, out + (r + m) * q);
  }
}

void Project(const RowsView& rows, const double* center, const double* components, int64_t q, double* out, ProjectScratch& scratch) {
  const int64_t d = rows.cols;
  const int64_t panels = (q + kPanel64 - 1) / kPanel64;
  double* packed = scratch.components.reserve(panels * kPanel64 * d);
  double* block = scratch.rows.reserve(kBlockRows * kColumns);
  pack_components(components, q, d, packed);
  for (int64_t first = 0; first < rows.rows; first += kBlockRows) {
    const int64_t n = std::min(kBlockRows, rows.rows - first);
    std::fill_n(out + first * q, n * q, 0.0);
    for (int64_t j = 0; j < d; j += kColumns) {
      const int64_t columns = std::min(kColumns, d - j);
      for (int64_t r = 0; r < n; ++r) {
        if (rows.is_f64) {
          center_part(rows.f64(first + r) + j, center + j, columns, block + r * kColumns);
        } else {
          center_part(rows.f32(first + r) + j, center + j, columns, block + r * kColumns);
        }
      }
      for (int64_t p = 0; p < panels; ++p) {
        project_panel(block, n, packed + (p * d + j) * kPanel64, columns, out + first * q + p * kPanel64, q,
                      std::min(kPanel64, q - p * kPanel64));
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sluice::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::kernels {

HWY_EXPORT(Project);

void project(const RowsView& rows, const double* center, const double* components, int64_t q, double* out,
             ProjectScratch& scratch) noexcept {
  if (current_target() == Target::kScalar) return project_ref(rows, center, components, q, out);
  HWY_DYNAMIC_DISPATCH(Project)(rows, center, components, q, out, scratch);
}

}  // namespace sluice::kernels
#endif
