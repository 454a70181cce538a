#include "sluice/core/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <vector>

#include "sluice/core/math.h"

namespace sluice {
namespace {

// From Random123's kat_vectors.
TEST(Philox, KnownAnswers) {
  using A = std::array<uint32_t, 4>;
  constexpr uint32_t kAll = 0xffffffff;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (A{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({kAll, kAll, kAll, kAll}, {kAll, kAll}), (A{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (A{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, ASeedStageAndIndexNameTheStream) {
  const auto first = [](uint64_t seed, RandomStage stage, uint64_t index) { return Random(seed, stage, index).bits(); };
  std::set<uint64_t> all;
  for (uint64_t seed : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 32}) {
    for (const auto stage : {RandomStage::kKMeansInit, RandomStage::kSubsample}) {
      for (uint64_t index : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 32, (uint64_t{1} << 32) + 1}) all.insert(first(seed, stage, index));
    }
  }
  EXPECT_EQ(all.size(), 24U);
  EXPECT_EQ(first(7, RandomStage::kKMeansInit, 9), first(7, RandomStage::kKMeansInit, 9));
  // The order of the halves is part of the promise: block (0, stage, index) under the seed.
  const auto block = philox({0, 1, 9, 0}, {7, 0});
  EXPECT_EQ(first(7, RandomStage::kKMeansInit, 9), (uint64_t{block[0]} << 32) | block[1]);
}

TEST(Random, NoDrawRepeatsInAStream) {
  Random random(1, RandomStage::kSubsample, 3);
  std::set<uint64_t> seen;
  for (int i = 0; i < 100'000; ++i) seen.insert(random.bits());
  EXPECT_EQ(seen.size(), 100'000U);
}

TEST(Random, UniformMomentsAndCells) {
  Random random(2, RandomStage::kSubsample, 0);
  constexpr int kN = 1'000'000;
  double sum = 0, squares = 0;
  std::vector<int> cells(100);
  for (int i = 0; i < kN; ++i) {
    const double u = random.uniform();
    ASSERT_TRUE(u >= 0 && u < 1);
    sum += u;
    squares += (u - 0.5) * (u - 0.5);
    ++cells[static_cast<size_t>(u * 100)];
  }
  EXPECT_NEAR(sum / kN, 0.5, 5 * std::sqrt(1.0 / 12 / kN));
  EXPECT_NEAR(squares / kN, 1.0 / 12, 5 * std::sqrt(1.0 / 180 / kN));
  double chi = 0;
  for (const int n : cells) chi += (n - kN / 100.0) * (n - kN / 100.0) / (kN / 100.0);
  EXPECT_LT(chi, 170);  // 99 degrees of freedom, p about 1e-5
  EXPECT_GT(chi, 45);
}

TEST(Random, BelowCoversItsRangeEvenly) {
  Random random(3, RandomStage::kSubsample, 0);
  std::vector<int> counts(7);
  for (int i = 0; i < 70'000; ++i) ++counts[random.below(7)];
  for (const int n : counts) EXPECT_NEAR(n, 10'000, 500);
  EXPECT_EQ(random.below(1), 0U);
  for (int i = 0; i < 1000; ++i) EXPECT_LT(random.below(uint64_t{1} << 63), uint64_t{1} << 63);
}

TEST(Random, NormalMomentsAndTails) {
  Random random(4, RandomStage::kSubsample, 0);
  constexpr int kN = 1'000'000;
  double m1 = 0, m2 = 0, m3 = 0, m4 = 0;
  int beyond[4] = {};
  for (int i = 0; i < kN; ++i) {
    const double x = random.normal();
    ASSERT_TRUE(std::isfinite(x));
    m1 += x;
    m2 += x * x;
    m3 += x * x * x;
    m4 += x * x * x * x;
    for (int k = 1; k <= 4; ++k) beyond[k - 1] += std::fabs(x) > k;
  }
  EXPECT_NEAR(m1 / kN, 0, 0.005);
  EXPECT_NEAR(m2 / kN, 1, 0.0075);
  EXPECT_NEAR(m3 / kN, 0, 0.02);
  EXPECT_NEAR(m4 / kN, 3, 0.05);
  for (int k = 1; k <= 4; ++k) {
    const double expected = std::erfc(k / std::sqrt(2.0)) * kN;
    EXPECT_NEAR(beyond[k - 1], expected, 5 * std::sqrt(expected) + 1) << k << " sigma";
  }
}

TEST(Random, TheOutermostStepsOfNormalAreFinite) {
  // normal() maps k = 0 .. 2^52 - 1 to (k + 1/2) 2^-52; the ends must be neither 0 nor 1.
  for (const uint64_t k : {uint64_t{0}, (uint64_t{1} << 52) - 1}) {
    const double p = (static_cast<double>(k) + 0.5) * 0x1p-52;
    EXPECT_GT(p, 0);
    EXPECT_LT(p, 1);
    EXPECT_NEAR(std::fabs(inverse_normal(p)), 8.2095, 0.001);
  }
}

}  // namespace
}  // namespace sluice
