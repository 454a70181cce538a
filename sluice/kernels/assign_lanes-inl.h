// assign with rows in lanes, for few centres: 2 vectors of rows at a time against groups of 10 centres, all broadcast.
// The centre's number stands in the low mantissa bits of its score, so each lane's two best need no index beside them.
#if defined(SLUICE_KERNELS_ASSIGN_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICE_KERNELS_ASSIGN_LANES_INL_H_
#undef SLUICE_KERNELS_ASSIGN_LANES_INL_H_
#else
#define SLUICE_KERNELS_ASSIGN_LANES_INL_H_
#endif

#include <bit>
#include <cstdint>

#include "sluice/kernels/assign_job.h"
#include "sluice/kernels/filter_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::kernels {
namespace HWY_NAMESPACE {

constexpr int64_t kPart = HWY_TARGET == HWY_AVX2 ? 5 : 10;  // centres scored at once: 5x2 or 10x2 accumulators

// Per lane the best and second best score of all groups. kCols: d where the compiler may know it, else 0. NOINLINE: see score_tile.
template <bool kL1, int64_t kCols>
HWY_NOINLINE void best_two(const float* HWY_RESTRICT rows, const float* HWY_RESTRICT weights, const float* HWY_RESTRICT start,
                           int64_t groups, int64_t d, int32_t mask, float* HWY_RESTRICT best) {
  const F32 df;
  const hn::RebindToSigned<F32> di;
  const int64_t cols = kCols != 0 ? kCols : d;
  const auto keep = hn::BitCast(df, hn::Set(di, ~mask));
  V32 b0 = hn::Set(df, 3e38f), b1 = b0, c0 = b0, c1 = b0;
  for (int64_t g = 0; g < groups; ++g, start += kGroup, weights += cols * kGroup) {
    for (int64_t part = 0; part < kGroup; part += kPart) {
      V32 score[kPart][2];
#pragma GCC unroll 16
      for (int64_t c = 0; c < kPart; ++c) score[c][0] = score[c][1] = hn::Set(df, start[part + c]);
#pragma GCC unroll 2
      for (int64_t t = 0; t < cols; ++t) {
        const auto x0 = hn::Load(df, rows + t * kTransposed);
        const auto x1 = hn::Load(df, rows + t * kTransposed + kLanes);
#pragma GCC unroll 16
        for (int64_t c = 0; c < kPart; ++c) {
          const auto w = hn::Set(df, weights[t * kGroup + part + c]);
          score[c][0] = add_term<kL1>(x0, w, score[c][0]);
          score[c][1] = add_term<kL1>(x1, w, score[c][1]);
        }
      }
      const int32_t id = static_cast<int32_t>(g * kGroup + part);
#pragma GCC unroll 16
      for (int64_t c = 0; c < kPart; ++c) {
        const auto ids = hn::BitCast(df, hn::Set(di, id + static_cast<int32_t>(c)));
        const auto s0 = hn::OrAnd(ids, score[c][0], keep);
        const auto s1 = hn::OrAnd(ids, score[c][1], keep);
        c0 = hn::Min(c0, hn::Max(b0, s0));
        c1 = hn::Min(c1, hn::Max(b1, s1));
        b0 = hn::Min(b0, s0);
        b1 = hn::Min(b1, s1);
      }
    }
  }
  hn::Store(b0, df, best);
  hn::Store(b1, df, best + kLanes);
  hn::Store(c0, df, best + kTransposed);
  hn::Store(c1, df, best + kTransposed + kLanes);
}

// Labels of a block from its best scores; lanes whose second best is inside the bound, or that have no bound, as bits.
template <bool kL1>
HWY_INLINE uint64_t label_lanes(const FilterBound& bound, float norm_limit, const float* best, const float* norms, int32_t mask,
                                int32_t* labels) {
  const F32 df;
  const hn::RebindToSigned<F32> di;
  const auto top_limit = hn::Set(df, kFilterLimit);
  const auto row_limit = hn::Set(df, norm_limit);
  uint64_t open = 0;
  for (int64_t v = 0; v < kTransposed; v += kLanes) {
    const auto least = hn::Load(df, best + v);
    const auto norm = hn::Load(df, norms + v);
    auto room = hn::MulAdd(hn::Abs(least), hn::Set(df, bound.relative), hn::Set(df, bound.offset));
    room = hn::MulAdd(kL1 ? norm : hn::Sqrt(norm), hn::Set(df, bound.slope), room);
    if (!kL1) room = hn::MulAdd(norm, hn::Set(df, bound.square), room);
    const auto top = hn::Add(least, room);
    const auto second = hn::Load(df, best + kTransposed + v);
    const auto closed = hn::And(hn::And(hn::Gt(second, top), hn::Lt(norm, row_limit)), hn::Lt(top, top_limit));
    hn::StoreU(hn::And(hn::BitCast(di, least), hn::Set(di, mask)), di, labels + v);
    uint8_t bytes[8] = {};
    hn::StoreMaskBits(df, closed, bytes);
    uint64_t bits;
    std::memcpy(&bits, bytes, 8);
    open |= (~bits & (~uint64_t{0} >> (64 - kLanes))) << v;
  }
  return open;
}

template <bool kL1>
HWY_INLINE void assign_lanes(const AssignJob& job) {
  const FilterCentres& f = *job.filter;
  const int64_t groups = f.slots / kGroup;
  const int bits = std::bit_width(static_cast<uint64_t>(f.slots - 1));
  const int32_t mask = (int32_t{1} << bits) - 1;
  FilterBound bound = f.bound;
  bound.relative += index_error(bits);
  float* packed = job.scratch->packed.reserve((f.d + 3) / 4 * 4 * kTransposed);
  float* row_buffer = job.scratch->row.reserve(4 * padded_cols(f.d));
  alignas(64) float best[2 * kTransposed];
  alignas(64) float norms[kTransposed];
  alignas(64) int32_t tail[kTransposed];
  const int64_t total = job.rows->rows;
  for (int64_t first = 0; first < total; first += kTransposed) {
    const int64_t count = total - first < kTransposed ? total - first : kTransposed;
    pack_lanes<kL1>(f, *job.rows, first, count, row_buffer, packed, norms);
    if (f.d == 2) {
      best_two<kL1, 2>(packed, f.weights.data(), f.start.data(), groups, 2, mask, best);
    } else {
      best_two<kL1, 0>(packed, f.weights.data(), f.start.data(), groups, f.d, mask, best);
    }
    const bool whole = count == kTransposed;
    uint64_t open = label_lanes<kL1>(bound, f.norm_limit, best, norms, mask, whole ? job.labels + first : tail);
    if (!whole) {
      open &= (uint64_t{1} << count) - 1;
      for (int64_t i = 0; i < count; ++i) job.labels[first + i] = tail[i];
    }
    if (job.distances != nullptr) {
      for (int64_t i = 0; i < count; ++i) {
        if ((open >> i & 1) == 0) job.decide(first + i, job.labels[first + i]);
      }
    }
    for (; open != 0; open &= open - 1) {
      const int64_t row = first + std::countr_zero(open);
      job.decide(row, job.scan(row));
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sluice::kernels
HWY_AFTER_NAMESPACE();

#endif  // SLUICE_KERNELS_ASSIGN_LANES_INL_H_
