#include "sluice/neighbors/leaf_distance.h"

#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace sluice {
namespace {

// Four rows at a time, in GCC's and Clang's portable vectors.
using Four = double __attribute__((vector_size(32)));
using FourBits = int64_t __attribute__((vector_size(32)));

Four load(const double* p) {
  Four v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <bool kAbsolute>
Four term(Four t) {
  if constexpr (kAbsolute) {
    const FourBits magnitude = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
    return reinterpret_cast<Four>(reinterpret_cast<FourBits>(t) & magnitude);
  } else {
    return t * t;
  }
}

Four fused(Four t, Four sum) {
#if defined(__FMA__)
  return reinterpret_cast<Four>(
      _mm256_fmadd_pd(reinterpret_cast<__m256d>(t), reinterpret_cast<__m256d>(t), reinterpret_cast<__m256d>(sum)));
#else
  for (int i = 0; i < 4; ++i) sum[i] = std::fma(t[i], t[i], sum[i]);
  return sum;
#endif
}

uint32_t bits_of(FourBits mask) {
#if defined(__AVX2__)
  return static_cast<uint32_t>(_mm256_movemask_pd(reinterpret_cast<__m256d>(mask)));
#else
  uint32_t bits = 0;
  for (int i = 0; i < 4; ++i) bits |= static_cast<uint32_t>(mask[i] & 1) << i;
  return bits;
#endif
}

// dist64's tree ((0+4)+(2+6)) + ((1+5)+(3+7)), without the lanes that d columns leave at zero.
template <int64_t kD>
Four tree_sum(const Four* lane) {
  Four even = lane[0];
  if constexpr (kD > 4) even = even + lane[4];
  if constexpr (kD > 2) {
    Four two = lane[2];
    if constexpr (kD > 6) two = two + lane[6];
    even = even + two;
  }
  if constexpr (kD > 1) {
    Four odd = lane[1];
    if constexpr (kD > 5) odd = odd + lane[5];
    if constexpr (kD > 3) {
      Four three = lane[3];
      if constexpr (kD > 7) three = three + lane[7];
      odd = odd + three;
    }
    even = even + odd;
  }
  return even;
}

// The distances of rows v to v + 3 of a leaf.
template <int64_t kD, bool kAbsolute>
Four four_few(const double* point, int64_t step, const double* leaf, int64_t v) {
  std::array<Four, kD> lane;
  for (int64_t j = 0; j < kD; ++j) lane[j] = term<kAbsolute>(load(leaf + j * kLeafRows + v) - point[j * step]);
  return tree_sum<kD>(lane.data());
}

template <bool kAbsolute>
Four four_many(const double* point, int64_t step, const double* leaf, int64_t d, int64_t v) {
  std::array<Four, 8> lane = {};
  for (int64_t j = 0; j < d; ++j) {
    const Four t = load(leaf + j * kLeafRows + v) - point[j * step];
    Four& sum = lane[j % 8];
    if constexpr (kAbsolute) {
      sum = sum + term<true>(t);
    } else {
      sum = fused(t, sum);
    }
  }
  return tree_sum<8>(lane.data());
}

// kD = 0: any number of columns.
template <int64_t kD, bool kAbsolute>
Four four(const double* point, int64_t step, const double* leaf, int64_t d, int64_t v) {
  if constexpr (kD > 0) {
    return four_few<kD, kAbsolute>(point, step, leaf, v);
  } else {
    return four_many<kAbsolute>(point, step, leaf, d, v);
  }
}

template <int64_t kD, bool kAbsolute>
uint32_t mask_of(const double* point, int64_t step, const double* leaf, int64_t d, double limit) {
  uint32_t bits = 0;
  for (int64_t v = 0; v < kLeafRows; v += 4) bits |= bits_of(four<kD, kAbsolute>(point, step, leaf, d, v) <= limit) << v;
  return bits;
}

template <int64_t kD, bool kAbsolute>
void distances_of(const double* point, int64_t step, const double* leaf, int64_t d, double* out) {
  for (int64_t v = 0; v < kLeafRows; v += 4) {
    const Four value = four<kD, kAbsolute>(point, step, leaf, d, v);
    std::memcpy(out + v, &value, sizeof value);
  }
}

// The loops for 0 (any number) to 8 columns.
template <bool kAbsolute, int64_t... kD>
LeafMask mask_for(int64_t d, std::integer_sequence<int64_t, kD...>) {
  static constexpr std::array<LeafMask, sizeof...(kD)> kAll = {mask_of<kD, kAbsolute>...};
  return kAll[static_cast<size_t>(d)];
}
template <bool kAbsolute, int64_t... kD>
LeafDistances distances_for(int64_t d, std::integer_sequence<int64_t, kD...>) {
  static constexpr std::array<LeafDistances, sizeof...(kD)> kAll = {distances_of<kD, kAbsolute>...};
  return kAll[static_cast<size_t>(d)];
}

}  // namespace

LeafMask leaf_mask_for(kernels::Metric metric, int64_t d) {
  const auto few = std::make_integer_sequence<int64_t, 9>();
  const int64_t at = d > 8 ? 0 : d;
  return metric == kernels::Metric::kManhattan ? mask_for<true>(at, few) : mask_for<false>(at, few);
}

LeafDistances leaf_distances_for(kernels::Metric metric, int64_t d) {
  const auto few = std::make_integer_sequence<int64_t, 9>();
  const int64_t at = d > 8 ? 0 : d;
  return metric == kernels::Metric::kManhattan ? distances_for<true>(at, few) : distances_for<false>(at, few);
}

}  // namespace sluice
