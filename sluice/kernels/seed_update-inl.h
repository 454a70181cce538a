// seed_distances with rows in lanes: scores of all candidates against each row's limit; what falls below is evaluated in float64.
#if defined(SLUICE_KERNELS_SEED_UPDATE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICE_KERNELS_SEED_UPDATE_INL_H_
#undef SLUICE_KERNELS_SEED_UPDATE_INL_H_
#else
#define SLUICE_KERNELS_SEED_UPDATE_INL_H_
#endif

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "sluice/kernels/filter_rows-inl.h"
#include "sluice/kernels/seed_job.h"
#include "sluice/kernels/seed_update_ref.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::kernels {
namespace HWY_NAMESPACE {

constexpr int64_t kSeedPart = HWY_TARGET == HWY_AVX2 ? 5 : 10;

// below[c]: the rows (bits) whose score for candidate c of this group is below their limit. NOINLINE: inlined, GCC 12 spills.
template <bool kL1>
HWY_NOINLINE void rows_below(const float* HWY_RESTRICT rows, const float* HWY_RESTRICT weights, const float* HWY_RESTRICT start, int64_t d,
                             const float* HWY_RESTRICT limits, uint64_t* HWY_RESTRICT below) {
  const F32 df;
  const auto l0 = hn::Load(df, limits);
  const auto l1 = hn::Load(df, limits + kLanes);
  for (int64_t part = 0; part < kGroup; part += kSeedPart) {
    V32 score[kSeedPart][2];
#pragma GCC unroll 16
    for (int64_t c = 0; c < kSeedPart; ++c) score[c][0] = score[c][1] = hn::Set(df, start[part + c]);
    for (int64_t t = 0; t < d; ++t) {
      const auto x0 = hn::Load(df, rows + t * kTransposed);
      const auto x1 = hn::Load(df, rows + t * kTransposed + kLanes);
#pragma GCC unroll 16
      for (int64_t c = 0; c < kSeedPart; ++c) {
        const auto w = hn::Set(df, weights[t * kGroup + part + c]);
        score[c][0] = add_term<kL1>(x0, w, score[c][0]);
        score[c][1] = add_term<kL1>(x1, w, score[c][1]);
      }
    }
#pragma GCC unroll 16
    for (int64_t c = 0; c < kSeedPart; ++c) {
      uint8_t bytes[2][8] = {};
      hn::StoreMaskBits(df, hn::Lt(score[c][0], l0), bytes[0]);
      hn::StoreMaskBits(df, hn::Lt(score[c][1], l1), bytes[1]);
      uint64_t low, high;
      std::memcpy(&low, bytes[0], 8);
      std::memcpy(&high, bytes[1], 8);
      below[part + c] = low | high << kLanes;
    }
  }
}

HWY_INLINE void settle_seeds(const SeedJob& job, int64_t first, int64_t count, const uint64_t* below) {
  const int64_t n = job.n_candidates;
  double* out = job.out + first * n;
  const uint64_t real = count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t c = 0; c < n; ++c) out[i * n + c] = job.current[first + i];
  }
  for (int64_t c = 0; c < n; ++c) {
    for (uint64_t rows = below[c] & real; rows != 0; rows &= rows - 1) {
      const int64_t i = std::countr_zero(rows);
      double& to = out[i * n + c];
      to = std::min(to, row_distance64(job.filter->metric, *job.rows, first + i, job.candidates + c * job.filter->d));
      ++job.scratch->evaluated;
    }
  }
}

template <bool kL1>
HWY_INLINE void seed_rows(const SeedJob& job) {
  const FilterCentres& f = *job.filter;
  float* packed = job.scratch->packed.reserve((f.d + 3) / 4 * 4 * kTransposed);
  float* row_buffer = job.scratch->row.reserve(4 * padded_cols(f.d));
  alignas(64) float norms[kTransposed];
  alignas(64) float limits[kTransposed] = {};
  const SeedLimit limit(f);
  uint64_t below[(kMostCandidates + kGroup - 1) / kGroup * kGroup];
  const int64_t total = job.rows->rows;
  for (int64_t first = 0; first < total; first += kTransposed) {
    const int64_t count = total - first < kTransposed ? total - first : kTransposed;
    pack_lanes<kL1>(f, *job.rows, first, count, row_buffer, packed, norms);
    const double* current = job.current + first;
    for (int64_t i = 0; i < count; ++i) limits[i] = limit.at(current[i], norms[i], kL1);
    for (int64_t g = 0; g * kGroup < f.slots; ++g) {
      rows_below<kL1>(packed, f.weights.data() + g * kGroup * f.d, f.start.data() + g * kGroup, f.d, limits, below + g * kGroup);
    }
    settle_seeds(job, first, count, below);
  }
}

void SeedDistances(const SeedJob& job) {
  job.filter->metric == Metric::kManhattan ? seed_rows<true>(job) : seed_rows<false>(job);
}

}  // namespace HWY_NAMESPACE
}  // namespace sluice::kernels
HWY_AFTER_NAMESPACE();

#endif  // SLUICE_KERNELS_SEED_UPDATE_INL_H_
