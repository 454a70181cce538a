#include "sluice/pipeline/plane.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "sluice/core/random.h"
#include "sluice/core/statistics.h"

namespace sluice {
namespace {

MemorySource measured(std::vector<double> values, int64_t cols) {
  const auto rows = static_cast<int64_t>(values.size()) / cols;
  MemorySource source(std::move(values), rows, cols);
  Context ctx;
  source.stats = measure(source, ctx);
  return source;
}

// Rows about 100 that vary by 3 along (0.6, 0.8, 0, ...), by 1 along the last axis and hardly else.
std::vector<double> flat_cloud(int64_t rows, int64_t cols) {
  std::vector<double> values(static_cast<size_t>(rows * cols));
  for (int64_t i = 0; i < rows; ++i) {
    Random random(1, RandomStage::kSubsample, static_cast<uint64_t>(i));
    const double along = 3 * random.normal();
    double* row = values.data() + i * cols;
    for (int64_t j = 0; j < cols; ++j) row[j] = 100 + 0.001 * random.normal();
    row[0] += 0.6 * along;
    row[1] += 0.8 * along;
    row[cols - 1] += random.normal();
  }
  return values;
}

void expect_plane_of_cloud(const Plane& plane, int64_t cols, double most) {
  EXPECT_NEAR(std::fabs(plane.x_axis[0]), 0.6, most);
  EXPECT_NEAR(std::fabs(plane.x_axis[1]), 0.8, most);
  EXPECT_NEAR(std::fabs(plane.y_axis[static_cast<size_t>(cols - 1)]), 1, most);
  EXPECT_NEAR(plane.center[2], 100, 0.01);
  EXPECT_TRUE(plane.same_scale);
  EXPECT_EQ(plane.x_name.substr(0, 5), "PC1 (") << plane.x_name;
  EXPECT_EQ(plane.y_name.substr(0, 5), "PC2 (") << plane.y_name;
}

TEST(Plane, TwoColumnsAreDrawnAsTheyAre) {
  const MemorySource rows = measured({1, 2, 3, 5, 7, 11}, 2);
  Context ctx;
  const Plane plane = plane_of(rows, ctx);
  const double row[] = {3, 5};
  EXPECT_EQ(plane.at(row), (std::pair<double, double>{3, 5}));
  EXPECT_FALSE(plane.same_scale);
}

TEST(Plane, MostVarianceOfFewAndOfManyColumns) {
  for (const int64_t cols : {4, 300}) {
    const MemorySource rows = measured(flat_cloud(2000, cols), cols);
    Context ctx;
    expect_plane_of_cloud(plane_of(rows, ctx), cols, 0.05);
  }
}

TEST(Plane, ManyRowsGiveTheirPlaneByEveryFewLeaves) {
  const MemorySource rows = measured(flat_cloud(230'001, 3), 3);
  Context ctx;
  const Plane plane = plane_of(rows, ctx);
  expect_plane_of_cloud(plane, 3, 0.05);
  EXPECT_NE(plane.note.find("one in 2 blocks"), std::string::npos) << plane.note;
  Context threads;
  threads.threads = 3;
  EXPECT_EQ(plane_of(rows, threads).x_axis, plane.x_axis);
  Context tight;
  tight.memory = int64_t{32} << 20;
  EXPECT_EQ(plane_of(rows, tight).x_axis, plane.x_axis);
}

TEST(Plane, RowsThatDoNotVaryAreDrawnOnTheirFirstColumns) {
  const MemorySource rows = measured(std::vector<double>(12, 5.0), 3);
  Context ctx;
  const Plane plane = plane_of(rows, ctx);
  EXPECT_EQ(plane.x_axis, (std::vector<double>{1, 0, 0}));
  EXPECT_EQ(plane.y_name, "c1");
  EXPECT_EQ(plane_of(measured({1, 2, 3}, 3), ctx).x_name, "c0");
}

}  // namespace
}  // namespace sluice
