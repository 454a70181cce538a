// assign with centres in lanes, for many centres: 48 rows at a time against panels of 32 centres.
// A panel stays in L1 while the block's rows pass; every lane keeps its two best scores, the panel's number in their low mantissa bits
// (compare-into-mask is slow on current CPUs; and-or, max, min, min run beside the FMAs).
#if defined(SLUICE_KERNELS_ASSIGN_PANELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICE_KERNELS_ASSIGN_PANELS_INL_H_
#undef SLUICE_KERNELS_ASSIGN_PANELS_INL_H_
#else
#define SLUICE_KERNELS_ASSIGN_PANELS_INL_H_
#endif

#include <bit>
#include <cstdint>
#include <cstring>

#include "sluice/kernels/assign_job.h"
#include "sluice/kernels/filter_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::kernels {
namespace HWY_NAMESPACE {

constexpr int64_t kBlockRows = 48;
constexpr int64_t kTileRows = HWY_TARGET == HWY_AVX2 ? 6 : 12;  // 6x2 accumulators fit 16 registers, 12x2 fit 32
constexpr int64_t kTileStride = (kTileRows + 3) / 4 * 4;        // rows are transposed four at a time
constexpr int64_t kTiles = kBlockRows / kTileRows;
constexpr int64_t kStrip = 2 * kLanes;  // centres a tile scores at once: a panel or a part of one
constexpr int64_t kStrips = kPanel / kStrip;

// kTileRows rows against one strip. NOINLINE: inlined into its loop, GCC 12 spills every accumulator.
template <bool kL1>
HWY_NOINLINE void score_tile(const float* HWY_RESTRICT rows, const float* HWY_RESTRICT weights, const float* HWY_RESTRICT start, int64_t d,
                             float* HWY_RESTRICT best, int32_t id, int32_t mask) {
  const F32 df;
  const hn::RebindToSigned<F32> di;
  V32 score[kTileRows][2];
  const auto k0 = hn::Load(df, start);
  const auto k1 = hn::Load(df, start + kLanes);
#pragma GCC unroll 16
  for (int64_t r = 0; r < kTileRows; ++r) {
    score[r][0] = k0;
    score[r][1] = k1;
  }
  for (int64_t t = 0; t < d; ++t, rows += kTileStride, weights += kPanel) {
    const auto w0 = hn::Load(df, weights);
    const auto w1 = hn::Load(df, weights + kLanes);
#pragma GCC unroll 16
    for (int64_t r = 0; r < kTileRows; ++r) {
      const auto x = hn::Set(df, rows[r]);
      score[r][0] = add_term<kL1>(x, w0, score[r][0]);
      score[r][1] = add_term<kL1>(x, w1, score[r][1]);
    }
  }
  const auto ids = hn::BitCast(df, hn::Set(di, id));
  const auto keep = hn::BitCast(df, hn::Set(di, ~mask));
#pragma GCC unroll 16
  for (int64_t r = 0; r < kTileRows; ++r) {
#pragma GCC unroll 2
    for (int64_t v = 0; v < 2; ++v) {
      float* first = best + r * 2 * kStrip + v * kLanes;  // a row's kStrip best, then its kStrip second best
      const auto s = hn::OrAnd(ids, score[r][v], keep);
      const auto b = hn::Load(df, first);
      hn::Store(hn::Min(b, s), df, first);
      hn::Store(hn::Min(hn::Load(df, first + kStrip), hn::Max(b, s)), df, first + kStrip);
    }
  }
}

// Which of a row's kStrip values are not above `limit`, as bits.
HWY_INLINE uint64_t not_above(const float* values, float limit) {
  const F32 df;
  const auto l = hn::Set(df, limit);
  uint8_t bytes[2][8] = {};
  hn::StoreMaskBits(df, hn::Le(hn::Load(df, values), l), bytes[0]);
  hn::StoreMaskBits(df, hn::Le(hn::Load(df, values + kLanes), l), bytes[1]);
  uint64_t low, high;
  std::memcpy(&low, bytes[0], 8);
  std::memcpy(&high, bytes[1], 8);
  return low | high << kLanes;
}

// The candidates of row i, compared in float64: single centres, and all centres of lanes whose second best is inside the bound.
template <class T>
Nearest settle(const AssignJob& job, const T* row, const float* best, uint64_t lanes, uint64_t crowded, int32_t mask) {
  Nearest nearest;
  auto offer = [&](int64_t c) HWY_ATTR {
    if (c < job.k) nearest.offer(c, distance64(job.metric, row, job.centers + c * job.d, job.d));
  };
  for (; lanes != 0; lanes &= lanes - 1) {
    const int lane = std::countr_zero(lanes);
    if (crowded >> lane & 1) {
      for (int64_t c = lane; c < job.k; c += kStrip) offer(c);
    } else {
      offer((std::bit_cast<int32_t>(best[lane]) & mask) * kStrip + lane);
    }
  }
  return nearest;
}

HWY_INLINE void finish_block(const AssignJob& job, int64_t first, int64_t count, const float* best, const float* norms, int32_t mask,
                             const FilterBound& bound) {
  const F32 df;
  alignas(64) float least[kBlockRows];
  alignas(64) float limit[kBlockRows];
  for (int64_t i = 0; i < count; ++i) {
    const float* b = best + i * 2 * kStrip;
    least[i] = hn::GetLane(hn::MinOfLanes(df, hn::Min(hn::Load(df, b), hn::Load(df, b + kLanes))));
  }
  for (int64_t i = 0; i < kBlockRows; ++i) limit[i] = threshold(bound, least[i], norms[i], job.metric);
  for (int64_t i = 0; i < count; ++i) {
    const float* b = best + i * 2 * kStrip;
    const bool bounded = norms[i] < job.filter->norm_limit && limit[i] < kFilterLimit;
    const uint64_t lanes = bounded ? not_above(b, limit[i]) : ~uint64_t{0} >> (64 - kStrip);
    const uint64_t crowded = bounded ? not_above(b + kStrip, limit[i]) : lanes;
    if (crowded == 0 && std::has_single_bit(lanes)) {
      const int lane = std::countr_zero(lanes);
      job.decide(first + i, (std::bit_cast<int32_t>(b[lane]) & mask) * static_cast<int32_t>(kStrip) + lane);
      continue;
    }
    const RowsView& rows = *job.rows;
    job.decide(first + i, rows.is_f64 ? settle(job, rows.f64(first + i), b, lanes, crowded, mask)
                                      : settle(job, rows.f32(first + i), b, lanes, crowded, mask));
  }
}

template <bool kL1>
HWY_INLINE void pack_tiles(const FilterCentres& f, const RowsView& rows, int64_t first, int64_t count, float* row_buffer, float* packed,
                           int64_t tile_size, float* norms) {
  for (int64_t tile = 0; tile * kTileRows < count; ++tile) {
    for (int64_t r = 0; r < kTileRows; r += 4) {
      const int64_t at = tile * kTileRows + r;
      const int64_t wanted = kTileRows - r < 4 ? kTileRows - r : 4;
      const int64_t left = count - at < 0 ? 0 : count - at;
      pack4<kL1>(f, rows, first + at, left < wanted ? left : wanted, row_buffer, packed + tile * tile_size + r, kTileStride, norms + at);
    }
  }
}

template <bool kL1>
HWY_INLINE void assign_panels(const AssignJob& job) {
  const F32 df;
  const FilterCentres& f = *job.filter;
  const int64_t panels = f.slots / kPanel;
  const int bits = std::bit_width(static_cast<uint64_t>(panels * kStrips - 1));
  const int32_t mask = (int32_t{1} << bits) - 1;
  FilterBound bound = f.bound;
  bound.relative += index_error(bits);
  const int64_t tile_size = (f.d + 3) / 4 * 4 * kTileStride;
  float* packed = job.scratch->packed.reserve(kTiles * tile_size);
  float* row_buffer = job.scratch->row.reserve(4 * padded_cols(f.d));
  float* best = job.scratch->best.reserve(kBlockRows * 2 * kStrip);
  alignas(64) float norms[kBlockRows + 4] = {};
  const int64_t total = job.rows->rows;
  for (int64_t first = 0; first < total; first += kBlockRows) {
    const int64_t count = total - first < kBlockRows ? total - first : kBlockRows;
    const int64_t tiles = (count + kTileRows - 1) / kTileRows;
    pack_tiles<kL1>(f, *job.rows, first, count, row_buffer, packed, tile_size, norms);
    const auto far = hn::Set(df, 3e38f);
    for (int64_t i = 0; i < tiles * kTileRows * 2 * kStrip; i += kLanes) hn::Store(far, df, best + i);
    for (int64_t p = 0; p < panels; ++p) {
      job.prefetch(first + kBlockRows, p, panels);
      for (int64_t strip = 0; strip < kStrips; ++strip) {
        const float* weights = f.weights.data() + p * f.d * kPanel + strip * kStrip;
        const float* start = f.start.data() + p * kPanel + strip * kStrip;
        for (int64_t tile = 0; tile < tiles; ++tile) {
          score_tile<kL1>(packed + tile * tile_size, weights, start, f.d, best + tile * kTileRows * 2 * kStrip,
                          static_cast<int32_t>(p * kStrips + strip), mask);
        }
      }
    }
    finish_block(job, first, count, best, norms, mask, bound);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sluice::kernels
HWY_AFTER_NAMESPACE();

#endif  // SLUICE_KERNELS_ASSIGN_PANELS_INL_H_
