#include "sluice/core/math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace sluice {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

// |value - truth| in units of the last place of truth (of the smallest subnormal below the normal range).
double ulps(double value, long double truth) {
  if (static_cast<long double>(value) == truth) return 0;
  const int exponent = std::max(std::ilogb(truth), -1022);
  return static_cast<double>(std::fabs(static_cast<long double>(value) - truth) / std::ldexp(1.0L, exponent - 52));
}

TEST(Log64, IsWithinItsBoundEverywhere) {
  std::mt19937_64 random(1);
  double worst = 0;
  const auto check = [&](double x) { worst = std::max(worst, ulps(log64(x), std::log(static_cast<long double>(x)))); };
  for (int i = 0; i < 1'000'000; ++i) {
    const double x = std::fabs(std::bit_cast<double>(random()));
    if (std::isfinite(x) && x > 0) check(x);
    check(0.5 + 1.5 * static_cast<double>(random() >> 11) * 0x1p-53);  // around 1, where the result is small
    check(1 + std::ldexp(static_cast<double>(static_cast<int64_t>(random())), -63 - static_cast<int>(random() % 40)));
  }
  for (int e = -1074; e < 1024; ++e) check(std::ldexp(1.0, e));
  for (const double x :
       {0x1p-1074, 0x1p-1022, 1 - 0x1p-53, 1 + 0x1p-52, 0.70710678118654746, 0.70710678118654757, std::numeric_limits<double>::max()})
    check(x);
  EXPECT_LE(worst, 1.0);
  RecordProperty("worst_ulps", std::to_string(worst));
}

TEST(Log64, SpecialValues) {
  EXPECT_EQ(log64(1), 0);
  EXPECT_EQ(log64(0), -kInf);
  EXPECT_EQ(log64(-0.0), -kInf);
  EXPECT_EQ(log64(kInf), kInf);
  EXPECT_TRUE(std::isnan(log64(-1)));
  EXPECT_TRUE(std::isnan(log64(std::nan(""))));
}

TEST(Exp64, IsWithinItsBoundEverywhere) {
  std::mt19937_64 random(2);
  double worst = 0, worst_subnormal = 0;
  const auto check = [&](double x) {
    const long double truth = std::exp(static_cast<long double>(x));
    if (truth > std::numeric_limits<double>::max()) return;
    double& to = truth < std::numeric_limits<double>::min() ? worst_subnormal : worst;
    to = std::max(to, ulps(exp64(x), truth));
  };
  for (int i = 0; i < 1'000'000; ++i) {
    const double u = static_cast<double>(random() >> 11) * 0x1p-53;
    check(-745 + u * (745 + 709.78));
    check(2 * u - 1);
    check(std::ldexp(2 * u - 1, -static_cast<int>(random() % 60)));
    check(-708 - 37 * u);
  }
  for (int n = -1074; n < 1024; ++n) {  // where the reduction changes its step
    check(n * 0.693147180559945309417);
    check((n + 0.5) * 0.693147180559945309417);
  }
  EXPECT_LE(worst, 1.0);
  EXPECT_LE(worst_subnormal, 1.0);
  RecordProperty("worst_ulps", std::to_string(worst));
}

TEST(Exp64, EndsAndSpecialValues) {
  EXPECT_EQ(exp64(0), 1);
  EXPECT_EQ(exp64(-kInf), 0);
  EXPECT_EQ(exp64(kInf), kInf);
  EXPECT_TRUE(std::isnan(exp64(std::nan(""))));
  EXPECT_TRUE(std::isfinite(exp64(709.782712893383973)));
  EXPECT_EQ(exp64(709.782712893385), kInf);
  EXPECT_EQ(exp64(-745.13321910194110), 0x1p-1074);
  EXPECT_EQ(exp64(-745.2), 0);
  EXPECT_EQ(exp64(-1e300), 0);
  EXPECT_EQ(exp64(1e300), kInf);
}

// Known to many digits (Wichura's test values and the usual tables).
TEST(InverseNormal, KnownValues) {
  const double known[][2] = {
      {0.25, -0.67448975019608174}, {0.001, -3.0902323061678135}, {1e-20, -9.2623400897984077}, {0.975, 1.9599639845400542}, {0.5, 0},
      {0.84134474606854293, 1.0},   {1e-300, -37.0470962993612}};
  for (const auto& [p, x] : known) EXPECT_NEAR(inverse_normal(p), x, 4e-15 * std::max(1.0, std::fabs(x))) << p;
}

TEST(InverseNormal, InvertsTheDistribution) {
  std::mt19937_64 random(3);
  double worst = 0;
  for (int i = 0; i < 200'000; ++i) {
    const double u = static_cast<double>(random() >> 11) * 0x1p-53;
    const double p = i % 2 ? u : std::ldexp(1 + u, -2 - static_cast<int>(random() % 600));
    if (p <= 0 || p >= 1) continue;
    const double x = inverse_normal(p);
    // One Newton step in long double from x tells its error.
    const long double lower = x < 0 ? 0.5L * std::erfc(-static_cast<long double>(x) / std::sqrt(2.0L))
                                    : 1 - 0.5L * std::erfc(static_cast<long double>(x) / std::sqrt(2.0L));
    const long double density = std::exp(-0.5L * x * x) / std::sqrt(2 * 3.14159265358979323846264338L);
    const long double error = x < 5 ? (lower - p) / density : 0;
    worst = std::max(worst, static_cast<double>(std::fabs(error) / std::max(1e-3L, std::fabs(static_cast<long double>(x)))));
  }
  EXPECT_LE(worst, 1e-15);
}

TEST(InverseNormal, IsOddAndRises) {
  double last = -kInf;
  for (int i = 1; i < 4096; ++i) {
    const double p = i / 4096.0;
    EXPECT_EQ(inverse_normal(p), -inverse_normal(1 - p));
    EXPECT_GT(inverse_normal(p), last);
    last = inverse_normal(p);
  }
}

}  // namespace
}  // namespace sluice
