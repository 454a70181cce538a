#include "sluice/patterns/fisher.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "sluice/core/math.h"

namespace sluice {
namespace {

constexpr int kTable = 16;

std::array<double, kTable> small_errors() {
  std::array<double, kTable> errors{};
  double product = 1;
  for (int n = 1; n < kTable; ++n) {
    product *= n;
    constexpr double kHalfLogTwoPi = 0.91893853320467274178;
    errors[static_cast<size_t>(n)] = log64(product) - (n + 0.5) * log64(n) + n - kHalfLogTwoPi;
  }
  return errors;
}

// log n! less Stirling's formula for it.
double stirling_error(double n) {
  static const std::array<double, kTable> kSmall = small_errors();
  if (n < kTable) return kSmall[static_cast<size_t>(n)];
  const double r = 1 / n, r2 = r * r;
  return r * (1.0 / 12 - r2 * (1.0 / 360 - r2 * (1.0 / 1260 - r2 * (1.0 / 1680 - r2 / 1188))));
}

// x log(x / mean) + mean - x, without loss where they are near.
double deviance(double x, double mean) {
  const double d = x - mean;
  if (!(d * d < 0.01 * (x + mean) * (x + mean))) return x * log64(x / mean) + mean - x;
  const double v = d / (x + mean), v2 = v * v;
  double sum = d * v, term = 2 * x * v;
  for (int j = 3;; j += 2) {
    term *= v2;
    const double next = sum + term / j;
    if (next == sum) return sum;
    sum = next;
  }
}

// The probability of x successes of n, p + q = 1 both above 0. Loader 2000, Fast and accurate computation of binomial probabilities.
double log_binomial(double x, double n, double p, double q) {
  if (x == 0) return n == 0 ? 0 : p < 0.1 ? -deviance(n, n * q) - n * p : n * log64(q);
  if (x == n) return q < 0.1 ? -deviance(n, n * p) - n * q : n * log64(p);
  constexpr double kTwoPi = 6.28318530717958647693;
  return stirling_error(n) - stirling_error(x) - stirling_error(n - x) - deviance(x, n * p) - deviance(n - x, n * q) -
         0.5 * log64(kTwoPi * x * ((n - x) / n));
}

// The probability that i of the a chosen of n are among c of them: two binomials over a third.
double hypergeometric(int64_t i, int64_t a, int64_t c, int64_t n) {
  const auto number = [](int64_t x) { return static_cast<double>(x); };
  const double p = number(a) / number(n), q = number(n - a) / number(n);
  return exp64(log_binomial(number(i), number(c), p, q) + log_binomial(number(a - i), number(n - c), p, q) -
               log_binomial(number(a), number(n), p, q));
}

// Terms of the distribution from i on, upwards or downwards, until they no longer count.
double tail(int64_t i, bool up, int64_t a, int64_t c, int64_t n) {
  const int64_t low = std::max<int64_t>(0, a + c - n), high = std::min(a, c);
  if (i < low || i > high) return 0;
  double term = hypergeometric(i, a, c, n);
  double sum = term;
  const auto number = [](int64_t x) { return static_cast<double>(x); };
  while (term > sum * 0x1p-60 && (up ? i < high : i > low)) {
    if (up) {
      term *= number(c - i) * number(a - i) / (number(i + 1) * number(n - c - a + i + 1));
      ++i;
    } else {
      term *= number(i) * number(n - c - a + i) / (number(c - i + 1) * number(a - i + 1));
      --i;
    }
    sum += term;
  }
  return sum;
}

}  // namespace

double fisher_p(int64_t both, int64_t antecedent, int64_t consequent, int64_t baskets) {
  if (antecedent == baskets || consequent == baskets) return 1;  // nothing else can be
  const double expected = static_cast<double>(antecedent) * static_cast<double>(consequent) / static_cast<double>(baskets);
  // The tail that falls from where it begins is the short one.
  if (static_cast<double>(both) > expected) return std::min(1.0, tail(both, true, antecedent, consequent, baskets));
  return std::clamp(1 - tail(both - 1, false, antecedent, consequent, baskets), 0.0, 1.0);
}

std::vector<double> false_discovery(const std::vector<double>& p, int64_t tested) {
  std::vector<uint32_t> order(p.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return p[a] < p[b]; });
  std::vector<double> out(p.size());
  double least = 1;
  for (size_t j = order.size(); j-- > 0;) {
    least = std::min(least, p[order[j]] * static_cast<double>(tested) / static_cast<double>(j + 1));
    out[order[j]] = least;
  }
  return out;
}

}  // namespace sluice
