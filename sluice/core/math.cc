#include "sluice/core/math.h"

#include <cmath>
#include <limits>

namespace sluice {
namespace {
constexpr double kLn2High = 6.93147180369123816490e-01;  // the leading bits, so that n * kLn2High is exact for |n| < 2^11
constexpr double kLn2Low = 1.90821492927058770002e-10;

// c[0] + c[1] x + ... by Horner's rule.
template <int N>
double polynomial(double x, const double (&c)[N]) {
  double sum = c[N - 1];
  for (int i = N - 2; i >= 0; --i) sum = std::fma(sum, x, c[i]);
  return sum;
}
}  // namespace

double log64(double x) {
  if (x == 0) return -std::numeric_limits<double>::infinity();
  if (!(x > 0)) return std::numeric_limits<double>::quiet_NaN();
  if (x == std::numeric_limits<double>::infinity()) return x;
  int exponent = 0;
  double m = std::frexp(x, &exponent);  // [0.5, 1)
  if (m < 0.70710678118654752440) {
    m *= 2;
    --exponent;
  }
  // log m = 2 atanh(s), s = (m - 1) / (m + 1), |s| < 0.1716; f - s * (f - series) keeps the leading term exact.
  const double f = m - 1;
  const double s = f / (2 + f);
  const double z = s * s;
  static constexpr double kSeries[] = {2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11, 2.0 / 13,
                                       2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21, 2.0 / 23};
  const double r = z * polynomial(z, kSeries);
  const double half = 0.5 * f * f;
  const double n = exponent;
  return n * kLn2High - ((half - (s * (half + r) + n * kLn2Low)) - f);
}

double exp64(double x) {
  if (x != x) return x;
  if (x > 709.79) return std::numeric_limits<double>::infinity();
  if (x < -745.2) return 0;
  const double n = std::nearbyint(x * 1.44269504088896340736);
  const double high = std::fma(-n, kLn2High, x);
  const double r = std::fma(-n, kLn2Low, high);
  static constexpr double kTaylor[] = {1.0 / 2,     1.0 / 6,      1.0 / 24,      1.0 / 120,      1.0 / 720,       1.0 / 5040,
                                       1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800.0};
  const double tail = std::fma(-n, kLn2Low, (high - r));  // what r lost
  const double p = std::fma(r * r, polynomial(r, kTaylor), tail) + r;
  return std::ldexp(1 + p, static_cast<int>(n));
}

double inverse_normal(double p) {
  const double q = p - 0.5;
  if (std::fabs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    static constexpr double kA[] = {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
                                    4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3};
    static constexpr double kB[] = {1.0,
                                    4.2313330701600911252e1,
                                    6.8718700749205790830e2,
                                    5.3941960214247511077e3,
                                    2.1213794301586595867e4,
                                    3.9307895800092710610e4,
                                    2.8729085735721942674e4,
                                    5.2264952788528545610e3};
    return q * polynomial(r, kA) / polynomial(r, kB);
  }
  const double tail = std::sqrt(-log64(q < 0 ? p : 1 - p));
  double x = 0;
  if (tail <= 5) {
    static constexpr double kC[] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                                    3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                                    2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static constexpr double kD[] = {1.0,
                                    2.05319162663775882187e0,
                                    1.67638483018380384940e0,
                                    6.89767334985100004550e-1,
                                    1.48103976427480074590e-1,
                                    1.51986665636164571966e-2,
                                    5.47593808499534494600e-4,
                                    1.05075007164441684324e-9};
    x = polynomial(tail - 1.6, kC) / polynomial(tail - 1.6, kD);
  } else {
    static constexpr double kE[] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                                    2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                    2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static constexpr double kF[] = {1.0,
                                    5.99832206555887937690e-1,
                                    1.36929880922735805310e-1,
                                    1.48753612908506148525e-2,
                                    7.86869131145613259100e-4,
                                    1.84631831751005468180e-5,
                                    1.42151175831644588870e-7,
                                    2.04426310338993978564e-15};
    x = polynomial(tail - 5, kE) / polynomial(tail - 5, kF);
  }
  return q < 0 ? -x : x;
}

}  // namespace sluice
