#include "sluice/core/statistics.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

#include "sluice/comm/thread_ranks.h"
#include "sluice/core/context.h"
#include "sluice/core/exact_sum.h"
#include "sluice/core/leaf_scan.h"
#include "sluice/core/source.h"
#include "sluice/kernels/cpu.h"

namespace sluice {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

Statistics measured(const Source& source, int threads = 1, int64_t leaf_rows = 0) {
  Context ctx;
  ctx.threads = threads;
  ctx.leaf_rows = leaf_rows;
  return measure(source, ctx);
}

std::vector<double> normal_values(int64_t count, uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(static_cast<size_t>(count));
  for (double& x : values) x = normal(random);
  return values;
}

// The slow truth, value by value.
ColumnStatistics plain(const std::vector<double>& values, int64_t cols, int64_t col) {
  ColumnStatistics out;
  bool first = true;
  for (int64_t at = col, row = 0; at < static_cast<int64_t>(values.size()); at += cols, ++row) {
    const double x = values[static_cast<size_t>(at)];
    if (x != x) {
      if (out.missing++ == 0) out.first_missing = row;
    } else if (std::isinf(x)) {
      if (out.infinite++ == 0) out.first_infinite = row;
    } else {
      ++out.finite;
      out.zeros += x == 0;
      out.min = first ? x : std::min(out.min, x);
      out.max = first ? x : std::max(out.max, x);
      out.integers &= std::floor(x) == x;
      out.fits_f32 &= std::fabs(x) <= std::numeric_limits<float>::max() && static_cast<double>(static_cast<float>(x)) == x;
      first = false;
    }
  }
  return out;
}

void expect_true(const Statistics& stats, const std::vector<double>& values, int64_t cols) {
  for (int64_t j = 0; j < cols; ++j) {
    SCOPED_TRACE("column " + std::to_string(j));
    const ColumnStatistics& c = stats.columns[static_cast<size_t>(j)];
    const ColumnStatistics truth = plain(values, cols, j);
    EXPECT_EQ(c.missing, truth.missing);
    EXPECT_EQ(c.infinite, truth.infinite);
    EXPECT_EQ(c.first_missing, truth.first_missing);
    EXPECT_EQ(c.first_infinite, truth.first_infinite);
    EXPECT_EQ(c.finite, truth.finite);
    EXPECT_EQ(c.zeros, truth.zeros);
    EXPECT_EQ(c.min, truth.min);
    EXPECT_EQ(c.max, truth.max);
    EXPECT_EQ(c.integers, truth.integers);
    EXPECT_EQ(c.fits_f32, truth.fits_f32);
    std::vector<double> sizes;
    ExactSum sum;
    for (size_t i = static_cast<size_t>(j); i < values.size(); i += static_cast<size_t>(cols)) {
      if (!std::isfinite(values[i]) || values[i] == 0) continue;
      sizes.push_back(std::fabs(values[i]));
      sum.add(sizes.back());
      EXPECT_LT(sizes.back(), std::ldexp(1.0, std::min(c.max_exponent(), 1023)) * (c.max_exponent() > 1023 ? 2 : 1));
    }
    if (sizes.empty()) continue;
    std::sort(sizes.begin(), sizes.end());
    const double median = sizes[(sizes.size() - 1) / 2];
    EXPECT_LE(std::ldexp(1.0, c.median_exponent), median);
    EXPECT_GT(std::ldexp(1.0, c.median_exponent + (std::fabs(std::log2(median)) < 120 ? 1 : 16)), median) << "not tight";
    if (c.sum_exponent < 1023) {
      EXPECT_LT(sum.value(), std::ldexp(1.0, c.sum_exponent));
      const double bound = std::ldexp(1.0, c.sum_exponent - (std::log2(sizes.back()) < 120 && std::log2(sizes[0]) > -120 ? 2 : 18));
      EXPECT_GE(sum.value() * 1.001, bound) << "not tight";
    }
  }
}

void expect_same(const Statistics& a, const Statistics& b) {
  EXPECT_EQ(content_hex(a.content), content_hex(b.content));
  ASSERT_EQ(a.columns.size(), b.columns.size());
  for (size_t j = 0; j < a.columns.size(); ++j) {
    const ColumnStatistics &x = a.columns[j], &y = b.columns[j];
    EXPECT_EQ(std::tie(x.missing, x.infinite, x.first_missing, x.first_infinite, x.zeros, x.finite, x.integers, x.fits_f32,
                       x.median_exponent, x.sum_exponent),
              std::tie(y.missing, y.infinite, y.first_missing, y.first_infinite, y.zeros, y.finite, y.integers, y.fits_f32,
                       y.median_exponent, y.sum_exponent));
    EXPECT_EQ(std::bit_cast<uint64_t>(x.min), std::bit_cast<uint64_t>(y.min));
    EXPECT_EQ(std::bit_cast<uint64_t>(x.max), std::bit_cast<uint64_t>(y.max));
  }
}

TEST(Statistics, AgreeWithThePlainLoopOnHostileValues) {
  std::mt19937_64 random(3);
  for (const int64_t cols : {1, 2, 3, 5, 16, 17, 64, 130, 2500}) {
    for (const int kind : {0, 1, 2, 3, 4}) {
      SCOPED_TRACE(std::to_string(cols) + " columns, kind " + std::to_string(kind));
      const int64_t rows = cols > 1000 ? 19 : 1 + static_cast<int64_t>(random() % 700);
      std::vector<double> values = normal_values(rows * cols, random());
      for (double& x : values) {
        const uint64_t r = random();
        if (kind == 1) x = std::nearbyint(x);
        if (kind == 2 && r % 50 == 0) x = r % 3 == 0 ? kNan : r % 3 == 1 ? kInf : -kInf;
        if (kind == 3) x = std::bit_cast<double>(r);  // the whole range, NaN and infinity too
        if (kind == 4) x = static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(r)));
        if (r % 7 == 0 && kind != 0) x = r % 2 ? 0.0 : -0.0;
      }
      const MemorySource source(values, rows, cols);
      expect_true(measured(source), values, cols);
      expect_true(measured(source, 1, 7), values, cols);
      expect_same(measured(source, 1, 7), measured(source, 3, 7));
    }
  }
}

TEST(Statistics, TheScalarTargetSeesTheSame) {
  const kernels::Target before = kernels::current_target();
  const MemorySource source(normal_values(5000 * 19), 5000, 19);
  const Statistics fast = measured(source);
  ASSERT_EQ(kernels::use_target(kernels::Target::kScalar), kernels::TargetStatus::kOk);
  const Statistics slow = measured(source);
  kernels::use_target(before);
  expect_same(fast, slow);
}

TEST(Statistics, LongLeavesDoNotOverflowTheCounters) {
  const std::vector<double> values(300'000, 1.5);
  const MemorySource source(values, 300'000, 1);
  expect_true(measured(source, 1, 300'000), values, 1);
}

TEST(Statistics, OneHashForAllStorages) {
  const int64_t rows = 5000, cols = 6;
  std::vector<float> narrow;
  for (const double x : normal_values(rows * cols)) narrow.push_back(static_cast<float>(x));
  narrow[77] = -0.0F;
  narrow[1000] = static_cast<float>(kNan);
  const std::vector<double> wide(narrow.begin(), narrow.end());
  const Statistics expected = measured(MemorySource(wide, rows, cols));
  expect_same(expected, measured(MemorySource(DType::kF32, narrow.data(), rows, cols, cols, nullptr)));
  // Rows with a stride, of both types.
  std::vector<float> padded(static_cast<size_t>(rows * 16), 99);
  std::vector<double> padded_wide(static_cast<size_t>(rows * 8), 99);
  for (int64_t i = 0; i < rows; ++i) {
    std::copy_n(narrow.data() + i * cols, cols, padded.data() + i * 16);
    std::copy_n(wide.data() + i * cols, cols, padded_wide.data() + i * 8);
  }
  expect_same(expected, measured(MemorySource(DType::kF32, padded.data(), rows, cols, 16, nullptr)));
  expect_same(expected, measured(MemorySource(DType::kF64, padded_wide.data(), rows, cols, 8, nullptr)));
  char path[] = "/tmp/sluice-statistics-XXXXXX";
  const int fd = ::mkstemp(path);
  ASSERT_EQ(::write(fd, narrow.data(), narrow.size() * 4), static_cast<ssize_t>(narrow.size() * 4));
  expect_same(expected, measured(FileSource(fd, path, Storage::kF32, false, 0, rows, cols, path)));
}

TEST(Statistics, TheHashSeesEveryBitOrderAndShape) {
  std::vector<double> values = normal_values(5000 * 3);
  const auto hash = [&](int64_t rows, int64_t cols) { return content_hex(measured(MemorySource(values, rows, cols)).content); };
  const std::string before = hash(5000, 3);
  EXPECT_EQ(before.size(), 32U);
  EXPECT_NE(hash(3000, 5), before);
  for (const size_t at : {size_t{0}, size_t{7777}, values.size() - 1}) {
    const double kept = values[at];
    values[at] = std::nextafter(kept, kInf);
    EXPECT_NE(hash(5000, 3), before);
    values[at] = kept;
  }
  std::swap_ranges(values.begin(), values.begin() + 3, values.begin() + 3);
  EXPECT_NE(hash(5000, 3), before);
  std::swap_ranges(values.begin(), values.begin() + 3, values.begin() + 3);
  EXPECT_EQ(hash(5000, 3), before);
}

TEST(Statistics, NanPayloadsAreOneValue) {
  std::vector<double> values = normal_values(300);
  const auto hash = [&](double x) {
    values[123] = x;
    return measured(MemorySource(values, 100, 3)).content;
  };
  EXPECT_EQ(hash(kNan), hash(-kNan));
  EXPECT_EQ(hash(kNan), hash(std::bit_cast<double>(uint64_t{0x7ff8123456789abc})));
  EXPECT_NE(hash(kNan), hash(kInf));
}

TEST(Statistics, SameForAnyThreadsAndRanks) {
  std::vector<double> values = normal_values(4000 * 5);
  values[5 * 2000 + 1] = kNan;
  values[5 * 3000 + 1] = kNan;
  values[5 * 1234 + 2] = -kInf;
  values[3] = 0.0;
  values[8] = -0.0;
  const MemorySource source(values, 4000, 5);
  const Statistics expected = measured(source, 1, 50);
  for (const int ranks : {1, 2, 3}) {
    for (const int threads : {1, 2, 8}) {
      run_as_ranks(ranks, [&](Communicator& comm) {
        Context ctx;
        ctx.comm = &comm;
        ctx.threads = threads;
        ctx.leaf_rows = 50;
        expect_same(measure(source, ctx), expected);
      });
    }
  }
}

TEST(Statistics, TheLeastIsNeverMinusZero) {
  for (const std::vector<double>& values :
       {std::vector<double>{0.0, -0.0}, std::vector<double>{-0.0, 0.0}, std::vector<double>{-0.0, -0.0}}) {
    const Statistics stats = measured(MemorySource(values, 2, 1));
    EXPECT_FALSE(std::signbit(stats.columns[0].min));
    EXPECT_FALSE(std::signbit(stats.columns[0].max));
    EXPECT_EQ(stats.columns[0].zeros, 2);
  }
}

TEST(Statistics, OfNoRowsAndOfNothingFinite) {
  const Statistics none = measured(MemorySource(std::vector<double>{}, 0, 3));
  EXPECT_EQ(none.columns.size(), 3U);
  EXPECT_EQ(none.columns[0].finite, 0);
  EXPECT_TRUE(none.clean());
  const Statistics bad = measured(MemorySource({kNan, kInf}, 2, 1));
  EXPECT_EQ(bad.columns[0].finite, 0);
  EXPECT_EQ(bad.columns[0].min, 0);
  EXPECT_FALSE(bad.clean());
}

TEST(Bins, CoverEveryExponentOnce) {
  int last = -1;
  for (int exponent = -1074; exponent < 1024; ++exponent) {
    const int bin = detail::bin_of(exponent);
    ASSERT_TRUE(bin == last || bin == last + 1 || last == -1);
    ASSERT_LT(bin, detail::kBins);
    ASSERT_LE(detail::edges_of(bin).low, exponent);
    ASSERT_GT(detail::edges_of(bin).high, exponent);
    last = bin;
  }
  EXPECT_EQ(last, detail::kBins - 1);
}

std::string refusal(std::vector<double> values, int64_t rows, int64_t cols, ErrorCode code) {
  MemorySource source(std::move(values), rows, cols);
  source.names = {"height", "weight"};
  source.stats = measured(source);
  try {
    require_clean(source);
  } catch (const Error& e) {
    EXPECT_EQ(e.code, code);
    return e.what();
  }
  return "";
}

TEST(RequireClean, NamesCountAndFirstPlace) {
  EXPECT_EQ(refusal({1, 2, 3, 4}, 2, 2, ErrorCode::kBadInput), "");
  const std::string text = refusal({1, 2, 3, kNan, kInf, kNan}, 3, 2, ErrorCode::kBadInput);
  EXPECT_NE(text.find("row 1, column weight"), std::string::npos) << text;
  EXPECT_NE(text.find("2 missing (NaN) and 1 infinite"), std::string::npos) << text;
}

TEST(RequireClean, RefusesSquaresThatOverflow) {
  EXPECT_EQ(refusal({1e38, 1, -1e150, 1}, 2, 2, ErrorCode::kNumerical), "");
  EXPECT_NE(refusal({1, 1e200, 1, 1}, 2, 2, ErrorCode::kNumerical).find("column weight"), std::string::npos);
  EXPECT_NE(refusal({-1e160, 1, 1, 1}, 2, 2, ErrorCode::kNumerical).find("column height"), std::string::npos);
}

TEST(RequireClean, RefusesASourceThatWasNotMeasured) {
  const MemorySource source({1, 2}, 2, 1);
  EXPECT_THROW(require_clean(source), Error);
}

}  // namespace
}  // namespace sluice
