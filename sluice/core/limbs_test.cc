#include "sluice/core/limbs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/exact_sum.h"
#include "sluice/core/source.h"
#include "sluice/kernels/limb_add.h"

namespace sluice {
namespace {

struct Case {
  std::string name;
  int64_t count;
  std::function<double(std::mt19937_64&, int64_t)> value;
  int most_limbs;
};

double normal(std::mt19937_64& random) {
  return std::normal_distribution<double>()(random);
}

std::vector<Case> cases() {
  return {
      {"gaussian", 1'000'000, [](auto& r, int64_t) { return normal(r); }, 1},
      {"offset", 100'000, [](auto& r, int64_t) { return 1e8 + normal(r); }, 1},
      {"outlier", 100'000, [](auto& r, int64_t i) { return i == 77 ? 1e30 : 1e-3 * normal(r); }, 4},
      {"huge outlier", 10'000, [](auto& r, int64_t i) { return i == 77 ? -1e150 : normal(r); }, 16},
      {"constant", 100'000, [](auto&, int64_t) { return 0.1; }, 1},
      {"zeros", 1000, [](auto&, int64_t) { return 0.0; }, 1},
      {"mostly zeros", 10'000, [](auto& r, int64_t i) { return i % 100 == 0 ? normal(r) : 0.0; }, 1},
      {"tiny", 10'000, [](auto& r, int64_t) { return 1e-300 * normal(r); }, 2},
      {"subnormal", 10'000, [](auto& r, int64_t) { return 1e-315 * normal(r); }, 1},
      {"huge", 10'000, [](auto& r, int64_t) { return 1e150 * normal(r); }, 2},
      {"wide", 10'000, [](auto& r, int64_t) { return std::ldexp(normal(r), static_cast<int>(r() % 100) - 50); }, 4},
      {"one value", 1, [](auto&, int64_t) { return -3.7; }, 1},
  };
}

double distance_in_ulps(double a, double b) {
  if (a == b) return 0;
  const double size = std::max(std::fabs(a), std::fabs(b));
  return std::fabs(a - b) / (std::nextafter(size, INFINITY) - size);
}

class Limbs : public ::testing::TestWithParam<size_t> {
 protected:
  void SetUp() override {
    const Case c = cases()[GetParam()];
    std::mt19937_64 random(5);
    for (int64_t i = 0; i < c.count; ++i) values_.push_back(c.value(random, i));
    most_limbs_ = c.most_limbs;
    const MemorySource source(values_, c.count, 1);
    Context ctx;
    ranges_ = ranges_of(measure(source, ctx));
    format_ = LimbFormat(ranges_, c.count);
    for (const double x : values_) truth_.add(x);
  }
  std::vector<int64_t> summed(const std::vector<double>& values) const {
    std::vector<int64_t> sums(static_cast<size_t>(format_.size()));
    for (const double& x : values) kernels::limb_add(sums.data(), &x, format_.magic(), 1, format_.limbs());
    return sums;
  }
  std::vector<double> values_;
  std::vector<LimbFormat::Range> ranges_;
  LimbFormat format_;
  ExactSum truth_;
  int most_limbs_ = 0;
};

TEST_P(Limbs, TheSumIsWithinItsBound) {
  const auto n = static_cast<int64_t>(values_.size());
  const auto sums = summed(values_);
  const LimbFormat::Total total = format_.total(sums.data(), n, 0);
  // total - truth, exactly.
  ExactSum error = truth_;
  error.add(-total.high);
  error.add(-total.low);
  const int last = format_.fraction_bits(format_.limbs() - 1, 0);
  EXPECT_LE(std::fabs(error.value()), std::ldexp(static_cast<double>(n), -(last + 1)) + std::fabs(total.low) * 0x1p-50);
  EXPECT_LE(std::fabs(total.low), std::fabs(total.high) * 0x1p-52);
  EXPECT_LE(format_.limbs(), most_limbs_);
}

TEST_P(Limbs, TheQuantumIsSmallAgainstTheMedian) {
  std::vector<double> sizes;
  for (const double x : values_) {
    if (x != 0) sizes.push_back(std::fabs(x));
  }
  if (sizes.empty()) return;
  std::sort(sizes.begin(), sizes.end());
  const double median = sizes[(sizes.size() - 1) / 2];
  const int last = format_.fraction_bits(format_.limbs() - 1, 0);
  EXPECT_TRUE(last == 1074 || std::ldexp(1.0, -last) <= std::ldexp(median, -40)) << "quantum 2^-" << last << ", median " << median;
}

TEST_P(Limbs, AnyOrderGivesTheSameBitsAndSubtractionUndoes) {
  const auto sums = summed(values_);
  std::mt19937_64 random(6);
  std::vector<double> shuffled = values_;
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  EXPECT_EQ(summed(shuffled), sums);
  auto less = sums;
  for (const double& x : shuffled) kernels::limb_subtract(less.data(), &x, format_.magic(), 1, format_.limbs());
  EXPECT_EQ(less, std::vector<int64_t>(less.size()));
  EXPECT_EQ(format_.value(less.data(), 0, 0), 0);
  // All but one taken away again leaves that one, rounded to the last quantum.
  less = sums;
  for (size_t i = 1; i < values_.size(); ++i) kernels::limb_subtract(less.data(), &values_[i], format_.magic(), 1, format_.limbs());
  const int last = format_.fraction_bits(format_.limbs() - 1, 0);
  EXPECT_NEAR(format_.value(less.data(), 1, 0), values_[0], std::max(std::ldexp(0.5, -last), std::fabs(values_[0]) * 0x1p-53));
}

TEST_P(Limbs, TheMeanIsWithinOneUlpOfTheSumsQuotient) {
  const auto n = static_cast<int64_t>(values_.size());
  const auto sums = summed(values_);
  const LimbFormat::Total total = format_.total(sums.data(), n, 0);
  for (const double divisor : {static_cast<double>(n), 3.0, 0.7}) {
    const auto truth =
        static_cast<double>((static_cast<__float128>(total.high) + static_cast<__float128>(total.low)) / static_cast<__float128>(divisor));
    EXPECT_LE(distance_in_ulps(format_.mean(sums.data(), n, 0, divisor), truth), 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Ranges, Limbs, ::testing::Range<size_t>(0, cases().size()), [](const auto& info) {
  std::string name = cases()[info.param].name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
});

TEST(LimbFormat, WholeNumbersSumExactly) {
  std::mt19937_64 random(7);
  const int64_t n = 1'000'000;
  int64_t truth = 0;
  const LimbFormat::Range range{20, 1, 40};
  const LimbFormat format(std::span(&range, 1), n);
  std::vector<int64_t> sums(static_cast<size_t>(format.size()));
  for (int64_t i = 0; i < n; ++i) {
    const auto x = static_cast<double>(static_cast<int64_t>(random() % 2'000'000) - 1'000'000);
    truth += static_cast<int64_t>(x);
    kernels::limb_add(sums.data(), &x, format.magic(), 1, format.limbs());
  }
  EXPECT_EQ(format.value(sums.data(), n, 0), static_cast<double>(truth));
}

TEST(LimbFormat, TheLargestSumsDoNotOverflow) {
  for (const int64_t n : {int64_t{1}, int64_t{3}, int64_t{1000}, int64_t{1} << 20}) {
    for (const int exponent : {-1060, -300, 0, 100, 500}) {
      const double x = std::ldexp(0x1.fffffffffffffp-1, exponent);
      const int sum_exponent = exponent + static_cast<int>(std::bit_width(static_cast<uint64_t>(n)));
      const LimbFormat::Range range{exponent, exponent - 1, sum_exponent};
      const LimbFormat format(std::span(&range, 1), n);
      for (const double sign : {1.0, -1.0}) {
        std::vector<int64_t> sums(static_cast<size_t>(format.size()));
        const double value = sign * x;
        for (int64_t i = 0; i < n; ++i) kernels::limb_add(sums.data(), &value, format.magic(), 1, format.limbs());
        const double truth = value * static_cast<double>(n);
        const int last = format.fraction_bits(format.limbs() - 1, 0);
        EXPECT_NEAR(format.value(sums.data(), n, 0), truth, std::ldexp(static_cast<double>(n), -last - 1) + std::fabs(truth) * 0x1p-52)
            << n << " times 2^" << exponent;
      }
    }
  }
}

TEST(LimbFormat, RefusesSumsBeyondDouble) {
  for (const LimbFormat::Range range : {LimbFormat::Range{1022, 0, 1022}, LimbFormat::Range{1020, 0, 1024}}) {
    try {
      const LimbFormat format(std::span(&range, 1), 10);
      ADD_FAILURE() << "taken";
    } catch (const Error& e) {
      EXPECT_EQ(e.code, ErrorCode::kNumerical);
    }
  }
}

TEST(LimbFormat, ColumnsKeepTheirOwnRange) {
  // Column 0 needs one limb, column 1 four; both get the larger number, and their sums stay right.
  const LimbFormat::Range ranges[] = {{3, -1, 13}, {101, -10, 101}};
  const LimbFormat format(ranges, 1000);
  EXPECT_EQ(format.limbs(), 4);
  std::mt19937_64 random(8);
  std::vector<int64_t> sums(static_cast<size_t>(format.size()));
  ExactSum truth[2];
  for (int i = 0; i < 1000; ++i) {
    const double row[2] = {std::clamp(normal(random), -7.0, 7.0), i == 5 ? 0x1p100 : 1e-3 * normal(random)};
    truth[0].add(row[0]);
    truth[1].add(row[1]);
    kernels::limb_add(sums.data(), row, format.magic(), 2, format.limbs());
  }
  EXPECT_EQ(format.value(sums.data(), 1000, 0), truth[0].value());
  EXPECT_EQ(format.value(sums.data(), 1000, 1), truth[1].value());
}

}  // namespace
}  // namespace sluice
