#include "sluice/core/quantiles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sluice/comm/thread_ranks.h"
#include "sluice/core/random.h"

namespace sluice {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Context context(int threads, int64_t leaf = 0, int64_t memory = int64_t{1} << 40) {
  Context ctx;
  ctx.threads = threads;
  ctx.leaf_rows = leaf;
  ctx.memory = memory;
  return ctx;
}

// Columns of several kinds: normal, far from 0, whole, huge range, mostly equal, with gaps.
std::vector<double> mixed(int64_t rows) {
  std::vector<double> x;
  for (int64_t i = 0; i < rows; ++i) {
    Random random(7, RandomStage::kSubsample, static_cast<uint64_t>(i));
    x.push_back(random.normal());
    x.push_back(1e8 + random.uniform());
    x.push_back(static_cast<double>(random.below(17)) - 3);
    x.push_back((random.uniform() - 0.5) * std::ldexp(1.0, static_cast<int>(random.below(600)) - 300));
    x.push_back(random.below(10) < 9 ? -0.0 : 0.25);
    x.push_back(random.below(4) == 0 ? kNaN : random.normal() * 1e-5);
  }
  return x;
}
constexpr int64_t kCols = 6;

std::vector<double> column(const std::vector<double>& x, int64_t j, int64_t cols) {
  std::vector<double> out;
  for (size_t i = static_cast<size_t>(j); i < x.size(); i += static_cast<size_t>(cols)) {
    if (x[i] == x[i]) out.push_back(x[i] + 0.0);
  }
  std::sort(out.begin(), out.end());
  return out;
}

double plain_quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return kNaN;
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(std::floor(at));
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return interpolate(sorted[below], sorted[above], at - std::floor(at));
}

TEST(Quantiles, EqualThoseOfASortedColumn) {
  const std::vector<double> q = {0, 0.05, 0.25, 0.5, 0.75, 0.95, 1, 0.3333};
  for (const int64_t rows : {1, 2, 3, 100, 5000, 120'000}) {
    const std::vector<double> x = mixed(rows);
    MemorySource source(x, rows, kCols);
    for (const bool measured : {false, true}) {
      Context ctx = context(2);
      if (measured) source.stats = measure(source, ctx);
      const Matrix<double> got = column_quantiles(source, q, ctx);
      for (int64_t j = 0; j < kCols; ++j) {
        const std::vector<double> sorted = column(x, j, kCols);
        for (size_t i = 0; i < q.size(); ++i) {
          const double want = plain_quantile(sorted, q[i]);
          const double mine = got(static_cast<int64_t>(i), j);
          if (want != want) {
            EXPECT_NE(mine, mine);
          } else {
            EXPECT_EQ(mine, want) << rows << " rows, column " << j << ", q " << q[i];
          }
        }
      }
    }
  }
}

TEST(Quantiles, SameBitsForThreadsLeavesMemoryAndRanks) {
  const int64_t rows = 60'000;
  MemorySource source(mixed(rows), rows, kCols);
  Context one = context(1);
  source.stats = measure(source, one);
  const std::vector<double> q = {0.1, 0.5, 0.77};
  const Matrix<double> want = column_quantiles(source, q, one);
  for (const int threads : {2, 3}) {
    for (const int64_t leaf : {0, 7, 8193}) {
      for (const int64_t memory : {int64_t{1} << 20, int64_t{1} << 40}) {
        Context ctx = context(threads, leaf, memory);
        EXPECT_EQ(column_quantiles(source, q, ctx), want);
      }
    }
  }
  run_as_ranks(3, [&](Communicator& comm) {
    Context ctx = context(1);
    ctx.comm = &comm;
    ctx.memory = comm.rank() == 1 ? int64_t{1} << 20 : int64_t{1} << 40;  // ranks may have different memory
    EXPECT_EQ(column_quantiles(source, q, ctx), want);
  });
}

TEST(Quantiles, InfinitiesAreOrderedAndEmptyColumnsAreNaN) {
  const double inf = std::numeric_limits<double>::infinity();
  MemorySource source({1, kNaN, inf, kNaN, -inf, kNaN}, 3, 2);
  Context ctx = context(1);
  source.stats = measure(source, ctx);
  const Matrix<double> got = column_quantiles(source, std::vector<double>{0, 0.5, 1}, ctx);
  EXPECT_EQ(got(0, 0), -inf);
  EXPECT_EQ(got(1, 0), 1);
  EXPECT_EQ(got(2, 0), inf);
  EXPECT_NE(got(1, 1), got(1, 1));
  EXPECT_THROW(column_quantiles(source, std::vector<double>{1.5}, ctx), Error);
}

// The least value at or below which lies half the weight, by sorting.
double plain_median(std::vector<std::pair<double, double>> weighted) {
  std::sort(weighted.begin(), weighted.end());
  double total = 0;
  for (const auto& [x, w] : weighted) total += w;
  double sum = 0;
  for (const auto& [x, w] : weighted) {
    sum += w;
    if (w > 0 && sum * 2 >= total) return x + 0.0;
  }
  return kNaN;
}

void check_medians(int64_t rows, int64_t groups, bool weighted, int threads, int64_t memory) {
  const std::vector<double> x = mixed(rows);
  MemorySource source(x, rows, kCols);
  std::vector<double> weights(static_cast<size_t>(rows), 1);
  if (weighted) {
    for (int64_t i = 0; i < rows; ++i) weights[static_cast<size_t>(i)] = static_cast<double>(i % 5) * 0.25;
    source.set_weights(weights);
  }
  Context ctx = context(threads, 0, memory);
  source.stats = measure(source, ctx);
  RowColumn<int32_t> labels(leaf_range(rows, kCols, ctx), 0);
  for (int64_t i = 0; i < rows; ++i) labels[i] = static_cast<int32_t>((i * 7919) % (groups + 1)) - 1;  // -1: no group
  const Matrix<double> got = group_lower_medians(source, labels, groups, ctx);
  for (int64_t g = 0; g < groups; ++g) {
    for (int64_t j = 0; j < kCols; ++j) {
      std::vector<std::pair<double, double>> mine;
      for (int64_t i = 0; i < rows; ++i) {
        const double value = x[static_cast<size_t>(i * kCols + j)];
        if (labels[i] == g && value == value) mine.emplace_back(value, weights[static_cast<size_t>(i)]);
      }
      const double want = plain_median(std::move(mine));
      if (want != want) {
        EXPECT_NE(got(g, j), got(g, j));
      } else {
        EXPECT_EQ(got(g, j), want) << rows << " rows, group " << g << ", column " << j << (weighted ? ", weighted" : "");
      }
    }
  }
}

TEST(GroupMedians, EqualThoseOfSortedGroups) {
  for (const bool weighted : {false, true}) {
    check_medians(5, 8, weighted, 1, int64_t{1} << 40);  // empty groups
    check_medians(1000, 3, weighted, 2, int64_t{1} << 40);
    check_medians(70'000, 5, weighted, 3, int64_t{1} << 40);
    check_medians(70'000, 40, weighted, 2, int64_t{1} << 20);  // columns in groups, few bits a pass
  }
}

TEST(GroupMedians, UnevenWeightsAndRanksAgree) {
  const int64_t rows = 20'000;
  MemorySource source(mixed(rows), rows, kCols);
  std::vector<double> weights;
  for (int64_t i = 0; i < rows; ++i) weights.push_back(0.1 + static_cast<double>(i % 13) / 7);
  source.set_weights(weights);
  Matrix<double> want;
  {
    Context ctx = context(1);
    source.stats = measure(source, ctx);
    RowColumn<int32_t> labels(leaf_range(rows, kCols, ctx), 0);
    for (int64_t i = 0; i < rows; ++i) labels[i] = static_cast<int32_t>(i % 3);
    want = group_lower_medians(source, labels, 3, ctx);
  }
  run_as_ranks(2, [&](Communicator& comm) {
    Context ctx = context(2);
    ctx.comm = &comm;
    RowColumn<int32_t> labels(leaf_range(rows, kCols, ctx), 0);
    for (int64_t i = labels.first_row(); i < labels.last_row(); ++i) labels[i] = static_cast<int32_t>(i % 3);
    EXPECT_EQ(group_lower_medians(source, labels, 3, ctx), want);
  });
}

}  // namespace
}  // namespace sluice
