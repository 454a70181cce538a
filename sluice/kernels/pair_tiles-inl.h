// The float32 filter of pairs.h for one Highway target: rows converted and packed, and the register tile that scores them.
#if defined(SLUICE_KERNELS_PAIR_TILES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICE_KERNELS_PAIR_TILES_INL_H_
#undef SLUICE_KERNELS_PAIR_TILES_INL_H_
#else
#define SLUICE_KERNELS_PAIR_TILES_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "hwy/highway.h"
#include "sluice/kernels/pair_bounds.h"
#include "sluice/kernels/pairs.h"
#include "sluice/kernels/tile64-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::kernels {
namespace HWY_NAMESPACE {

using PairFloats = hn::ScalableTag<float>;
constexpr int64_t kPairLanes = HWY_MAX_BYTES / 4;
constexpr int64_t kPairWidth = 2 * kPairLanes;               // rows of b in a panel
constexpr int64_t kPairTile = HWY_MAX_BYTES == 32 ? 6 : 12;  // rows of a in a tile: 12 x 2 accumulators of 32 registers, 6 x 2 of 16
constexpr int64_t kPairBlock = 48;                           // rows of a that use a panel while it is in L1

// scores[m * kPairWidth + v]: the chain over t of start[v] + a[t][m] b[t][v], or of |a[t][m] - b[t][v]|.
// Not inlined on purpose: inlined, GCC 12 spills every accumulator.
template <bool kAbsolute>
HWY_NOINLINE void pair_tile(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, int64_t d, const float* HWY_RESTRICT start,
                            float* HWY_RESTRICT scores) {
  const PairFloats f;
  hn::Vec<PairFloats> sum[kPairTile][2];
  const auto start0 = hn::Load(f, start);
  const auto start1 = hn::Load(f, start + kPairLanes);
#pragma GCC unroll 12
  for (int m = 0; m < kPairTile; ++m) {
    sum[m][0] = start0;
    sum[m][1] = start1;
  }
  for (int64_t t = 0; t < d; ++t, a += kPairTile, b += kPairWidth) {
    const auto b0 = hn::Load(f, b);
    const auto b1 = hn::Load(f, b + kPairLanes);
#pragma GCC unroll 12
    for (int m = 0; m < kPairTile; ++m) {
      const auto left = hn::Set(f, a[m]);
      if constexpr (kAbsolute) {
        sum[m][0] = hn::Add(sum[m][0], hn::Abs(hn::Sub(left, b0)));
        sum[m][1] = hn::Add(sum[m][1], hn::Abs(hn::Sub(left, b1)));
      } else {
        sum[m][0] = hn::MulAdd(left, b0, sum[m][0]);
        sum[m][1] = hn::MulAdd(left, b1, sum[m][1]);
      }
    }
  }
#pragma GCC unroll 12
  for (int m = 0; m < kPairTile; ++m) {
    hn::Store(sum[m][0], f, scores + m * kPairWidth);
    hn::Store(sum[m][1], f, scores + m * kPairWidth + kPairLanes);
  }
}

template <class V>
HWY_INLINE uint32_t mask_bits(V low, V high, V limit) {
  const PairFloats f;
  using Word = std::conditional_t<kPairLanes == 16, uint16_t, uint8_t>;
  Word first = 0, second = 0;
  hn::StoreMaskBits(f, hn::Le(low, limit), reinterpret_cast<uint8_t*>(&first));
  hn::StoreMaskBits(f, hn::Le(high, limit), reinterpret_cast<uint8_t*>(&second));
  return first | (static_cast<uint32_t>(second) << kPairLanes);
}

// Bit v: scores[v] <= limit.
HWY_INLINE uint32_t scores_within(const float* scores, float limit) {
  const PairFloats f;
  return mask_bits(hn::Load(f, scores), hn::Load(f, scores + kPairLanes), hn::Set(f, limit));
}

// Bit v: scores[v] + margin[v] <= limit.
HWY_INLINE uint32_t scores_within(const float* scores, const float* margin, float limit) {
  const PairFloats f;
  return mask_bits(hn::Add(hn::Load(f, scores), hn::Load(f, margin)),
                   hn::Add(hn::Load(f, scores + kPairLanes), hn::Load(f, margin + kPairLanes)), hn::Set(f, limit));
}

// One row to float32, and the sums that PairBounds::row takes.
template <bool kAbsolute, class T>
PairRowBound convert_pair_row(const T* x, const double* shift, double scale, int64_t d, const PairBounds& bounds, float* to) {
  const Doubles dd;
  const hn::Rebind<float, Doubles> half;
  auto sum = hn::Zero(dd), residual = hn::Zero(dd);
  const auto factor = hn::Set(dd, scale);
  int64_t j = 0;
  for (; j + kLanes64 <= d; j += kLanes64) {
    const auto y = hn::Mul(hn::Sub(load_doubles(x + j), hn::LoadU(dd, shift + j)), factor);
    const auto narrow = hn::DemoteTo(half, y);
    hn::StoreU(narrow, half, to + j);
    const auto z = hn::PromoteTo(dd, narrow);
    const auto e = hn::Sub(y, z);
    sum = kAbsolute ? hn::Add(sum, hn::Abs(z)) : hn::MulAdd(z, z, sum);
    residual = kAbsolute ? hn::Add(residual, hn::Abs(e)) : hn::MulAdd(e, e, residual);
  }
  double total = hn::GetLane(hn::SumOfLanes(dd, sum));
  double rest = hn::GetLane(hn::SumOfLanes(dd, residual));
  for (; j < d; ++j) {
    const double y = (static_cast<double>(x[j]) - shift[j]) * scale;
    to[j] = static_cast<float>(y);
    const double z = to[j];
    total += kAbsolute ? std::fabs(z) : z * z;
    rest += kAbsolute ? std::fabs(y - z) : (y - z) * (y - z);
  }
  return bounds.row(total, rest);
}

struct PairPacking {
  const PairPlan& plan;
  const PairBounds& bounds;
  bool negate;  // rows of b of a product metric
};

// Rows [first, first + count) to `to`, group by group of `width` rows: element t of row m of a group at [t][m]. Short groups are filled
// with zeros, and so are rows that the filter cannot represent. `row` holds width * d floats.
template <bool kAbsolute>
void pack_pair_rows(const PairPacking& how, const RowsView& rows, int64_t first, int64_t count, int64_t width, float* row, float* to,
                    PairRowBound* bound) {
  const int64_t d = rows.cols;
  const double scale = std::ldexp(1.0, -how.plan.scale_exponent());
  for (int64_t g = 0; g < count; g += width) {
    for (int64_t m = 0; m < width; ++m) {
      float* at = row + m * d;
      if (g + m < count) {
        const int64_t r = first + g + m;
        PairRowBound& x = bound[g + m];
        x = rows.is_f64 ? convert_pair_row<kAbsolute>(rows.f64(r), how.plan.shift(), scale, d, how.bounds, at)
                        : convert_pair_row<kAbsolute>(rows.f32(r), how.plan.shift(), scale, d, how.bounds, at);
        if (x.usable) continue;
      }
      std::fill_n(at, d, 0.0F);
    }
    float* group = to + g * d;
    for (int64_t t = 0; t < d; ++t) {
      for (int64_t m = 0; m < width; ++m) group[t * width + m] = how.negate ? -row[m * d + t] : row[m * d + t];
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sluice::kernels
HWY_AFTER_NAMESPACE();
#endif
