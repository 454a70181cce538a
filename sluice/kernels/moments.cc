#include "sluice/kernels/moments.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sluice/kernels/moments.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "sluice/kernels/cpu.h"
#include "sluice/kernels/moments_ref.h"
#include "sluice/kernels/tile64-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::kernels {
namespace HWY_NAMESPACE {

constexpr int64_t kGroup = 8;  // rows a pass: few enough streams for the prefetcher, and the sums are touched once in eight rows

// Columns [0, whole) of `count` rows.
template <bool kSquares, class T>
void sum_group(const T* x, int64_t stride, int64_t count, const double* center, int64_t whole, double* sum, double* sum_sq) {
  const Doubles d;
  for (int64_t j = 0; j < whole; j += kLanes64) {
    const auto c = hn::LoadU(d, center + j);
    auto first = hn::LoadU(d, sum + j);
    auto second = kSquares ? hn::LoadU(d, sum_sq + j) : hn::Zero(d);
    for (int64_t r = 0; r < count; ++r) {
      const auto y = hn::Sub(load_doubles(x + r * stride + j), c);
      first = hn::Add(first, y);
      if (kSquares) second = hn::MulAdd(y, y, second);
    }
    hn::StoreU(first, d, sum + j);
    if (kSquares) hn::StoreU(second, d, sum_sq + j);
  }
}

template <class T>
void sum_group(const T* x, int64_t stride, int64_t count, const double* center, int64_t whole, double* sum, double* sum_sq) {
  if (sum_sq != nullptr) return sum_group<true>(x, stride, count, center, whole, sum, sum_sq);
  sum_group<false>(x, stride, count, center, whole, sum, sum_sq);
}

void ColumnSums(const RowsView& rows, const double* center, double* sum, double* sum_sq) {
  const int64_t whole = rows.cols / kLanes64 * kLanes64;
  for (int64_t r = 0; r < rows.rows; r += kGroup) {
    const int64_t count = std::min(kGroup, rows.rows - r);
    if (rows.is_f64) {
      sum_group(rows.f64(r), rows.stride, count, center, whole, sum, sum_sq);
    } else {
      sum_group(rows.f32(r), rows.stride, count, center, whole, sum, sum_sq);
    }
    column_sums_ref(rows, center, r, r + count, whole, sum, sum_sq);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sluice::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::kernels {

HWY_EXPORT(ColumnSums);

void column_sums(const RowsView& rows, const double* center, double* sum, double* sum_sq) noexcept {
  if (current_target() == Target::kScalar) return column_sums_ref(rows, center, 0, rows.rows, 0, sum, sum_sq);
  HWY_DYNAMIC_DISPATCH(ColumnSums)(rows, center, sum, sum_sq);
}

}  // namespace sluice::kernels
#endif
