#include "sluice/kernels/column_scan.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "sluice/kernels/column_scan_ref.h"
#include "sluice/kernels/cpu.h"

namespace sluice::kernels {
namespace {

template <class T>
struct Arrays {
  using Int = typename ColumnScan<T>::Int;
  explicit Arrays(size_t n)
      : min(n, std::numeric_limits<T>::infinity()), max(n, -std::numeric_limits<T>::infinity()), zeros(n), fraction(n), wide(n) {}
  std::vector<T> min, max;
  std::vector<Int> zeros, fraction, wide;
  ColumnScan<T> view() { return {min.data(), max.data(), zeros.data(), fraction.data(), wide.data()}; }
  bool operator==(const Arrays&) const = default;
};

// kind 0: plain, 1: whole numbers and zeros, 2: NaN and infinity among them, 3: any bits.
template <class T>
std::vector<T> values_of(int kind, size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<T> values(count);
  for (T& x : values) {
    x = static_cast<T>(normal(random));
    if (kind == 1) x = std::nearbyint(x);
    if (kind == 2 && random() % 9 == 0) x = random() % 2 ? std::numeric_limits<T>::quiet_NaN() : -std::numeric_limits<T>::infinity();
    if (kind == 3) x = std::bit_cast<T>(static_cast<std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>(random()));
  }
  return values;
}

template <class T>
void agrees_on_every_target() {
  const Target before = current_target();
  for (const Target target : kAllTargets) {
    if (!target_available(target)) continue;
    ASSERT_EQ(use_target(target), TargetStatus::kOk);
    for (const int64_t cols : {1, 3, 8, 16, 17, 41}) {
      for (int kind = 0; kind < 4; ++kind) {
        for (const ScanChecks checks : {ScanChecks{true, true}, {true, false}, {false, true}, {false, false}}) {
          const int64_t rows = 23, stride = cols + 2;
          const auto values = values_of<T>(kind, static_cast<size_t>(rows * stride), static_cast<uint64_t>(cols * 10 + kind));
          Arrays<T> fast(static_cast<size_t>(cols)), slow(static_cast<size_t>(cols));
          const ScanFlags a = column_scan(values.data(), rows, cols, stride, fast.view(), checks);
          const ScanFlags b = column_scan_ref(values.data(), rows, 0, cols, stride, slow.view(), checks);
          if (sizeof(T) == 4) fast.wide.assign(fast.wide.size(), 0), slow.wide.assign(slow.wide.size(), 0);  // float is never wide
          EXPECT_EQ(a.not_finite, b.not_finite);
          EXPECT_EQ(a.beyond_window, b.beyond_window) << target_name(target) << " kind " << kind << " cols " << cols;
          EXPECT_TRUE(fast == slow) << target_name(target) << " kind " << kind << " cols " << cols;
        }
      }
    }
  }
  use_target(before);
}

TEST(ColumnScan, FloatsAgreeWithThePlainLoop) {
  agrees_on_every_target<float>();
}
TEST(ColumnScan, DoublesAgreeWithThePlainLoop) {
  agrees_on_every_target<double>();
}

TEST(CountExponents, CountsEachValueAtItsExponent) {
  const int64_t rows = 200, cols = 3;
  auto values = values_of<double>(0, static_cast<size_t>(rows * cols), 5);
  std::mt19937_64 random(6);
  for (double& x : values) x = std::ldexp(x, static_cast<int>(random() % 200) - 100);
  values[3] = 0;
  values[6] = std::nan("");
  std::vector<uint16_t> counts(static_cast<size_t>(cols * kExponentStride)), truth(counts.size());
  count_exponents(values.data(), rows, cols, counts.data());
  for (size_t i = 0; i < values.size(); ++i) {
    const double x = values[i];
    const int place = x == 0 ? 0 : std::isnan(x) ? 255 : (std::ilogb(x) + 1023) & 255;
    ++truth[(i % 3) * kExponentStride + static_cast<size_t>(place)];
  }
  EXPECT_EQ(counts, truth);
}

}  // namespace
}  // namespace sluice::kernels
