#include "sluice/core/exact_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "sluice/core/error.h"

namespace sluice {
namespace {

// The slow truth: the sum as a signed 2304-bit integer in units of 2^-1074, bit by bit, rounded once to nearest, ties to even.
class BigSum {
 public:
  void add(double x) {
    if (x == 0) return;
    int exponent = 0;
    const double m = std::frexp(std::fabs(x), &exponent);
    auto mantissa = static_cast<uint64_t>(std::ldexp(m, 53));
    int place = exponent - 53 + 1074;
    while (place < 0) mantissa >>= 1, ++place;  // subnormal: the low bits are 0
    for (int bit = 0; bit < 53; ++bit) {
      if ((mantissa >> bit) & 1) x > 0 ? up(place + bit) : down(place + bit);
    }
  }
  double value() const {
    std::vector<bool> bits = bits_;
    const bool negative = bits.back();
    if (negative) {  // two's complement
      bool carry = true;
      for (size_t i = 0; i < bits.size(); ++i) {
        const bool b = !bits[i];
        bits[i] = b != carry;
        carry = b && carry;
      }
    }
    int top = static_cast<int>(bits.size()) - 1;
    while (top >= 0 && !bits[static_cast<size_t>(top)]) --top;
    if (top < 0) return 0;
    const int low = std::max(0, top - 52);
    uint64_t kept = 0;
    for (int i = top; i >= low; --i) kept = kept * 2 + bits[static_cast<size_t>(i)];
    if (low > 0 && bits[static_cast<size_t>(low - 1)]) {
      const bool more = std::any_of(bits.begin(), bits.begin() + (low - 1), [](bool b) { return b; });
      if (more || (kept & 1)) ++kept;
    }
    const double magnitude = std::ldexp(static_cast<double>(kept), low - 1074);
    return negative ? -magnitude : magnitude;
  }

 private:
  void up(int i) {
    for (; i < static_cast<int>(bits_.size()); ++i) {
      bits_[static_cast<size_t>(i)] = !bits_[static_cast<size_t>(i)];
      if (bits_[static_cast<size_t>(i)]) return;
    }
  }
  void down(int i) {
    for (; i < static_cast<int>(bits_.size()); ++i) {
      bits_[static_cast<size_t>(i)] = !bits_[static_cast<size_t>(i)];
      if (!bits_[static_cast<size_t>(i)]) return;
    }
  }
  std::vector<bool> bits_ = std::vector<bool>(2304);
};

double any_double(std::mt19937_64& random) {
  for (;;) {
    const auto x = std::bit_cast<double>(random());
    if (std::isfinite(x)) return x;
  }
}

double exact(const std::vector<double>& values) {
  ExactSum sum;
  for (const double x : values) sum.add(x);
  return sum.value();
}

TEST(ExactSum, AgreesWithBitwiseArithmetic) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    BigSum truth;
    std::vector<double> values;
    const uint64_t kind = random() % 4;
    for (size_t n = random() % 40; n > 0; --n) {
      double x = any_double(random);
      if (kind == 1) x = std::ldexp(x, -2000);                                                                        // subnormal and zero
      if (kind == 2) x = std::ldexp(static_cast<double>(random() % 64) - 32, static_cast<int>(random() % 120) - 60);  // near ties
      if (kind == 3 && !values.empty() && random() % 2) x = -values[random() % values.size()];                        // cancellation
      values.push_back(x);
      truth.add(x);
    }
    EXPECT_EQ(std::bit_cast<uint64_t>(exact(values)), std::bit_cast<uint64_t>(truth.value())) << "round " << round;
  }
}

TEST(ExactSum, OrderDoesNotMatter) {
  std::mt19937_64 random(2);
  std::vector<double> values(1000);
  for (double& x : values) x = any_double(random);
  const double first = exact(values);
  for (int round = 0; round < 20; ++round) {
    std::shuffle(values.begin(), values.end(), random);
    EXPECT_EQ(exact(values), first);
  }
}

TEST(ExactSum, TiesGoToEven) {
  EXPECT_EQ(exact({0x1p53, 1}), 0x1p53);
  EXPECT_EQ(exact({0x1p53 + 2, 1}), 0x1p53 + 4);
  EXPECT_EQ(exact({0x1p53, 1, 0x1p-1074}), 0x1p53 + 2);
  EXPECT_EQ(exact({0x1p53, 1, -0x1p-1074}), 0x1p53);
  EXPECT_EQ(exact({-0x1p53 - 2, -1}), -0x1p53 - 4);
  EXPECT_EQ(exact({0x1.fffffffffffffp52, 0.5}), 0x1p53);  // the carry runs through
}

TEST(ExactSum, EndsOfTheRange) {
  const double most = std::numeric_limits<double>::max();
  EXPECT_EQ(exact({most, most, -most}), most);
  EXPECT_EQ(exact({most, most}), std::numeric_limits<double>::infinity());
  EXPECT_EQ(exact({-most, -most}), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(exact({0x1p-1074, 0x1p-1074}), 0x1p-1073);
  EXPECT_EQ(exact({1, -1}), 0);
  EXPECT_EQ(exact({most, 0x1p-1074, -most}), 0x1p-1074);
  EXPECT_EQ(exact({}), 0);
}

TEST(ExactSum, MergeSaveAndLoad) {
  std::mt19937_64 random(3);
  std::vector<double> values(500);
  for (double& x : values) x = any_double(random);
  const double whole = exact(values);
  ExactSum left, right;
  for (size_t i = 0; i < values.size(); ++i) (i % 3 == 0 ? left : right).add(values[i]);
  ByteWriter out;
  left.save(out);
  const Bytes bytes = out.take();
  ExactSum loaded;
  ByteReader in(bytes);
  loaded.load(in);
  in.expect_end();
  loaded.merge(right);
  EXPECT_EQ(loaded.value(), whole);
  right.merge(left);
  EXPECT_EQ(right.value(), whole);
  for (int i = 0; i < 100; ++i) loaded.merge(ExactSum());
  EXPECT_EQ(loaded.value(), whole);
}

TEST(ExactSum, TheSameSumSavesAsTheSameBytes) {
  const auto saved = [](const std::vector<double>& values) {
    ExactSum sum;
    for (const double x : values) sum.add(x);
    ByteWriter out;
    sum.save(out);
    return out.take();
  };
  EXPECT_EQ(saved({3, -1}), saved({1, 1}));
  EXPECT_EQ(saved({-0x1p100, 5}), saved({5, -0x1p99, -0x1p99}));
  EXPECT_NE(saved({1}), saved({2}));
}

TEST(ExactSum, RefusesDamage) {
  ExactSum sum;
  sum.add(-1.5);
  ByteWriter out;
  sum.save(out);
  Bytes bytes = out.take();
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= std::byte{0x80};
    ExactSum loaded;
    ByteReader in(bytes);
    try {
      loaded.load(in);
      loaded.merge(loaded);
      (void)loaded.value();
    } catch (const Error& e) {
      EXPECT_EQ(e.code, ErrorCode::kBadModel);
    }
    bytes[i] ^= std::byte{0x80};
  }
  ByteReader shorter{std::span<const std::byte>(bytes).first(bytes.size() - 1)};
  EXPECT_THROW(sum.load(shorter), Error);
}

TEST(ExactSum, ManyAdditions) {
  ExactSum sum;
  for (int i = 0; i < 3'000'000; ++i) sum.add(0.1);
  // 0.1 is 0x1.999999999999ap-4: the exact product, rounded once.
  EXPECT_EQ(sum.value(), static_cast<double>(static_cast<long double>(0.1) * 3'000'000.0L));
}

}  // namespace
}  // namespace sluice
