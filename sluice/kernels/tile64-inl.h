// The register tile of the double products (syrk, project): kRows broadcast values times kVectors vectors, one fma chain an entry.
// Included once a Highway target.
#if defined(SLUICE_KERNELS_TILE64_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICE_KERNELS_TILE64_INL_H_
#undef SLUICE_KERNELS_TILE64_INL_H_
#else
#define SLUICE_KERNELS_TILE64_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::ScalableTag<double>;
constexpr int64_t kLanes64 = HWY_MAX_BYTES / 8;
constexpr int64_t kPanel64 = 3 * kLanes64;  // columns of a packed panel
// Accumulators: 8 x 3 of 32 registers, 4 x 3 of 16, 6 x 3 of 32 short ones. Divides kPanel64; a multiple of kLanes64.
constexpr int64_t kTileRows64 = HWY_MAX_BYTES == 16 ? kPanel64 : kLanes64;

HWY_INLINE hn::Vec<Doubles> load_doubles(const double* p) {
  return hn::LoadU(Doubles(), p);
}
HWY_INLINE hn::Vec<Doubles> load_doubles(const float* p) {
  return hn::PromoteTo(Doubles(), hn::LoadU(hn::Rebind<float, Doubles>(), p));
}

// c[m][v] = chain over t < n of fma(a[m * kRowStep + t * kStep], b[t * kPanel64 + v], c[m][v]); b aligned, c not.
// Not inlined on purpose: inlined, GCC 12 spills every accumulator.
template <int kVectors, int64_t kRowStep, int64_t kStep>
HWY_NOINLINE void tile64(const double* HWY_RESTRICT a, const double* HWY_RESTRICT b, int64_t n, double* HWY_RESTRICT c, int64_t c_stride) {
  const Doubles d;
  hn::Vec<Doubles> sum[kTileRows64][kVectors];
#pragma GCC unroll 8
  for (int m = 0; m < kTileRows64; ++m) {
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) sum[m][v] = hn::LoadU(d, c + m * c_stride + v * kLanes64);
  }
  for (int64_t t = 0; t < n; ++t, a += kStep, b += kPanel64) {
    hn::Vec<Doubles> right[kVectors];
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) right[v] = hn::Load(d, b + v * kLanes64);
#pragma GCC unroll 8
    for (int m = 0; m < kTileRows64; ++m) {
      const auto left = hn::Set(d, a[m * kRowStep]);
#pragma GCC unroll 3
      for (int v = 0; v < kVectors; ++v) sum[m][v] = hn::MulAdd(left, right[v], sum[m][v]);
    }
  }
#pragma GCC unroll 8
  for (int m = 0; m < kTileRows64; ++m) {
#pragma GCC unroll 3
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[m][v], d, c + m * c_stride + v * kLanes64);
  }
}

template <int64_t kRowStep, int64_t kStep>
HWY_INLINE void tile64(int64_t vectors, const double* a, const double* b, int64_t n, double* c, int64_t c_stride) {
  if (vectors == 3) return tile64<3, kRowStep, kStep>(a, b, n, c, c_stride);
  if (vectors == 2) return tile64<2, kRowStep, kStep>(a, b, n, c, c_stride);
  tile64<1, kRowStep, kStep>(a, b, n, c, c_stride);
}

}  // namespace HWY_NAMESPACE
}  // namespace sluice::kernels
HWY_AFTER_NAMESPACE();
#endif
