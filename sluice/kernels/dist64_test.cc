#include "sluice/kernels/dist64.h"

#include <bit>
#include <vector>

#include "gtest/gtest.h"
#include "sluice/kernels/testing.h"

namespace sluice::kernels {
namespace {

uint64_t bits(double x) {
  return std::bit_cast<uint64_t>(x);
}

// Every length around the lane count, so that each tail is met; values of mixed size, so that order and rounding show.
template <class Step, class F64, class F32>
void check(F64 fast64, F32 fast32) {
  TestRandom random(7);
  for (int64_t n = 0; n <= 70; ++n) {
    std::vector<float> a(static_cast<size_t>(n));
    std::vector<double> wide(static_cast<size_t>(n)), b(static_cast<size_t>(n));
    for (size_t j = 0; j < a.size(); ++j) {
      a[j] = static_cast<float>(random.normal() * std::ldexp(1.0, static_cast<int>(random.below(40)) - 20));
      wide[j] = static_cast<double>(a[j]);
      b[j] = random.normal() * std::ldexp(1.0, static_cast<int>(random.below(40)) - 20);
    }
    const double truth = dist64_detail::plain_fold<Step>(wide.data(), b.data(), n);
    EXPECT_EQ(bits(fast64(wide.data(), b.data(), n)), bits(truth)) << n;
    EXPECT_EQ(bits(fast32(a.data(), b.data(), n)), bits(truth)) << n;
    EXPECT_EQ(bits(dist64_detail::plain_fold<Step>(a.data(), b.data(), n)), bits(truth)) << n;
  }
}

TEST(Dist64, SquaredDistanceIsItsDefinition) {
  check<dist64_detail::Square>([](const double* a, const double* b, int64_t n) { return squared_distance(a, b, n); },
                               [](const float* a, const double* b, int64_t n) { return squared_distance(a, b, n); });
}

TEST(Dist64, ManhattanDistanceIsItsDefinition) {
  check<dist64_detail::Absolute>([](const double* a, const double* b, int64_t n) { return manhattan_distance(a, b, n); },
                                 [](const float* a, const double* b, int64_t n) { return manhattan_distance(a, b, n); });
}

TEST(Dist64, DotIsItsDefinition) {
  check<dist64_detail::Product>([](const double* a, const double* b, int64_t n) { return dot(a, b, n); },
                                [](const float* a, const double* b, int64_t n) { return dot(a, b, n); });
}

TEST(Dist64, LanesAndTreeAreAsDocumented) {
  // 1 + 2^-53 rounds to 1, so which lanes meet first decides the sum: lanes 0 and 4 must meet before 0 and 2.
  const std::vector<double> zero(8, 0.0);
  std::vector<double> a(8, 0.0);
  a[0] = 1;
  a[4] = a[2] = 0x1p-53;
  EXPECT_EQ(manhattan_distance(a.data(), zero.data(), 8), 1.0);
  a[4] = 0;
  a[6] = 0x1p-53;  // 2 and 6 meet first: 2^-52 survives
  EXPECT_EQ(manhattan_distance(a.data(), zero.data(), 8), 1.0 + 0x1p-52);
}

TEST(Dist64, ValuesOfEachMetric) {
  const double a[3] = {1, 2, 3};
  const double b[3] = {3, 2, -1};
  EXPECT_EQ(distance64(Metric::kSquaredEuclidean, a, b, 3), 20.0);
  EXPECT_EQ(distance64(Metric::kManhattan, a, b, 3), 6.0);
  EXPECT_EQ(distance64(Metric::kCosine, a, b, 3), -3.0);
}

}  // namespace
}  // namespace sluice::kernels
