#include "sluice/kernels/column_scan.h"

#include <bit>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sluice/kernels/column_scan.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "sluice/kernels/column_scan_ref.h"
#include "sluice/kernels/cpu.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE hn::Mask<D> fits_float(D, hn::Vec<D> x) {
  if constexpr (sizeof(hn::TFromD<D>) == 4) {
    return hn::Eq(x, x);
  } else {
    const hn::Rebind<float, D> narrow;
    return hn::Eq(hn::PromoteTo(D(), hn::DemoteTo(narrow, x)), x);
  }
}

// Columns are lanes; the accumulators of one vector of columns stay in registers over all rows.
template <bool kFraction, bool kWide, class T>
HWY_INLINE ScanFlags scan_lanes(const T* rows, int64_t count, int64_t cols, int64_t stride, const ColumnScan<T>& scan) {
  const hn::ScalableTag<T> d;
  const hn::RebindToSigned<decltype(d)> di;
  using V = hn::Vec<decltype(d)>;
  using M = hn::Mask<decltype(d)>;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const V infinity = hn::Set(d, std::numeric_limits<T>::infinity());
  const V low = hn::Set(d, kScanLow<T>);
  const V high = hn::Set(d, kScanHigh<T>);
  const V none = hn::Zero(d);
  auto not_finite = hn::Zero(di);
  auto beyond = hn::Zero(di);
  const auto bits = [&](M mask) HWY_ATTR { return hn::BitCast(di, hn::VecFromMask(d, mask)); };
  int64_t j = 0;
  for (; j + lanes <= cols; j += lanes) {
    V min = hn::LoadU(d, scan.min + j);
    V max = hn::LoadU(d, scan.max + j);
    V least = infinity;
    auto zeros = hn::LoadU(di, scan.zeros + j);
    auto fraction = hn::LoadU(di, scan.fraction + j);
    auto wide = hn::LoadU(di, scan.wide + j);
    for (int64_t i = 0; i < count; ++i) {
      const V x = hn::LoadU(d, rows + i * stride + j);
      const M finite = hn::Lt(hn::Abs(x), infinity);
      const V kept = hn::IfThenElse(finite, x, infinity);
      min = hn::Min(min, kept);
      max = hn::Max(max, hn::IfThenElse(finite, x, hn::Neg(infinity)));
      const M zero = hn::Eq(x, none);
      zeros = hn::Sub(zeros, bits(zero));
      least = hn::Min(least, hn::IfThenElse(zero, infinity, hn::Abs(kept)));
      not_finite = hn::Or(not_finite, bits(hn::Not(finite)));
      // A NaN or infinity becomes +infinity in `kept`, which is whole and a float32.
      if constexpr (kFraction) fraction = hn::Or(fraction, bits(hn::Ne(hn::Round(kept), kept)));
      if constexpr (kWide) wide = hn::Or(wide, bits(hn::Not(fits_float(d, kept))));
    }
    hn::StoreU(min, d, scan.min + j);
    hn::StoreU(max, d, scan.max + j);
    hn::StoreU(zeros, di, scan.zeros + j);
    hn::StoreU(fraction, di, scan.fraction + j);
    hn::StoreU(wide, di, scan.wide + j);
    // min and max may hold earlier calls' values: then a chunk is reported once too often, which costs time only.
    const M large = hn::Ge(hn::Max(max, hn::Neg(min)), high);
    beyond = hn::Or(beyond, hn::Or(bits(hn::Lt(least, low)), bits(large)));
  }
  ScanFlags flags;
  flags.not_finite = !hn::AllFalse(di, hn::Lt(not_finite, hn::Zero(di)));
  flags.beyond_window = !hn::AllFalse(di, hn::Lt(beyond, hn::Zero(di)));
  flags |= column_scan_ref(rows, count, j, cols, stride, scan, ScanChecks{kFraction, kWide});
  return flags;
}

template <class T>
HWY_INLINE ScanFlags scan_checked(const T* rows, int64_t count, int64_t cols, int64_t stride, const ColumnScan<T>& scan,
                                  ScanChecks checks) {
  if constexpr (sizeof(T) == 8) {
    if (checks.wide && checks.fraction) return scan_lanes<true, true>(rows, count, cols, stride, scan);
    if (checks.wide) return scan_lanes<false, true>(rows, count, cols, stride, scan);
  }
  if (checks.fraction) return scan_lanes<true, false>(rows, count, cols, stride, scan);
  return scan_lanes<false, false>(rows, count, cols, stride, scan);
}

ScanFlags Scan32(const float* rows, int64_t count, int64_t cols, int64_t stride, const ColumnScan<float>& scan, ScanChecks checks) {
  return scan_checked(rows, count, cols, stride, scan, checks);
}
ScanFlags Scan64(const double* rows, int64_t count, int64_t cols, int64_t stride, const ColumnScan<double>& scan, ScanChecks checks) {
  return scan_checked(rows, count, cols, stride, scan, checks);
}

}  // namespace HWY_NAMESPACE
}  // namespace sluice::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::kernels {

HWY_EXPORT(Scan32);
HWY_EXPORT(Scan64);

ScanFlags column_scan(const float* rows, int64_t count, int64_t cols, int64_t stride, const ColumnScan<float>& scan,
                      ScanChecks checks) noexcept {
  if (current_target() == Target::kScalar) return column_scan_ref(rows, count, 0, cols, stride, scan, checks);
  return HWY_DYNAMIC_DISPATCH(Scan32)(rows, count, cols, stride, scan, checks);
}

ScanFlags column_scan(const double* rows, int64_t count, int64_t cols, int64_t stride, const ColumnScan<double>& scan,
                      ScanChecks checks) noexcept {
  if (current_target() == Target::kScalar) return column_scan_ref(rows, count, 0, cols, stride, scan, checks);
  return HWY_DYNAMIC_DISPATCH(Scan64)(rows, count, cols, stride, scan, checks);
}

void count_exponents(const double* rows, int64_t count, int64_t cols, uint16_t* counts) noexcept {
  for (int64_t i = 0; i < count; ++i) {
    uint16_t* to = counts;
    for (int64_t j = 0; j < cols; ++j, ++rows, to += kExponentStride) ++to[(std::bit_cast<uint64_t>(*rows) >> 52) & 255];
  }
}

}  // namespace sluice::kernels
#endif
