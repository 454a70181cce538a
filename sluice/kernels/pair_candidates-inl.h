// Lists of candidates of PairPlan::nearest for one Highway target: (score, row) pairs appended, bounded and thinned by vectors.
#if defined(SLUICE_KERNELS_PAIR_CANDIDATES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICE_KERNELS_PAIR_CANDIDATES_INL_H_
#undef SLUICE_KERNELS_PAIR_CANDIDATES_INL_H_
#else
#define SLUICE_KERNELS_PAIR_CANDIDATES_INL_H_
#endif

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

#include "hwy/highway.h"
#include "sluice/kernels/pair_tiles-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::kernels {
namespace HWY_NAMESPACE {

using PairRows = hn::RebindToSigned<PairFloats>;

// Compress is one instruction on AVX-512. Elsewhere Highway 1.0.3 copies its table to the stack at each call, so plain loops win.
constexpr bool kPairCompress = kPairLanes == 16;

// The scores whose bits are set, and their rows first_row + v, one behind the other; kPairWidth values may be written at both places.
HWY_INLINE void append_candidates(uint32_t bits, const float* scores, int32_t first_row, float* score_to, int32_t* row_to) {
  if constexpr (kPairCompress) {
    const PairFloats f;
    const PairRows di;
    for (int64_t part = 0; part < 2; ++part, bits >>= 16) {
      const uint8_t bytes[8] = {static_cast<uint8_t>(bits), static_cast<uint8_t>(bits >> 8)};
      const auto mask = hn::LoadMaskBits(f, bytes);
      const int32_t row = first_row + static_cast<int32_t>(part * kPairLanes);
      hn::StoreU(hn::Compress(hn::Load(f, scores + part * kPairLanes), mask), f, score_to);
      hn::StoreU(hn::Compress(hn::Iota(di, row), hn::RebindMask(di, mask)), di, row_to);
      score_to += std::popcount(bits & 0xffff);
      row_to += std::popcount(bits & 0xffff);
    }
  } else {
    for (; bits != 0; bits &= bits - 1) {
      const int v = std::countr_zero(bits);
      *score_to++ = scores[v];
      *row_to++ = first_row + v;
    }
  }
}

// bounds[t] = float32(scores[t] + margin[rows[t]]), +infinity behind the last up to a full vector.
HWY_INLINE void bound_candidates(const float* scores, const int32_t* rows, int64_t n, const float* margin, float* bounds) {
  const PairFloats f;
  const PairRows di;
  const auto none = hn::Set(f, std::numeric_limits<float>::infinity());
  for (int64_t t = 0; t < n; t += kPairLanes) {
    const auto used = hn::FirstN(di, static_cast<size_t>(n - t));
    const auto row = hn::IfThenElseZero(used, hn::LoadU(di, rows + t));
    const auto bound = hn::Add(hn::LoadU(f, scores + t), hn::GatherIndex(f, margin, row));
    hn::Store(hn::IfThenElse(hn::RebindMask(f, used), bound, none), f, bounds + t);
  }
}

HWY_INLINE int64_t count_at_most(const float* bounds, int64_t n, float limit) {
  const PairFloats f;
  const auto l = hn::Set(f, limit);
  int64_t count = 0;
  for (int64_t t = 0; t < n; t += kPairLanes) count += static_cast<int64_t>(hn::CountTrue(f, hn::Le(hn::Load(f, bounds + t), l)));
  return count;
}

// A value that at least k of the n > k finite bounds do not exceed, and few more than k if they are spread: bisection, because sorting
// so few numbers costs ten times as much in mispredicted branches.
HWY_INLINE float count_bisection(const float* bounds, int64_t n, int64_t k) {
  float low = *std::min_element(bounds, bounds + n);
  float high = *std::max_element(bounds, bounds + n);
  for (int round = 0; round < 16 && low < high; ++round) {
    const float middle = 0.5F * low + 0.5F * high;
    const int64_t count = count_at_most(bounds, n, middle);
    (count >= k ? high : low) = middle;
    if (count >= k && count <= k + k / 8) break;
  }
  return high;
}

// Keeps the candidates with a score of at most `limit`, in order; returns their number.
HWY_INLINE int64_t keep_candidates(float* scores, int32_t* rows, int64_t n, float limit) {
  int64_t kept = 0;
  if constexpr (kPairCompress) {
    const PairFloats f;
    const PairRows di;
    for (int64_t t = 0; t < n; t += kPairLanes) {
      const auto score = hn::LoadU(f, scores + t);
      const auto row = hn::LoadU(di, rows + t);
      const auto keep = hn::And(hn::Le(score, hn::Set(f, limit)), hn::FirstN(f, static_cast<size_t>(n - t)));
      hn::StoreU(hn::Compress(score, keep), f, scores + kept);
      hn::StoreU(hn::Compress(row, hn::RebindMask(di, keep)), di, rows + kept);
      kept += static_cast<int64_t>(hn::CountTrue(f, keep));
    }
  } else {
    for (int64_t t = 0; t < n; ++t) {  // without a branch: half of them would be mispredicted
      const float score = scores[t];
      scores[kept] = score;
      rows[kept] = rows[t];
      kept += score <= limit;
    }
  }
  return kept;
}

}  // namespace HWY_NAMESPACE
}  // namespace sluice::kernels
HWY_AFTER_NAMESPACE();
#endif
