#include "sluice/preprocess/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/comm/thread_ranks.h"
#include "sluice/core/error.h"
#include "sluice/core/random.h"
#include "sluice/preprocess/testing.h"

namespace sluice {
namespace {

using sluice::testing::kGap;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// 200 rows: a normal column with a sentinel, one with an outlier, an id, a constant; texts: a level column and numbers with exceptions.
Table suspicious_table() {
  std::vector<double> x;
  for (int i = 0; i < 200; ++i) {
    const double z = Random(2, RandomStage::kSubsample, static_cast<uint64_t>(i)).normal();
    x.push_back(i % 40 == 3 ? -999 : i == 5 ? kGap : z);
    x.push_back(i == 7 ? 1e6 : z + 1);
    x.push_back(i + 1000);
    x.push_back(14.62);
  }
  Table table = testing::numbers(x, 4);
  table.columns[2].type = ColumnType::kInteger;
  std::vector<std::string> cells;
  std::vector<const char*> levels, mixed;
  for (int i = 0; i < 200; ++i) cells.push_back(i % 50 == 0 ? "n/a" : std::to_string(i % 12));
  for (int i = 0; i < 200; ++i) {
    levels.push_back(i % 3 == 0 ? "red" : i % 3 == 1 ? "blue" : i == 2 ? "" : "Red");
    mixed.push_back(cells[static_cast<size_t>(i)].c_str());
  }
  testing::add_texts(table, "colour", levels);
  testing::add_texts(table, "count", mixed);
  return table;
}

TEST(Profile, SeesWhatIsThere) {
  const Table table = suspicious_table();
  Context ctx = testing::context(2);
  const Profile p = profile(table, ctx);
  EXPECT_EQ(p.rows, 200);
  EXPECT_EQ(p.duplicate_rows, 0);
  ASSERT_EQ(p.columns.size(), 6u);
  EXPECT_EQ(p.columns[0].missing, 1);
  EXPECT_THAT(p.columns[0].suspicious, Contains(HasSubstr("-999 occurs 5 times")));
  EXPECT_EQ(p.columns[0].frequent[0].value, "-999");
  EXPECT_THAT(p.columns[1].suspicious, Contains(HasSubstr("1 values lie more than 10")));
  EXPECT_THAT(p.columns[2].suspicious, Contains(HasSubstr("an id?")));
  EXPECT_EQ(p.columns[2].distinct, 200);
  EXPECT_EQ(p.columns[2].quantiles, (std::array<double, 7>{1000, 1009.95, 1049.75, 1099.5, 1149.25, 1189.05, 1199}));
  EXPECT_EQ(p.columns[2].mean, 1099.5);
  EXPECT_TRUE(p.columns[3].constant);
  EXPECT_EQ(p.columns[3].deviation, 0);
  EXPECT_THAT(p.columns[3].suspicious, IsEmpty());
  EXPECT_EQ(p.columns[4].missing, 1);
  EXPECT_EQ(p.columns[4].distinct, 3);
  EXPECT_EQ(p.columns[4].frequent[0].count, 67);
  EXPECT_THAT(p.columns[4].suspicious, Contains(HasSubstr("different capitals")));
  EXPECT_THAT(p.columns[5].suspicious, Contains(HasSubstr("numbers but for 4 cells, such as 'n/a'")));
  const std::string text = profile_text(p);
  EXPECT_THAT(text, HasSubstr("200 rows, 6 columns, 0 rows equal"));
  EXPECT_THAT(text, HasSubstr("a stand-in for missing?"));
  EXPECT_THAT(text, HasSubstr("d: constant"));
}

TEST(Profile, SameForThreadsAndRanks) {
  const Table table = suspicious_table();
  Context one = testing::context(1);
  const std::string want = profile_text(profile(table, one));
  Context three = testing::context(3);
  three.memory = int64_t{1} << 20;
  EXPECT_EQ(profile_text(profile(table, three)), want);
  run_as_ranks(2, [&](Communicator& comm) {
    Context ctx = testing::context(1, 64);
    ctx.comm = &comm;
    EXPECT_EQ(profile_text(profile(table, ctx)), want);
  });
}

TEST(Profile, EmptyColumnsInfinitiesAndOneRow) {
  Context ctx = testing::context();
  const double inf = std::numeric_limits<double>::infinity();
  const Profile p = profile(testing::numbers({kGap, inf, 1, kGap, 2, 1, kGap, 3, 1}, 3), ctx);
  EXPECT_EQ(p.columns[0].missing, 3);
  EXPECT_NE(p.columns[0].mean, p.columns[0].mean);
  EXPECT_EQ(p.columns[0].distinct, 0);
  EXPECT_FALSE(p.columns[0].constant);
  EXPECT_EQ(p.columns[1].infinite, 1);
  EXPECT_THAT(p.columns[1].suspicious, Contains(HasSubstr("1 values are infinite")));
  EXPECT_TRUE(p.columns[2].constant);
  EXPECT_FALSE(profile_text(p).empty());
  EXPECT_EQ(profile(testing::numbers({1, 2}, 2), ctx).rows, 1);
  Table none;
  EXPECT_THROW(profile(none, ctx), Error);
}

TEST(Profile, ManyDistinctValuesAreSaidToBeMany) {
  std::vector<double> x;
  for (int i = 0; i < 100'500; ++i) x.push_back(i * 0.5);
  Context ctx = testing::context(2);
  const Profile p = profile(testing::numbers(x, 1), ctx);
  EXPECT_FALSE(p.columns[0].distinct_exact);
  EXPECT_EQ(p.columns[0].distinct, 100'001);
  EXPECT_THAT(profile_text(p), HasSubstr(">= 100001"));
}

TEST(Profile, HostileTextsStayOnTheirLine) {
  Table table;
  testing::add_texts(table, "evil\n\x1b[31m", {"a\nb", "a\nb", "c\t"});
  Context ctx = testing::context();
  const std::string text = profile_text(profile(table, ctx));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_THAT(text, HasSubstr("ab (2)"));
}

}  // namespace
}  // namespace sluice
