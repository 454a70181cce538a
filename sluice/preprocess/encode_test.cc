#include "sluice/preprocess/encode.h"

#include <gtest/gtest.h>

#include "sluice/preprocess/impute.h"
#include "sluice/preprocess/testing.h"

namespace sluice {
namespace {

const LevelCounts kCounts = {{"a", 5}, {"b", 1}, {"c", 5}, {"d", 2}, {"other", 3}};

TEST(Encode, CountsLevelsInByteOrderWithoutGaps) {
  Table table;
  testing::add_texts(table, "t", {"b", "", "a", "\xC3\xA4", "b", "Z"});
  EXPECT_EQ(level_counts(*table.texts[0], {}), (LevelCounts{{"Z", 1}, {"a", 1}, {"b", 2}, {"\xC3\xA4", 1}}));
  EXPECT_EQ(level_counts(*table.texts[0], std::vector<int64_t>{1, 2, 4}), (LevelCounts{{"a", 1}, {"b", 1}}));
}

TEST(Encode, RareLevelsAreGrouped) {
  const Levels all = choose_levels(kCounts, 16, 0, 5);
  EXPECT_FALSE(all.other);
  EXPECT_EQ(all.kept.size(), 5u);
  const Levels count = choose_levels(kCounts, 16, 3, 64);  // b and d are rare, and "other" joins them
  EXPECT_TRUE(count.other);
  EXPECT_EQ(count.kept, (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(count.grouped, 3);
  EXPECT_EQ(choose_levels(kCounts, 16, 0.15, 64).kept, (std::vector<std::string>{"a", "c"}));  // 2.4 rows
  const Levels few = choose_levels(kCounts, 16, 0, 2);  // of a and c, equally frequent, the first stays
  EXPECT_EQ(few.kept, (std::vector<std::string>{"a"}));
  EXPECT_TRUE(few.other);
}

TEST(Encode, CodesOfRows) {
  Table table;
  testing::add_texts(table, "t", {"a", "", "c", "x"});
  const std::vector<std::string> kept = {"a", "c"};
  EXPECT_EQ(level_codes(*table.texts[0], kept, true, "a"), (std::vector<int32_t>{0, 0, 1, 2}));
  EXPECT_EQ(level_codes(*table.texts[0], kept, false, ""), (std::vector<int32_t>{0, kMissingLevel, 1, kNoLevel}));
}

TEST(Encode, FillOfTexts) {
  EXPECT_EQ(impute_text_fit(kCounts, Impute::kMedian, "m"), "a");
  EXPECT_EQ(impute_text_fit(kCounts, Impute::kConstant, "m"), "m");
  EXPECT_EQ(impute_text_fit({}, Impute::kMostFrequent, "m"), "");
}

}  // namespace
}  // namespace sluice
