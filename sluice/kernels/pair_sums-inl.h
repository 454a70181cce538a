// distance_sums of pairs.h for one Highway target. Lanes are rows of a, so each distance keeps the eight logical lanes and the tree of
// dist64.h, and each sum its order over the rows of b.
#if defined(SLUICE_KERNELS_PAIR_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICE_KERNELS_PAIR_SUMS_INL_H_
#undef SLUICE_KERNELS_PAIR_SUMS_INL_H_
#else
#define SLUICE_KERNELS_PAIR_SUMS_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "hwy/highway.h"
#include "sluice/kernels/pairs_ref.h"
#include "sluice/kernels/tile64-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::kernels {
namespace HWY_NAMESPACE {

constexpr int64_t kSumOthers = HWY_MAX_BYTES == 32 ? 1 : 3;  // rows of b at once: 8 accumulators each
constexpr int64_t kSumChunk = 48;                            // rows of b widened at a time

template <Metric kMetric, class V>
HWY_INLINE V distance_step(V sum, V a, V b) {
  if constexpr (kMetric == Metric::kCosine) return hn::MulAdd(a, b, sum);
  const V t = hn::Sub(a, b);
  if constexpr (kMetric == Metric::kManhattan) return hn::Add(sum, hn::Abs(t));
  return hn::MulAdd(t, t, sum);
}

// Distances of kLanes64 rows of a, at a[column][lane], to kSumOthers rows of b, `padded` columns (a multiple of 8) apart.
template <Metric kMetric>
HWY_NOINLINE void distance_lanes(const double* HWY_RESTRICT a, const double* HWY_RESTRICT b, int64_t padded, double* HWY_RESTRICT out) {
  const Doubles d;
  hn::Vec<Doubles> sum[kSumOthers][8];
#pragma GCC unroll 3
  for (int r = 0; r < kSumOthers; ++r) {
#pragma GCC unroll 8
    for (int l = 0; l < 8; ++l) sum[r][l] = hn::Zero(d);
  }
  for (int64_t t = 0; t < padded; t += 8) {
#pragma GCC unroll 8
    for (int l = 0; l < 8; ++l) {
      auto x = hn::Load(d, a + (t + l) * kLanes64);
#if HWY_ARCH_X86
      asm("" : "+v"(x.raw));  // keeps it in a register: GCC 12 would load it again for each row, and loads are the limit
#endif
#pragma GCC unroll 3
      for (int r = 0; r < kSumOthers; ++r) sum[r][l] = distance_step<kMetric>(sum[r][l], x, hn::Set(d, b[r * padded + t + l]));
    }
  }
#pragma GCC unroll 3
  for (int r = 0; r < kSumOthers; ++r) {
    const auto even = hn::Add(hn::Add(sum[r][0], sum[r][4]), hn::Add(sum[r][2], sum[r][6]));
    const auto odd = hn::Add(hn::Add(sum[r][1], sum[r][5]), hn::Add(sum[r][3], sum[r][7]));
    auto value = hn::Add(even, odd);
    if constexpr (kMetric == Metric::kSquaredEuclidean) value = hn::Sqrt(value);
    if constexpr (kMetric == Metric::kCosine) value = hn::Sub(hn::Set(d, 1.0), value);
    hn::Store(value, d, out + r * kLanes64);
  }
}

template <Metric kMetric>
void sum_distances(const RowsView& a, const RowsView& b, const int32_t* labels, int64_t k, double* sums, PairScratch& scratch) {
  const int64_t d = a.cols;
  const int64_t padded = (d + 7) / 8 * 8;
  const int64_t groups = (a.rows + kLanes64 - 1) / kLanes64;
  double* lanes = scratch.wide.reserve(groups * kLanes64 * padded);
  double* chunk = scratch.numbers.reserve((kSumChunk + kSumOthers) * padded);
  std::fill_n(lanes, groups * kLanes64 * padded, 0.0);
  std::fill_n(chunk, (kSumChunk + kSumOthers) * padded, 0.0);
  for (int64_t i = 0; i < a.rows; ++i) {
    double* at = lanes + i / kLanes64 * (padded * kLanes64) + i % kLanes64;
    for (int64_t j = 0; j < d; ++j) at[j * kLanes64] = a.is_f64 ? a.f64(i)[j] : double{a.f32(i)[j]};
  }
  HWY_ALIGN double out[kSumOthers * kLanes64];
  for (int64_t first = 0; first < b.rows; first += kSumChunk) {
    const int64_t n = std::min(kSumChunk, b.rows - first);
    for (int64_t r = 0; r < n; ++r) widen_row(b, first + r, chunk + r * padded);
    for (int64_t g = 0; g < groups; ++g) {
      const int64_t used = std::min(kLanes64, a.rows - g * kLanes64);
      double* to = sums + g * kLanes64 * k;
      for (int64_t r = 0; r < n; r += kSumOthers) {
        distance_lanes<kMetric>(lanes + g * kLanes64 * padded, chunk + r * padded, padded, out);
        for (int64_t s = 0; s < std::min(kSumOthers, n - r); ++s) {
          const int32_t label = labels[first + r + s];
          if (label < 0) continue;
          for (int64_t i = 0; i < used; ++i) to[i * k + label] += out[s * kLanes64 + i];
        }
      }
    }
  }
}

void SumPairs(Metric metric, const RowsView& a, const RowsView& b, const int32_t* labels, int64_t k, double* sums, PairScratch& scratch) {
  switch (metric) {
    case Metric::kSquaredEuclidean:
      return sum_distances<Metric::kSquaredEuclidean>(a, b, labels, k, sums, scratch);
    case Metric::kManhattan:
      return sum_distances<Metric::kManhattan>(a, b, labels, k, sums, scratch);
    default:
      return sum_distances<Metric::kCosine>(a, b, labels, k, sums, scratch);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sluice::kernels
HWY_AFTER_NAMESPACE();
#endif
