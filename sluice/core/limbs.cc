#include "sluice/core/limbs.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include "sluice/core/error.h"

namespace sluice {
namespace {

int ceil_log2(int64_t n) {
  return n <= 1 ? 0 : std::bit_width(static_cast<uint64_t>(n - 1));
}

constexpr int kFinest = 1074;  // every double is a multiple of 2^-1074, and 1.5 * 2^(52 - 1074) is still a normal one

// Fraction bits of a limb whose values are below 2^exponent and add up to less than 2^sum_exponent.
int fraction_bits_for(int exponent, int sum_exponent) {
  return std::min({62 - sum_exponent, 51 - exponent, kFinest});
}

int limbs_needed(const LimbFormat::Range& range, int log_count) {
  constexpr int kMost = 64;
  int fraction = fraction_bits_for(range.max_exponent, range.sum_exponent);
  for (int limbs = 1; limbs < kMost; ++limbs) {
    if (-fraction <= range.median_exponent - 40 || fraction == kFinest) return limbs;
    fraction = fraction_bits_for(-fraction, log_count - fraction);
  }
  return kMost;
}

// a + b = high + low exactly (Knuth's two-sum).
LimbFormat::Total two_sum(double a, double b) {
  const double high = a + b;
  const double part = high - a;
  return {high, (a - (high - part)) + (b - part)};
}

}  // namespace

LimbFormat::LimbFormat(std::span<const Range> columns, int64_t count) : cols_(static_cast<int64_t>(columns.size())) {
  const int log_count = ceil_log2(count);
  int most = 1;
  for (const Range& range : columns) {
    // Beyond these 1.5 * 2^(52 - F) or the sum itself is no double.
    if (range.max_exponent > 1021 || range.sum_exponent > 1023) {
      fail(ErrorCode::kNumerical, "sum " + std::to_string(&range - columns.data()), "it might leave the range of double precision",
           "scale the data down");
    }
    most = std::max(most, limbs_needed(range, log_count));
  }
  limbs_ = 1;
  while (limbs_ < most) limbs_ *= 2;
  magic_.resize(static_cast<size_t>(size()));
  fraction_.resize(static_cast<size_t>(size()));
  for (int64_t j = 0; j < cols_; ++j) {
    const Range& range = columns[static_cast<size_t>(j)];
    int fraction = fraction_bits_for(range.max_exponent, range.sum_exponent);
    for (int limb = 0; limb < limbs_; ++limb) {
      const size_t at = static_cast<size_t>(limb * cols_ + j);
      fraction_[at] = fraction;
      magic_[at] = std::ldexp(1.5, 52 - fraction);
      fraction = fraction_bits_for(-fraction, log_count - fraction);
    }
  }
}

LimbFormat::Total LimbFormat::total(const int64_t* sums, int64_t count, int64_t col) const {
  Total sum;
  for (int limb = limbs_ - 1; limb >= 0; --limb) {  // the smallest first
    const size_t at = static_cast<size_t>(limb * cols_ + col);
    const uint64_t pattern = std::bit_cast<uint64_t>(magic_[at]);
    const auto units = static_cast<int64_t>(static_cast<uint64_t>(sums[at]) - static_cast<uint64_t>(count) * pattern);
    if (units == 0) continue;  // most columns of sparse rows
    // Two exact halves: 32 low bits, and the rest.
    const int64_t low = units & 0xffffffff;
    const double parts[2] = {std::ldexp(static_cast<double>(low), -fraction_[at]),
                             std::ldexp(static_cast<double>(units - low), -fraction_[at])};
    for (const double part : parts) {
      const Total high = two_sum(sum.high, part);
      sum = two_sum(high.high, high.low + sum.low);
    }
  }
  return sum;
}

double LimbFormat::mean(const int64_t* sums, int64_t count, int64_t col, double divisor) const {
  const Total sum = total(sums, count, col);
  const double first = sum.high / divisor;
  const double rest = std::fma(-first, divisor, sum.high) + sum.low;
  return first + rest / divisor;
}

std::vector<LimbFormat::Range> ranges_of(const Statistics& stats) {
  std::vector<LimbFormat::Range> ranges;
  ranges.reserve(stats.columns.size());
  for (const ColumnStatistics& column : stats.columns) {
    ranges.push_back({column.max_exponent(), column.median_exponent, column.sum_exponent});
  }
  return ranges;
}

}  // namespace sluice
