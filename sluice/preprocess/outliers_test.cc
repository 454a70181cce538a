#include "sluice/preprocess/outliers.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sluice/preprocess/frequent.h"
#include "sluice/preprocess/impute.h"
#include "sluice/preprocess/preprocess_sklearn.h"
#include "sluice/preprocess/testing.h"

namespace sluice {
namespace {

using testing::context;
using testing::kGap;

constexpr double kMost = std::numeric_limits<double>::max();

TEST(Outliers, LimitsByEachMethod) {
  // 0..100, a constant, and one with a gap.
  std::vector<double> x;
  for (int i = 0; i <= 100; ++i) {
    x.push_back(i);
    x.push_back(3);
    x.push_back(i == 50 ? kGap : -i);
  }
  Table table = testing::numbers(x, 3);
  Context ctx = context(2);
  table.numbers->stats = measure(*table.numbers, ctx);
  OutlierOptions options;
  options.lower_quantile = 0.05;
  options.upper_quantile = 0.9;
  const Limits w = outlier_limits(*table.numbers, Outliers::kWinsorize, options, ctx);
  EXPECT_EQ(w.low[0], 5);
  EXPECT_EQ(w.high[0], 90);
  EXPECT_EQ(w.low[1], 3);
  EXPECT_EQ(w.high[1], 3);
  const Limits z = outlier_limits(*table.numbers, Outliers::kZScore, options, ctx);
  const double deviation = std::sqrt((101.0 * 101 - 1) / 12);
  EXPECT_NEAR(z.low[0], 50 - 3 * deviation, 1e-12);
  EXPECT_NEAR(z.high[0], 50 + 3 * deviation, 1e-12);
  EXPECT_EQ(z.low[1], -kMost);
  const Limits q = outlier_limits(*table.numbers, Outliers::kIqr, options, ctx);
  EXPECT_EQ(q.low[0], 25 - 150);
  EXPECT_EQ(q.high[0], 75 + 150);
  EXPECT_EQ(q.high[1], kMost);
  EXPECT_EQ(outlier_limits(*table.numbers, Outliers::kNone, options, ctx).high[0], kMost);
}

TEST(Outliers, RowsBeyondNameTheirFirstColumn) {
  Table table = testing::numbers({1, 1, 9, 9, kGap, 9, 1, -9, 5, 5}, 2);
  Context ctx = context(2, 1);
  const std::vector<OutlierRow> found = rows_beyond(*table.numbers, {{0, 0}, {5, 5}}, ctx);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].row, 1);
  EXPECT_EQ(found[0].column, 0);
  EXPECT_EQ(found[1].row, 2);
  EXPECT_EQ(found[1].column, 1);
  EXPECT_EQ(found[2].row, 3);
  EXPECT_EQ(found[2].value, -9);
}

TEST(Impute, EqualsScikitLearn) {
  Table table = testing::numbers(sklearn::kGaps, sklearn::kCols);
  const std::pair<Impute, const std::vector<double>*> cases[] = {{Impute::kMean, &sklearn::kImputeMean},
                                                                 {Impute::kMedian, &sklearn::kImputeMedian},
                                                                 {Impute::kMostFrequent, &sklearn::kImputeMostFrequent},
                                                                 {Impute::kConstant, &sklearn::kImputeConstant}};
  for (const auto& [method, want] : cases) {
    for (const int threads : {1, 3}) {
      Context ctx = context(threads, threads == 1 ? 0 : 5);
      table.numbers->stats = measure(*table.numbers, ctx);
      const std::vector<double> fill = impute_fit(*table.numbers, method, -1, ctx);
      for (size_t i = 0; i < sklearn::kGaps.size(); ++i) {
        if (sklearn::kGaps[i] == sklearn::kGaps[i]) continue;
        EXPECT_NEAR(fill[i % 5], (*want)[i], std::fabs((*want)[i]) * 1e-15) << i;
      }
    }
  }
}

TEST(Impute, NothingCanBeSaidOfAnEmptyColumn) {
  Table table = testing::numbers({1, kGap, 1, kGap}, 2);
  Context ctx = context();
  table.numbers->stats = measure(*table.numbers, ctx);
  for (const Impute method : {Impute::kMean, Impute::kMedian, Impute::kMostFrequent}) {
    const std::vector<double> fill = impute_fit(*table.numbers, method, 7, ctx);
    EXPECT_EQ(fill[0], 1);
    EXPECT_NE(fill[1], fill[1]);
  }
  EXPECT_EQ(impute_fit(*table.numbers, Impute::kConstant, 7, ctx)[1], 7);
}

TEST(Frequent, ManyValuesInLittleMemory) {
  // 200,000 values, all different but one that comes three times and one larger that does too.
  std::vector<double> x;
  for (int i = 0; i < 200'000; ++i) {
    x.push_back(i * 0.37);
    x.push_back(i % 3);
  }
  for (const int at : {17, 90'000, 150'000}) x[static_cast<size_t>(at) * 2] = -1.25;
  for (const int at : {18, 90'001, 150'001}) x[static_cast<size_t>(at) * 2] = 1e9;
  Table table = testing::numbers(x, 2);
  for (const int64_t memory : {int64_t{1} << 20, int64_t{1} << 40}) {
    Context ctx = context(2);
    ctx.memory = memory;
    EXPECT_EQ(most_frequent(*table.numbers, std::vector<int64_t>{0, 1}, ctx), (std::vector<double>{-1.25, 0}));
    EXPECT_EQ(most_frequent(*table.numbers, std::vector<int64_t>{0}, ctx), (std::vector<double>{-1.25}));
  }
  Context ctx = context(3);
  const std::vector<ValueCounts> counts = count_values(*table.numbers, 1000, 5, ctx);
  EXPECT_FALSE(counts[0].complete);
  EXPECT_TRUE(counts[1].complete);
  EXPECT_EQ(counts[1].values, (std::vector<double>{0, 1, 2}));
  EXPECT_EQ(counts[1].counts, (std::vector<int64_t>{66'667, 66'667, 66'666}));
}

}  // namespace
}  // namespace sluice
