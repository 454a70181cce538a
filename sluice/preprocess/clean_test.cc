#include "sluice/preprocess/clean.h"

#include <gtest/gtest.h>

#include <map>

#include "sluice/comm/thread_ranks.h"
#include "sluice/core/random.h"
#include "sluice/preprocess/testing.h"

namespace sluice {

bool operator==(const Duplicate& a, const Duplicate& b) {
  return a.row == b.row && a.witness == b.witness;
}

namespace {

using testing::context;
using testing::kGap;

TEST(Duplicates, GapsAndZerosAreValues) {
  Table table = testing::numbers({1, kGap, 1, 2, 1, -kGap, 0.0, 5, -0.0, 5, 1, 2, 1, kGap}, 2);
  Context ctx = context();
  EXPECT_EQ(find_duplicates(table, ctx), (std::vector<Duplicate>{{2, 0}, {4, 3}, {5, 1}, {6, 0}}));
}

TEST(Duplicates, TextsCountTooAndKeepTheirCells) {
  Table table = testing::numbers({1, 1, 1, 1, 1}, 1);
  testing::add_texts(table, "s", {"ab", "a", "ab", "a", ""});
  testing::add_texts(table, "t", {"c", "bc", "c", "bd", ""});
  Context ctx = context();
  EXPECT_EQ(find_duplicates(table, ctx), (std::vector<Duplicate>{{2, 0}}));
  Table only;
  testing::add_texts(only, "s", {"x", "", "x", ""});
  EXPECT_EQ(find_duplicates(only, ctx), (std::vector<Duplicate>{{2, 0}, {3, 1}}));
}

TEST(Duplicates, EqualAPlainSearchWhateverTheMachine) {
  const int64_t rows = 60'000;
  std::vector<double> x;
  std::map<std::vector<double>, int64_t> first;
  std::vector<Duplicate> want;
  for (int64_t i = 0; i < rows; ++i) {
    Random random(5, RandomStage::kSubsample, static_cast<uint64_t>(i));
    const std::vector<double> row = {static_cast<double>(random.below(100)), static_cast<double>(random.below(100)),
                                     static_cast<double>(random.below(20))};
    x.insert(x.end(), row.begin(), row.end());
    const auto [at, fresh] = first.emplace(row, i);
    if (!fresh) want.push_back({i, at->second});
  }
  ASSERT_GT(want.size(), 1000u);
  Table table = testing::numbers(x, 3);
  for (const int threads : {1, 2, 3}) {
    for (const int64_t memory : {int64_t{1} << 20, int64_t{1} << 40}) {  // the small one takes two passes
      Context ctx = context(threads, threads == 3 ? 7 : 0);
      ctx.memory = memory;
      EXPECT_TRUE(find_duplicates(table, ctx) == want);
    }
  }
  run_as_ranks(3, [&](Communicator& comm) {
    Context ctx = context();
    ctx.comm = &comm;
    EXPECT_TRUE(find_duplicates(table, ctx) == want);
  });
}

}  // namespace
}  // namespace sluice
