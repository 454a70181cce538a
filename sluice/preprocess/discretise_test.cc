#include "sluice/preprocess/discretise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "sluice/core/error.h"
#include "sluice/preprocess/testing.h"

namespace sluice {
namespace {

using testing::add_texts;
using testing::context;
using testing::kGap;
using testing::numbers;

std::vector<std::vector<std::string>> baskets_in(const BasketSet& set) {
  std::vector<std::vector<std::string>> out;
  for (int64_t i = 0; i < set.rows(); ++i) {
    out.emplace_back();
    int32_t before = -1;
    for (const int32_t item : set.basket(i)) {
      EXPECT_GT(item, before);
      before = item;
      out.back().push_back(set.names.empty() ? set.numbers[static_cast<size_t>(item)] : set.names[static_cast<size_t>(item)]);
    }
  }
  return out;
}

using Lines = std::vector<std::vector<std::string>>;

TEST(Discretise, TextsAndFewNumbersAreItemsAsTheyAre) {
  Table table = numbers({1, 2, 2, kGap}, 1);
  add_texts(table, "odor", {"foul", "none", "", "a=b"});
  Context ctx = context();
  const BasketSet set = table_baskets(table, 3, BinStrategy::kQuantile, ctx);
  EXPECT_EQ(baskets_in(set), (Lines{{"a=1", "odor=foul"}, {"a=2", "odor=none"}, {"a=2"}, {"odor=a=b"}}));
  EXPECT_EQ(set.names, (std::vector<std::string>{"a=1", "a=2", "odor=a=b", "odor=foul", "odor=none"}));
}

TEST(Discretise, QuantileBinsHoldEquallyMany) {
  std::vector<double> values;
  for (int i = 0; i < 100; ++i) values.push_back((i * 37 % 100) * 0.5);
  Context ctx = context(2, 16);
  const BasketSet set = table_baskets(numbers(values, 1), 4, BinStrategy::kQuantile, ctx);
  ASSERT_EQ(set.n_items(), 4);
  std::vector<int> count(4);
  for (const int32_t item : set.items) ++count[static_cast<size_t>(item)];
  EXPECT_EQ(count, (std::vector<int>{25, 25, 25, 25}));
  EXPECT_EQ(set.names[0], "a=[0, 12.375)");  // numpy.quantile(values, 0.25)
  EXPECT_EQ(set.names[3], "a=[37.125, 49.5]");
}

TEST(Discretise, UniformBinsAreOfEqualWidth) {
  Context ctx = context();
  const BasketSet set = table_baskets(numbers({0, 1, 2, 3, 10, 4.99, 5}, 1), 2, BinStrategy::kUniform, ctx);
  EXPECT_EQ(baskets_in(set), (Lines{{"a=[0, 5)"}, {"a=[0, 5)"}, {"a=[0, 5)"}, {"a=[0, 5)"}, {"a=[5, 10]"}, {"a=[0, 5)"}, {"a=[5, 10]"}}));
}

TEST(Discretise, EqualQuantilesAreOneEdge) {
  Context ctx = context();
  const BasketSet set = table_baskets(numbers({0, 0, 0, 0, 0, 0, 0, 1, 2, 3}, 1), 3, BinStrategy::kQuantile, ctx);
  const Lines lines = baskets_in(set);
  EXPECT_EQ(lines[0], lines[6]);
  for (const auto& line : lines) EXPECT_EQ(line.size(), 1U);
}

TEST(Discretise, InfiniteValuesAreOutermostAndConstantsOneItem) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  Context ctx = context();
  for (const BinStrategy strategy : {BinStrategy::kUniform, BinStrategy::kQuantile}) {
    const Lines lines = baskets_in(table_baskets(numbers({-kInf, 0, 1, 2, 3, kInf}, 1), 2, strategy, ctx));
    EXPECT_EQ(lines[0], lines[1]);
    EXPECT_EQ(lines[4], lines[5]);
    EXPECT_NE(lines[0], lines[5]);
  }
  EXPECT_EQ(baskets_in(table_baskets(numbers({7, 7, 7}, 1), 5, BinStrategy::kQuantile, ctx)), (Lines{{"a=7"}, {"a=7"}, {"a=7"}}));
  EXPECT_EQ(baskets_in(table_baskets(numbers({kGap, kGap}, 1), 5, BinStrategy::kQuantile, ctx)), (Lines{{}, {}}));
}

TEST(Discretise, ThreadsAndLeavesChangeNothing) {
  std::vector<double> values;
  for (int i = 0; i < 3000; ++i) values.push_back(std::fmod(i * 0.7548776662466927, 1.0) * (i % 3));
  const Table table = numbers(values, 3);
  Context one = context();
  const BasketSet expected = table_baskets(table, 7, BinStrategy::kQuantile, one);
  for (const auto& [threads, leaf] : {std::pair{2, 16}, {3, 64}, {8, 1000}}) {
    Context ctx = context(threads, leaf);
    const BasketSet set = table_baskets(numbers(values, 3), 7, BinStrategy::kQuantile, ctx);
    EXPECT_EQ(set.items, expected.items);
    EXPECT_EQ(set.names, expected.names);
  }
}

TEST(LongBaskets, RowsOfOneTransactionAreOneBasket) {
  Table table;
  add_texts(table, "transaction", {"a", "b", "a", "c", "b", "b"});
  add_texts(table, "item", {"milk", "tea", "bread", "", "tea", "milk"});
  Context ctx = context();
  EXPECT_EQ(baskets_in(long_baskets(table, 0, 1, ctx)), (Lines{{"bread", "milk"}, {"milk", "tea"}, {}}));
  const BasketSet whole = long_baskets(numbers({1, 30, 2, 4, 1, 4, 1, 30}, 2), 0, 1, ctx);
  EXPECT_EQ(baskets_in(whole), (Lines{{"4", "30"}, {"4"}}));
  EXPECT_TRUE(whole.names.empty());
}

TEST(LongBaskets, EveryRowNamesItsTransaction) {
  Table table;
  add_texts(table, "transaction", {"a", ""});
  add_texts(table, "item", {"milk", "tea"});
  Context ctx = context();
  EXPECT_THROW(long_baskets(table, 0, 1, ctx), Error);
}

}  // namespace
}  // namespace sluice
