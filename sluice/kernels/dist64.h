// The only definition of a distance. Ties, `<= eps` and published values are decided on these numbers, so every faster kernel must end
// in them. Arithmetic: 8 double lanes, element i in lane i mod 8, each step one fma; a last group that is short is filled up with
// zeros; then the fixed tree ((0+4)+(2+6)) + ((1+5)+(3+7)). A float row gives the bits of its widened double row.
// Cost O(n), no memory; reads exactly n elements. Relative error of a sum of n terms of one sign: (n/8 + 6) 2^-53.
// Use for what decides; not for filters over many centres (assign.h, pairs).
#pragma once
#include <cmath>
#include <cstdint>

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#define SLUICE_DIST64_AVX2 1
#endif

#include "sluice/kernels/metric.h"

namespace sluice::kernels {

namespace dist64_detail {

struct Square {
  static double step(double sum, double a, double b) {
    const double t = a - b;
    return std::fma(t, t, sum);
  }
#ifdef SLUICE_DIST64_AVX2
  static __m256d step(__m256d sum, __m256d a, __m256d b) {
    const __m256d t = _mm256_sub_pd(a, b);
    return _mm256_fmadd_pd(t, t, sum);
  }
#endif
};

struct Absolute {
  static double step(double sum, double a, double b) { return sum + std::fabs(a - b); }
#ifdef SLUICE_DIST64_AVX2
  static __m256d step(__m256d sum, __m256d a, __m256d b) {
    return _mm256_add_pd(sum, _mm256_andnot_pd(_mm256_set1_pd(-0.0), _mm256_sub_pd(a, b)));
  }
#endif
};

struct Product {
  static double step(double sum, double a, double b) { return std::fma(a, b, sum); }
#ifdef SLUICE_DIST64_AVX2
  static __m256d step(__m256d sum, __m256d a, __m256d b) { return _mm256_fmadd_pd(a, b, sum); }
#endif
};

// The definition, as plain loops. The fold below must give these bits.
template <class Step, class T>
inline double plain_fold(const T* a, const double* b, int64_t n) {
  double lane[8] = {};
  for (int64_t i = 0; i < n; i += 8) {
    for (int64_t l = 0; l < 8; ++l) {
      const bool in = i + l < n;
      lane[l] = Step::step(lane[l], in ? static_cast<double>(a[i + l]) : 0.0, in ? b[i + l] : 0.0);
    }
  }
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

#ifdef SLUICE_DIST64_AVX2
// GCC 12 does not vectorise the plain loops (it keeps eight scalar accumulators), hence intrinsics.
alignas(32) inline constexpr int64_t kMask64[8] = {-1, -1, -1, -1, 0, 0, 0, 0};
alignas(16) inline constexpr int32_t kMask32[8] = {-1, -1, -1, -1, 0, 0, 0, 0};

inline __m256d load4(const double* p) {
  return _mm256_loadu_pd(p);
}
inline __m256d load4(const float* p) {
  return _mm256_cvtps_pd(_mm_loadu_ps(p));
}
// The first `count` (0 to 4) elements, then zeros; memory behind them is not touched.
inline __m256d load_some(const double* p, int64_t count) {
  return _mm256_maskload_pd(p, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask64 + 4 - count)));
}
inline __m256d load_some(const float* p, int64_t count) {
  return _mm256_cvtps_pd(_mm_maskload_ps(p, _mm_loadu_si128(reinterpret_cast<const __m128i*>(kMask32 + 4 - count))));
}

template <class Step, class T>
inline double fold(const T* a, const double* b, int64_t n) {
  __m256d low = _mm256_setzero_pd();
  __m256d high = _mm256_setzero_pd();
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    low = Step::step(low, load4(a + i), load4(b + i));
    high = Step::step(high, load4(a + i + 4), load4(b + i + 4));
  }
  if (i < n) {
    const int64_t first = n - i < 4 ? n - i : 4;
    const int64_t second = n - i - first;
    low = Step::step(low, load_some(a + i, first), load_some(b + i, first));
    high = Step::step(high, load_some(a + i + first, second), load_some(b + i + first, second));
  }
  const __m256d half = _mm256_add_pd(low, high);
  const __m128d pair = _mm_add_pd(_mm256_castpd256_pd128(half), _mm256_extractf128_pd(half, 1));
  return _mm_cvtsd_f64(_mm_add_sd(pair, _mm_unpackhi_pd(pair, pair)));
}
#else
template <class Step, class T>
inline double fold(const T* a, const double* b, int64_t n) {
  return plain_fold<Step>(a, b, n);
}
#endif

}  // namespace dist64_detail

// sum (a_i - b_i)^2
inline double squared_distance(const double* a, const double* b, int64_t n) {
  return dist64_detail::fold<dist64_detail::Square>(a, b, n);
}
inline double squared_distance(const float* a, const double* b, int64_t n) {
  return dist64_detail::fold<dist64_detail::Square>(a, b, n);
}

// sum |a_i - b_i|
inline double manhattan_distance(const double* a, const double* b, int64_t n) {
  return dist64_detail::fold<dist64_detail::Absolute>(a, b, n);
}
inline double manhattan_distance(const float* a, const double* b, int64_t n) {
  return dist64_detail::fold<dist64_detail::Absolute>(a, b, n);
}

// sum a_i b_i
inline double dot(const double* a, const double* b, int64_t n) {
  return dist64_detail::fold<dist64_detail::Product>(a, b, n);
}
inline double dot(const float* a, const double* b, int64_t n) {
  return dist64_detail::fold<dist64_detail::Product>(a, b, n);
}

// The distance of a metric; for kCosine both sides are unit vectors (or zero) already.
template <class T>
inline double distance64(Metric metric, const T* a, const double* b, int64_t n) {
  switch (metric) {
    case Metric::kSquaredEuclidean:
      return squared_distance(a, b, n);
    case Metric::kManhattan:
      return manhattan_distance(a, b, n);
    default:
      return 1.0 - dot(a, b, n);
  }
}

}  // namespace sluice::kernels
