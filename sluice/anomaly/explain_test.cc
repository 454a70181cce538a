#include "sluice/anomaly/explain.h"

#include "sluice/anomaly/isolation_forest.h"
#include "sluice/anomaly/testing.h"

namespace sluice {
namespace {

using testing::normal_values;
using testing::source_of;

TEST(Explain, OfASumOfColumnsTheContributionsAreTheColumns) {
  Context ctx;
  ctx.threads = 2;
  const std::vector<double> values = normal_values(5000, 1);
  const MemorySource rows = source_of(values, 5);
  const Matrix<double> usual = usual_values(rows, ctx);
  const auto sum = [](const MatrixBlock& block, double* to) {
    for (int64_t r = 0; r < block.rows; ++r) {
      const double* row = block.view().f64(r);
      to[r] = row[0] + 2 * row[1] + 4 * row[2];
    }
  };
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < 1000; i += 3) chosen.push_back(i);
  const Matrix<double> found = contributions(rows, chosen, usual, sum, ctx);
  const double weight[] = {1, 2, 4, 0, 0};
  for (size_t i = 0; i < chosen.size(); ++i) {
    for (int64_t j = 0; j < 5; ++j)
      EXPECT_NEAR(found(static_cast<int64_t>(i), j), weight[j] * (values[static_cast<size_t>(chosen[i] * 5 + j)] - usual(1, j)), 1e-12);
  }
}

TEST(Explain, TheColumnThatIsWrongIsNamedFirst) {
  Context ctx;
  std::vector<double> values = normal_values(4000, 2);
  values[40 * 4 + 2] = 12;
  const MemorySource rows = source_of(values, 4);
  const Outcome out = isolation_forest_run(rows, {}, ctx);
  const std::vector<int64_t> chosen = {40};
  const Matrix<double> found = contributions(rows, chosen, usual_values(rows, ctx), out.score, ctx);
  EXPECT_EQ(std::max_element(found.row(0), found.row(0) + 4) - found.row(0), 2);
  EXPECT_GT(found(0, 2), 0.1);
}

TEST(Explain, UsualValuesAreExactQuantiles) {
  Context ctx;
  std::vector<double> values;
  for (int i = 0; i <= 100; ++i) values.push_back(100 - i);
  const Matrix<double> usual = usual_values(source_of(values, 1), ctx);
  EXPECT_EQ(usual(0, 0), 5);
  EXPECT_EQ(usual(1, 0), 50);
  EXPECT_EQ(usual(2, 0), 95);
}

TEST(Explain, WideRowsAreExplainedInSmallNumbers) {
  EXPECT_GT(most_explained(62), 1000);
  EXPECT_EQ(most_explained(1'000'000), 1);
}

}  // namespace
}  // namespace sluice
