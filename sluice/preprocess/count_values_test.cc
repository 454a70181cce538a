#include <gtest/gtest.h>

#include <map>

#include "sluice/comm/thread_ranks.h"
#include "sluice/core/random.h"
#include "sluice/preprocess/frequent.h"
#include "sluice/preprocess/testing.h"

namespace sluice {
namespace {

using sluice::testing::kGap;

constexpr int64_t kRows = 60'000;
constexpr int64_t kColumns = 24;
constexpr int64_t kLimit = 20'000;

// Column j draws from so many values; one column in six has a value of its own in every row, and gaps.
std::vector<double> many_values() {
  std::vector<double> x;
  for (int64_t i = 0; i < kRows; ++i) {
    for (int64_t j = 0; j < kColumns; ++j) {
      const uint64_t bits = Random(5, RandomStage::kSubsample, static_cast<uint64_t>(i * kColumns + j)).bits();
      const auto own = static_cast<double>(i) + 0.5;
      const auto drawn = static_cast<double>(bits % static_cast<uint64_t>(1 + j * 900)) - 3;
      x.push_back(j % 6 == 5 ? (i % 7 == 0 ? kGap : own) : bits % 101 == 0 ? -0.0 : drawn);
    }
  }
  return x;
}

std::vector<ValueCounts> plain_counts(const std::vector<double>& x, size_t most) {
  std::vector<ValueCounts> out;
  for (int64_t j = 0; j < kColumns; ++j) {
    std::map<double, int64_t> counts;
    for (int64_t i = 0; i < kRows; ++i) {
      if (const double value = x[static_cast<size_t>(i * kColumns + j)]; value == value) ++counts[value + 0.0];
    }
    ValueCounts one;
    one.distinct = static_cast<int64_t>(counts.size());
    one.complete = one.distinct <= kLimit;
    if (!one.complete) one.distinct = kLimit + 1;
    std::vector<std::pair<double, int64_t>> order(counts.begin(), counts.end());
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    for (size_t v = 0; one.complete && v < std::min(most, order.size()); ++v) {
      one.values.push_back(order[v].first);
      one.counts.push_back(order[v].second);
    }
    out.push_back(std::move(one));
  }
  return out;
}

void expect_equal(const std::vector<ValueCounts>& got, const std::vector<ValueCounts>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t j = 0; j < want.size(); ++j) {
    EXPECT_EQ(got[j].complete, want[j].complete) << j;
    EXPECT_EQ(got[j].distinct, want[j].distinct) << j;
    EXPECT_EQ(got[j].values, want[j].values) << j;
    EXPECT_EQ(got[j].counts, want[j].counts) << j;
  }
}

TEST(CountValues, AsCountedOneByOneForAnyThreadsRanksAndMemory) {
  const std::vector<double> x = many_values();
  const std::vector<ValueCounts> want = plain_counts(x, 5);
  const Table table = testing::numbers(x, kColumns);
  for (const int64_t memory : {int64_t{1} << 20, int64_t{24} << 20, int64_t{1} << 40}) {
    for (const int threads : {1, 3}) {
      Context ctx = testing::context(threads);
      ctx.memory = memory;
      expect_equal(count_values(*table.numbers, kLimit, 5, ctx), want);
    }
  }
  run_as_ranks(3, [&](Communicator& comm) {
    Context ctx = testing::context(2);
    ctx.comm = &comm;
    ctx.memory = int64_t{1} << (20 + 2 * comm.rank());  // what each puts off differs
    expect_equal(count_values(*table.numbers, kLimit, 5, ctx), want);
  });
}

}  // namespace
}  // namespace sluice
