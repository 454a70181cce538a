#include "sluice/preprocess/scale.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sluice/core/error.h"
#include "sluice/core/random.h"
#include "sluice/preprocess/column_moments.h"
#include "sluice/preprocess/preprocess_sklearn.h"
#include "sluice/preprocess/testing.h"

namespace sluice {
namespace {

using testing::context;
using testing::numbers;

// Applies a fit the plain way.
std::vector<double> scaled(const std::vector<double>& x, const ScaleFit& fit) {
  std::vector<double> out;
  for (size_t i = 0; i < x.size(); ++i) out.push_back((x[i] - fit.center[i % fit.center.size()]) / fit.scale[i % fit.scale.size()]);
  return out;
}

ScaleFit fit_of(Table& table, Scale method, RowsKind kind = RowsKind::kTable, int threads = 1, int64_t leaf = 0) {
  Context ctx = context(threads, leaf);
  table.numbers->stats = measure(*table.numbers, ctx);
  return scale_fit(*table.numbers, method, {}, kind, ctx);
}

TEST(Scale, EqualsScikitLearn) {
  const std::pair<Scale, const std::vector<double>*> cases[] = {
      {Scale::kStandard, &sklearn::kStandard}, {Scale::kMinMax, &sklearn::kMinMax}, {Scale::kRobust, &sklearn::kRobust}};
  for (const auto& [method, want] : cases) {
    Table table = numbers(sklearn::kWine, sklearn::kCols);
    const std::vector<double> got = scaled(sklearn::kWine, fit_of(table, method));
    for (size_t i = 0; i < got.size(); ++i) {
      // Column 3 is constant: exactly 0. Column 4 stands at 1e8, where scikit-learn's own values are good to 1e-8.
      const double tolerance = i % 5 == 4 ? 2e-7 : 1e-13;
      if (i % 5 == 3) {
        EXPECT_EQ(got[i], 0);
      } else {
        EXPECT_NEAR(got[i], (*want)[i], tolerance) << "value " << i;
      }
    }
  }
}

TEST(Scale, ConstantColumnsKeepScaleOne) {
  std::vector<double> x;
  for (int i = 0; i < 10'001; ++i) {
    x.push_back(14.62);
    x.push_back(1e-300);
    x.push_back(-1e300);
    x.push_back(i);
  }
  Table table = numbers(x, 4);
  for (const Scale method : {Scale::kStandard, Scale::kMinMax, Scale::kRobust}) {
    const ScaleFit fit = fit_of(table, method);
    for (size_t j = 0; j < 3; ++j) {
      EXPECT_EQ(fit.scale[j], 1);
      EXPECT_EQ(x[j] - fit.center[j], 0);
    }
  }
}

TEST(Scale, VarianceFarFromTheOrigin) {
  // 0, 1, ..., n-1 has variance (n^2 - 1) / 12 wherever it starts.
  const int64_t n = 50'000;
  std::vector<double> x;
  for (int64_t i = 0; i < n; ++i) {
    x.push_back(1e8 + static_cast<double>(i % 2 == 0 ? i : n - i));
    x.push_back(1e15 + static_cast<double>(i));
  }
  Table table = numbers(x, 2);
  Context ctx = context(2);
  table.numbers->stats = measure(*table.numbers, ctx);
  const ColumnMoments moments = column_moments(*table.numbers, ctx);
  const double want = (static_cast<double>(n) * static_cast<double>(n) - 1) / 12;
  EXPECT_NEAR(moments.variance[1] / want, 1, 1e-14);
  EXPECT_EQ(moments.mean[1], 1e15 + static_cast<double>(n - 1) / 2);
  EXPECT_EQ(moments.deviation[1], std::sqrt(moments.variance[1]));
  EXPECT_NEAR(moments.variance[0] / want, 1, 1e-8);  // 0, n - 1, 2, n - 3, ...: nearly the same set
}

TEST(Scale, DifferencesBelowTheIntegerSumsQuantum) {
  // Both values round to 1e8 in the sums that give the provisional centre; mean and variance must still tell them apart.
  std::vector<double> x;
  for (int i = 0; i < 50'000; ++i) x.push_back(1e8 + (i % 2 == 0 ? 0 : 0x1p-22));
  Table table = numbers(x, 1);
  Context ctx = context(2);
  table.numbers->stats = measure(*table.numbers, ctx);
  const ColumnMoments moments = column_moments(*table.numbers, ctx);
  EXPECT_EQ(moments.mean[0], 1e8 + 0x1p-23);
  EXPECT_NEAR(moments.variance[0] * 0x1p46, 1, 1e-7);
}

TEST(Scale, HugeAndTinyValuesNeitherOverflowNorVanish) {
  Table table = numbers({1e308, 3e-320, -1e308, 1e-320, 0, 2e-320, 0, 2e-320}, 2);
  const ScaleFit fit = fit_of(table, Scale::kStandard);
  EXPECT_NEAR(fit.scale[0] / (1e308 * std::sqrt(0.5)), 1, 1e-14);
  EXPECT_GT(fit.scale[1], 0);
  EXPECT_LT(fit.scale[1], 1e-319);
  Table wide = numbers({1.7e308, -1.7e308, 0, 1}, 1);
  EXPECT_THROW(fit_of(wide, Scale::kMinMax), Error);
}

TEST(Scale, MomentsSkipGaps) {
  Table table = numbers({1, testing::kGap, 2, testing::kGap, testing::kGap, testing::kGap, 6, testing::kGap}, 2);
  Context ctx = context();
  table.numbers->stats = measure(*table.numbers, ctx);
  const ColumnMoments moments = column_moments(*table.numbers, ctx);
  EXPECT_EQ(moments.count, (std::vector<int64_t>{3, 0}));
  EXPECT_EQ(moments.mean[0], 3);
  EXPECT_NEAR(moments.variance[0], 14.0 / 3, 1e-15);
  EXPECT_EQ(moments.mean[1], 0);
}

TEST(Scale, SameBitsForThreadsAndNearlyForLeaves) {
  std::vector<double> x;
  for (uint64_t i = 0; i < 60'000; ++i) x.push_back(Random(3, RandomStage::kSubsample, i).normal() * 1e3 + 1e6);
  Table table = numbers(x, 3);
  for (const Scale method : {Scale::kStandard, Scale::kRobust, Scale::kMinMax}) {
    const ScaleFit one = fit_of(table, method);
    for (const int threads : {2, 3}) {
      const ScaleFit more = fit_of(table, method, RowsKind::kTable, threads);
      EXPECT_EQ(more.center, one.center);
      EXPECT_EQ(more.scale, one.scale);
    }
    for (const int64_t leaf : {1, 7, 8193}) {
      const ScaleFit cut = fit_of(table, method, RowsKind::kTable, 2, leaf);
      for (size_t j = 0; j < 3; ++j) {
        EXPECT_NEAR(cut.center[j] / one.center[j], 1, 1e-15);
        EXPECT_NEAR(cut.scale[j] / one.scale[j], 1, 1e-13);
      }
    }
  }
}

struct AutoCase {
  const char* file;
  int64_t labels;
  Scale want;
};

class AutoScale : public ::testing::TestWithParam<AutoCase> {};

TEST_P(AutoScale, DecidesAsAPersonWould) {
  std::optional<Table> table = testing::data_set(GetParam().file, GetParam().labels);
  if (!table) GTEST_SKIP() << "no " << GetParam().file << " under SLUICE_DATA";
  const ScaleFit fit = fit_of(*table, Scale::kAuto);
  EXPECT_EQ(fit.method, GetParam().want) << fit.reason;
  EXPECT_FALSE(fit.reason.empty());
}
INSTANTIATE_TEST_SUITE_P(Data, AutoScale,
                         ::testing::Values(AutoCase{"images/digits8x8.csv.gz", 1, Scale::kNone},
                                           AutoCase{"tabular/wine_data.csv", 1, Scale::kStandard},
                                           AutoCase{"tabular/breast_cancer.csv", 1, Scale::kStandard},
                                           AutoCase{"tabular/iris.csv", 1, Scale::kNone}));

TEST(Scale, AutoOnMadeData) {
  Table images = numbers({0, 1e6, 3, 4}, 2);
  EXPECT_EQ(fit_of(images, Scale::kAuto, RowsKind::kImages).method, Scale::kNone);
  EXPECT_EQ(fit_of(images, Scale::kAuto, RowsKind::kEmbeddings).method, Scale::kNone);
  EXPECT_EQ(fit_of(images, Scale::kAuto).method, Scale::kStandard);

  std::vector<double> unit;
  for (uint64_t i = 0; i < 200; ++i) {  // rows of length 1 whose columns spread very differently
    double row[8];
    double sum = 0;
    for (size_t j = 0; j < 8; ++j) {
      row[j] = Random(1, RandomStage::kSubsample, i * 8 + j).normal() * std::ldexp(1.0, -static_cast<int>(j));
      sum += row[j] * row[j];
    }
    for (const double x : row) unit.push_back(x / std::sqrt(sum));
  }
  Table embeddings = numbers(unit, 8);
  const ScaleFit fit = fit_of(embeddings, Scale::kAuto);
  EXPECT_EQ(fit.method, Scale::kNone);
  EXPECT_NE(fit.reason.find("length 1"), std::string::npos) << fit.reason;

  Table ages = numbers({18, 0, 35, 2, 60, 3, 80, 10}, 2);  // years and children: whole, but no common range
  EXPECT_EQ(fit_of(ages, Scale::kAuto).method, Scale::kStandard);
  Table one = numbers({1.5, 2, 7}, 1);
  EXPECT_EQ(fit_of(one, Scale::kAuto).method, Scale::kNone);
  Table constant = numbers({2, 2, 2, 2}, 2);
  EXPECT_EQ(fit_of(constant, Scale::kAuto).method, Scale::kNone);

  Context ctx = context();
  Table mixed = numbers({1.5, 0, 2.5, 1, 9, 0}, 2);
  mixed.numbers->stats = measure(*mixed.numbers, ctx);
  const ScaleFit beside = scale_fit(*mixed.numbers, Scale::kAuto, std::vector<uint8_t>{0, 1}, RowsKind::kTable, ctx);
  EXPECT_EQ(beside.method, Scale::kStandard);
  EXPECT_EQ(beside.center[1], 0);
  EXPECT_EQ(beside.scale[1], 1);
}

}  // namespace
}  // namespace sluice
