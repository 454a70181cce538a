#include "sluice/advise/advise.h"

#include <gtest/gtest.h>

#include "sluice/cluster/testing.h"

namespace sluice {
namespace {

using testing::blobs;
using testing::table;

Advice advice_of(const Source& rows, const TableFacts& facts = {2, 0, 0}) {
  Context ctx;
  ctx.threads = 2;
  return advise(measure_for_advice(rows, {}, ctx), facts);
}

std::unique_ptr<MemorySource> rings() {
  std::vector<double> values;
  Random random(3, RandomStage::kSubsample, 2);
  for (int i = 0; i < 800; ++i) {
    const double angle = 0.01 * i * 3.14159265358979, radius = (i % 2 == 0 ? 1.0 : 3.0) + 0.05 * random.normal();
    values.insert(values.end(), {radius * std::cos(angle), radius * std::sin(angle)});
  }
  return table(values, 800, 2);
}

TEST(Advise, CompactGroupsAreForKMeans) {
  const Advice advice = advice_of(*blobs(900, 2, 4, 0.6, 11));
  EXPECT_TRUE(advice.structure);
  EXPECT_EQ(advice.chosen.method, "kmeans");
  EXPECT_EQ(advice.chosen.params[0].second, "4");
}

TEST(Advise, RingsAreForHdbscan) {
  const Advice advice = advice_of(*rings());
  EXPECT_TRUE(advice.structure);
  EXPECT_EQ(advice.chosen.method, "hdbscan");
}

TEST(Advise, OneGaussianHasNoStructure) {
  const Advice advice = advice_of(*blobs(400, 3, 1, 2, 5));
  EXPECT_FALSE(advice.structure);
  EXPECT_EQ(advice.chosen.method, "gmm");
}

TEST(Advise, CategoriesAreForRules) {
  const Advice advice = advice_of(*blobs(300, 2, 3, 0.5), {5, 4, 0});
  EXPECT_EQ(advice.chosen.method, "eclat");
}

TEST(Advise, TinyAndEqualInputsEndWell) {
  for (const auto& rows : {table({1, 2}, 1, 2), table({1, 2, 3, 5}, 4, 1), table(std::vector<double>(60, 7.0), 30, 2)}) {
    const Advice advice = advice_of(*rows);
    EXPECT_FALSE(advice.structure);
    EXPECT_FALSE(advice.chosen.method.empty());
  }
}

TEST(Advise, ManyColumnsAreMeasuredAfterPca) {
  Context ctx;
  const Measured found = measure_for_advice(*blobs(300, 80, 3, 0.5), {}, ctx);
  EXPECT_GT(found.pca_columns, 0);
  EXPECT_LE(found.pca_columns, 50);
  EXPECT_EQ(found.cols, 80);
}

TEST(Advise, EveryReasonHoldsANumber) {
  for (const auto& rows : {blobs(400, 2, 3, 0.5), blobs(400, 2, 1, 1), rings()}) {
    for (const std::string& reason : advice_of(*rows).reasons) EXPECT_NE(reason.find_first_of("0123456789"), std::string::npos) << reason;
  }
}

}  // namespace
}  // namespace sluice
