#include "sluice/core/duplicates.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "sluice/comm/thread_ranks.h"
#include "sluice/core/random.h"

namespace sluice {

bool operator==(const Duplicate& a, const Duplicate& b) {
  return a.row == b.row && a.witness == b.witness;
}

namespace {

const double kGap = std::numeric_limits<double>::quiet_NaN();

Context context(int threads = 1, int64_t leaf = 0) {
  Context ctx;
  ctx.threads = threads;
  ctx.leaf_rows = leaf;
  return ctx;
}

Table numbers(std::vector<double> values, int64_t cols) {
  Table table;
  table.rows = static_cast<int64_t>(values.size()) / cols;
  table.numbers = std::make_shared<MemorySource>(std::move(values), table.rows, cols);
  return table;
}

void add_texts(Table& table, const std::vector<const char*>& cells) {
  auto column = std::make_shared<TextColumn>();
  for (const std::string_view cell : cells) cell.empty() ? column->append_missing() : column->append(cell);
  table.rows = static_cast<int64_t>(cells.size());
  table.texts.push_back(std::move(column));
}

TEST(Duplicates, GapsAndZerosAreValues) {
  Table table = numbers({1, kGap, 1, 2, 1, -kGap, 0.0, 5, -0.0, 5, 1, 2, 1, kGap}, 2);
  Context ctx = context();
  EXPECT_EQ(find_duplicates(table, ctx), (std::vector<Duplicate>{{2, 0}, {4, 3}, {5, 1}, {6, 0}}));
}

TEST(Duplicates, TextsCountTooAndKeepTheirCells) {
  Table table = numbers({1, 1, 1, 1, 1}, 1);
  add_texts(table, {"ab", "a", "ab", "a", ""});
  add_texts(table, {"c", "bc", "c", "bd", ""});
  Context ctx = context();
  EXPECT_EQ(find_duplicates(table, ctx), (std::vector<Duplicate>{{2, 0}}));
  Table only;
  add_texts(only, {"x", "", "x", ""});
  EXPECT_EQ(find_duplicates(only, ctx), (std::vector<Duplicate>{{2, 0}, {3, 1}}));
}

TEST(Duplicates, OnlyRowsOfOneClassAreEqual) {
  const MemorySource rows({1, 1, 1, -0.0, 0.0, 1}, 6, 1);
  const std::vector<int32_t> classes{0, 1, 0, -1, -1, 1};
  Context ctx = context();
  EXPECT_EQ(find_duplicates(rows, classes, ctx), (std::vector<Duplicate>{{2, 0}, {4, 3}, {5, 1}}));
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
  Table table = numbers(x, 3);
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
