// x^b for four numbers at a time, in vectors of the compiler's own kind.
// Every lane has the bits of exp64(b * log64(x)) of core/math.h, so it does not matter which numbers stand side by side. Use in loops that
// need many powers and can gather them; the type stays inside a .cc.
// Cost: about 60 instructions. No memory. Same bits on every CPU.
#pragma once
#include <cmath>
#include <cstdint>

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#endif

namespace sluice::kernels {

typedef double Four __attribute__((vector_size(32)));
typedef int64_t FourBits __attribute__((vector_size(32)));

inline Four four(double x) {
  return Four{x, x, x, x};
}

inline Four fma4(Four a, Four b, Four c) {
#if defined(__AVX2__) && defined(__FMA__)
  return (Four)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#else
  return Four{std::fma(a[0], b[0], c[0]), std::fma(a[1], b[1], c[1]), std::fma(a[2], b[2], c[2]), std::fma(a[3], b[3], c[3])};
#endif
}

namespace power_detail {

constexpr double kLn2High = 6.93147180369123816490e-01;
constexpr double kLn2Low = 1.90821492927058770002e-10;
constexpr double kWhole = 0x1.8p52;  // added and taken away it leaves the nearest whole number, as nearbyint does
constexpr int64_t kWholeBits = 0x4338000000000000;

// c[n-1] + c[n-2] x + ... as core/math.h's polynomial, the highest first.
template <int N>
inline Four polynomial(Four x, const double (&c)[N]) {
  Four sum = four(c[0]);
  for (int i = 1; i < N; ++i) sum = fma4(sum, x, four(c[i]));
  return sum;
}

inline Four log_of(Four x) {
  // x = m 2^n with m in [sqrt(1/2), sqrt(2)): what frexp and one doubling give.
  const FourBits bits = (FourBits)x;
  const Four half = (Four)((bits & 0x000FFFFFFFFFFFFF) | 0x3FE0000000000000);
  const FourBits low = half < four(0.70710678118654752440);  // -1 or 0
  const Four m = low ? half + half : half;
  const FourBits exponent = (bits >> 52) - 1022 + low;
  const Four n = (Four)(exponent + kWholeBits) - four(kWhole);
  const Four f = m - 1.0;
  const Four s = f / (f + 2.0);
  const Four z = s * s;
  static constexpr double kSeries[] = {2.0 / 23, 2.0 / 21, 2.0 / 19, 2.0 / 17, 2.0 / 15, 2.0 / 13,
                                       2.0 / 11, 2.0 / 9,  2.0 / 7,  2.0 / 5,  2.0 / 3};
  const Four r = z * polynomial(z, kSeries);
  const Four square = 0.5 * f * f;
  return n * kLn2High - ((square - (s * (square + r) + n * kLn2Low)) - f);
}

inline Four exp_of(Four x) {
  const Four n = (x * 1.44269504088896340736 + kWhole) - kWhole;
  const Four high = fma4(-n, four(kLn2High), x);
  const Four r = fma4(-n, four(kLn2Low), high);
  static constexpr double kTaylor[] = {1.0 / 6227020800.0, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
                                       1.0 / 5040,         1.0 / 720,       1.0 / 120,      1.0 / 24,      1.0 / 6,      1.0 / 2};
  const Four tail = fma4(-n, four(kLn2Low), high - r);
  const Four p = fma4(r * r, polynomial(r, kTaylor), tail) + r;
  const FourBits power = (FourBits)(n + kWhole) - kWholeBits + 1023;
  return (1.0 + p) * (Four)(power << 52);
}

}  // namespace power_detail

// x: positive, normal. b * log64(x) is cut to [-700, 700], where neither zero nor infinity is reached.
inline Four power4(Four x, double b) {
  Four y = b * power_detail::log_of(x);
  y = y < four(-700) ? four(-700) : y;
  y = y > four(700) ? four(700) : y;
  return power_detail::exp_of(y);
}

}  // namespace sluice::kernels
