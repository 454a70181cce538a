#include "sluice/pipeline/page_sections.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "sluice/comm/thread_ranks.h"
#include "sluice/core/statistics.h"
#include "sluice/pipeline/page_scatter.h"

namespace sluice {
namespace {

Dataset data_of(std::vector<double> values, int64_t cols) {
  const auto rows = static_cast<int64_t>(values.size()) / cols;
  auto source = std::make_shared<MemorySource>(std::move(values), rows, cols);
  Context ctx;
  source->stats = measure(*source, ctx);
  Dataset data;
  data.rows = source;
  return data;
}

Dataset counting(int64_t rows, int64_t cols) {
  std::vector<double> values;
  for (int64_t i = 0; i < rows * cols; ++i) values.push_back(static_cast<double>(i % 1009));
  return data_of(std::move(values), cols);
}

RowColumn<double> column(const std::vector<double>& values, Context& ctx) {
  RowColumn<double> out(leaf_range(static_cast<int64_t>(values.size()), 1, ctx), 0.0);
  for (int64_t row = out.first_row(); row < out.last_row(); ++row) out[row] = values[static_cast<size_t>(row)];
  return out;
}

TEST(Scatter, AMapIsDrawnAsItIs) {
  Context ctx;
  Dataset data = counting(5, 3);
  data.kept = {2, 3, 5, 7, 11};
  Outcome outcome;
  outcome.embedding = Matrix<double>(5, 2);
  for (int64_t i = 0; i < 5; ++i) outcome.embedding(i, 0) = 10.0 * static_cast<double>(i), outcome.embedding(i, 1) = -1.0;
  data.labels = Labels{{7, -2, 7, 0, 0}, {"zero"}};
  const ReportScatter scatter = scatter_of(outcome, Json::object(), data, ctx);
  EXPECT_EQ(scatter.x, (std::vector<float>{0, 10, 20, 30, 40}));
  EXPECT_EQ(scatter.y, std::vector<float>(5, -1));
  EXPECT_EQ(scatter.x_name, "dim 1");
  EXPECT_TRUE(scatter.same_scale);
  EXPECT_EQ(scatter.row, data.kept);
  EXPECT_EQ(scatter.label, (std::vector<int32_t>{2, 0, 2, 1, 1}));
  EXPECT_EQ(scatter.names, (std::vector<std::string>{"-2", "zero", "7"}));
}

// Blocks of neighbours, cut at leaves, hold every drawn row once and in order.
TEST(Scatter, ARowLocalMapIsAskedForEveryRowDrawn) {
  Context ctx;
  const Dataset data = counting(150'000, 2);
  Outcome outcome;
  outcome.embedding_cols = 3;
  outcome.embed = [](const MatrixBlock& rows, double* out) {
    for (int64_t i = 0; i < rows.rows; ++i) {
      out[3 * i] = static_cast<double>(rows.first_row + i);
      out[3 * i + 1] = 2;
      out[3 * i + 2] = 3;
    }
  };
  const ReportScatter scatter = scatter_of(outcome, Json{{"explained_variance_ratio", {0.5, 0.25, 0.1}}}, data, ctx);
  ASSERT_EQ(scatter.x.size(), 100'000u);
  for (size_t i = 0; i < scatter.x.size(); ++i) ASSERT_EQ(static_cast<int64_t>(scatter.x[i]), scatter.row[i]);
  EXPECT_EQ(scatter.y_name, "dim 2 (25 % of variance)");
  EXPECT_EQ(scatter.note, "The first two of 3 dimensions. 100,000 of 150,000 rows, drawn by the seed.");
}

TEST(Scatter, GaussiansBecomeEllipsesOfThePlane) {
  Context ctx;
  // Rows vary along (0.6, 0.8, 0) and, less, along the last axis: the plane is known up to signs.
  std::vector<double> values;
  for (int i = 0; i < 400; ++i) {
    const double along = (i % 20) - 9.5, up = (i / 20 - 9.5) / 10;
    values.insert(values.end(), {0.6 * along, 0.8 * along, up});
  }
  const Dataset data = data_of(std::move(values), 3);
  Outcome outcome;
  outcome.centers = Matrix<double>(1, 3);
  outcome.centers(0, 2) = 1;
  Matrix<double> covariance(3, 3);
  covariance(0, 0) = 4, covariance(1, 1) = 9, covariance(2, 2) = 0.25, covariance(0, 1) = covariance(1, 0) = 1;
  covariance(0, 2) = covariance(2, 0) = 0.5;
  outcome.covariances = {covariance};
  const ReportScatter scatter = scatter_of(outcome, Json::object(), data, ctx);
  ASSERT_EQ(scatter.ellipses.size(), 1u);
  const ReportEllipse& ellipse = scatter.ellipses[0];
  EXPECT_NEAR(ellipse.xx, 0.36 * 4 + 0.64 * 9 + 2 * 0.48 * 1, 1e-9);
  EXPECT_NEAR(ellipse.yy, 0.25, 1e-9);
  EXPECT_NEAR(std::fabs(ellipse.xy), 0.6 * 0.5, 1e-9);
  EXPECT_NEAR(std::fabs(ellipse.y), 1, 1e-9);
}

TEST(Scatter, FlaggedRowsStandOut) {
  Context ctx;
  const Dataset data = counting(4, 2);
  Outcome outcome;
  const std::vector<uint8_t> flags = {0, 1, 0, 1};
  outcome.arrays.push_back(outcome_array<uint8_t>("flags", "|u1", 0, 0, flags));
  const ReportScatter scatter = scatter_of(outcome, Json::object(), data, ctx);
  EXPECT_EQ(scatter.label, (std::vector<int32_t>{0, 1, 0, 1}));
  EXPECT_EQ(scatter.names[1], "flagged");
}

TEST(Histogram, EveryFiniteScoreIsCountedOnItsSideOfTheThreshold) {
  Context ctx;
  std::vector<double> scores;
  for (int i = 0; i < 9000; ++i) scores.push_back(static_cast<double>(i * i % 7919) / 7919);
  scores[17] = NAN;
  const double threshold = 0.731;
  Outcome outcome;
  outcome.scores = column(scores, ctx);
  const auto histogram = histogram_of(outcome, Json{{"threshold", threshold}}, ctx);
  ASSERT_TRUE(histogram);
  int64_t below = 0, above = 0, low = 0, high = 0;
  for (size_t i = 0; i < histogram->counts.size(); ++i) (histogram->edges[i] < threshold ? below : above) += histogram->counts[i];
  for (const double score : scores) {
    low += score < threshold;
    high += score >= threshold;
  }
  EXPECT_EQ(below, low);
  EXPECT_EQ(above, high);
  EXPECT_EQ(histogram->marked_x, threshold);
  EXPECT_NO_THROW(render_report({"", "", {}, {*histogram}}));
}

TEST(Histogram, OddScoresEndWell) {
  Context ctx;
  const auto of = [&](const std::vector<double>& scores) {
    Outcome outcome;
    outcome.scores = column(scores, ctx);
    return histogram_of(outcome, Json::object(), ctx);
  };
  EXPECT_FALSE(histogram_of(Outcome{}, Json::object(), ctx));
  EXPECT_FALSE(of({NAN, INFINITY}));
  EXPECT_FALSE(of({-1e308, 1e308}));
  EXPECT_FALSE(of({1e300, 1e300}));
  const auto equal = of({2, 2, 2});
  ASSERT_TRUE(equal);
  for (const auto& histogram : {equal, of({0, 5e-324}), of({1, 1 + 2.3e-16})}) {
    if (histogram) {
      EXPECT_NO_THROW(render_report({"", "", {}, {*histogram}}));
    }
  }
}

TEST(Histogram, RanksCountTogether) {
  std::vector<double> scores;
  for (int i = 0; i < 20'000; ++i) scores.push_back(static_cast<double>(i * 31 % 997));
  Context alone;
  Outcome whole;
  whole.scores = column(scores, alone);
  const auto wanted = histogram_of(whole, Json::object(), alone);
  run_as_ranks(3, [&](Communicator& comm) {
    Context ctx;
    ctx.comm = &comm;
    Outcome outcome;
    outcome.scores = column(scores, ctx);
    const auto got = histogram_of(outcome, Json::object(), ctx);
    EXPECT_EQ(got->counts, wanted->counts);
    EXPECT_EQ(got->edges, wanted->edges);
  });
}

TEST(Tables, LongOnesAreCutAndSearched) {
  OutcomeTable table{"rules", "Strongest first.", {"n"}, {}};
  for (int64_t i = 0; i < 6000; ++i) table.rows.push_back({i});
  const ReportTable out = table_of(table);
  EXPECT_EQ(out.rows.size(), 5000u);
  EXPECT_TRUE(out.searchable);
  EXPECT_EQ(out.note, "Strongest first. The first 5,000 of 6,000 rows.");
  table.rows.resize(3);
  EXPECT_FALSE(table_of(table).searchable);
}

}  // namespace
}  // namespace sluice
