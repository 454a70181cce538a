#include "sluice/curate/select.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "sluice/comm/thread_ranks.h"
#include "sluice/core/error.h"
#include "sluice/core/random.h"

namespace sluice {
namespace {

MemorySource measured(std::vector<double> values, int64_t cols) {
  Context ctx;
  const auto rows = static_cast<int64_t>(values.size()) / cols;
  MemorySource out(std::move(values), rows, cols);
  out.stats = measure(out, ctx);
  return out;
}

// Rows around 12 places, some of them equal.
std::vector<double> places(int64_t rows, int64_t cols) {
  std::vector<double> out;
  Random random(11, RandomStage::kSubsample, 0);
  for (int64_t i = 0; i < rows; ++i) {
    if (i % 10 == 9) {  // as the row before
      out.insert(out.end(), out.end() - cols, out.end());
      continue;
    }
    for (int64_t j = 0; j < cols; ++j) out.push_back(static_cast<double>((i % 12) * (j + 1) % 7) * 4 + random.normal());
  }
  return out;
}

double apart(const double* row, const double* center, int64_t d, KMeansMetric metric) {
  double squares = 0, sum = 0, dot = 0, length = 0;
  for (int64_t j = 0; j < d; ++j) {
    squares += (row[j] - center[j]) * (row[j] - center[j]);
    sum += std::fabs(row[j] - center[j]);
    dot += row[j] * center[j];
    length += row[j] * row[j];
  }
  return metric == KMeansMetric::kManhattan ? sum : metric == KMeansMetric::kCosine ? 1 - dot / std::sqrt(length) : std::sqrt(squares);
}

// Every choice against all rows.
void check(const std::vector<double>& values, int64_t cols, const Selection& got, KMeansMetric metric) {
  const Matrix<double>& centers = got.clusters.centers;
  const auto rows = static_cast<int64_t>(values.size()) / cols;
  std::vector<int64_t> count(got.row.size(), 0);
  for (int64_t i = 0; i < rows; ++i) {
    const auto c = static_cast<size_t>((*got.clusters.labels)[i]);
    ++count[c];
    const double far = apart(&values[static_cast<size_t>(i * cols)], centers.row(static_cast<int64_t>(c)), cols, metric);
    for (int64_t other = 0; other < centers.rows; ++other)
      EXPECT_LE(far, apart(&values[static_cast<size_t>(i * cols)], centers.row(other), cols, metric) + 1e-9);
    EXPECT_LE(got.distance[c], far + 1e-9);
    if (i < got.row[c]) EXPECT_GT(far, got.distance[c] - 1e-12);
  }
  EXPECT_EQ(count, got.stands_for);
  for (size_t c = 0; c < got.row.size(); ++c) {
    EXPECT_EQ((*got.clusters.labels)[got.row[c]], static_cast<int32_t>(c));
    EXPECT_NEAR(got.distance[c], apart(&values[static_cast<size_t>(got.row[c] * cols)], centers.row(static_cast<int64_t>(c)), cols, metric),
                1e-9);
  }
}

TEST(Select, ARepresentativeIsTheRowNearestItsCentre) {
  const std::vector<double> values = places(600, 5);
  const MemorySource rows = measured(values, 5);
  for (const KMeansMetric metric : {KMeansMetric::kEuclidean, KMeansMetric::kManhattan, KMeansMetric::kCosine}) {
    for (const int64_t budget : {1, 12, 100, 500}) {
      Context ctx;
      ctx.leaf_rows = 64;
      const Selection got = select_rows(rows, {.budget = budget, .metric = metric, .n_init = 1}, ctx);
      ASSERT_EQ(static_cast<int64_t>(got.row.size()), budget);
      check(values, 5, got, metric);
      EXPECT_EQ(std::set<int64_t>(got.row.begin(), got.row.end()).size(), got.row.size());
    }
  }
}

TEST(Select, EqualDistancesGoToTheLowestRow) {
  const MemorySource rows = measured({5, 1, 3, 1, 3, 101, 103, 103, 101, 110}, 1);
  Context ctx;
  const Selection got = select_rows(rows, {.budget = 2}, ctx);
  std::set<int64_t> chosen(got.row.begin(), got.row.end());
  EXPECT_EQ(chosen, (std::set<int64_t>{2, 6}));  // the means are 2.6 and 103.6; rows 4 and 7 equal rows 2 and 6
}

TEST(Select, ABudgetOfAllDistinctRowsTakesEachOnceAndOneMoreIsRefused) {
  // 40 rows of 20 different values, the second half equal to the first.
  std::vector<double> values;
  for (int i = 0; i < 40; ++i) values.push_back(static_cast<double>((i % 20) * (i % 20)) + 1);
  for (int i = 0; i < 40; ++i) values.push_back(1);
  std::vector<double> wide;
  for (size_t i = 0; i < 40; ++i) wide.insert(wide.end(), {values[i], values[40 + i]});
  const MemorySource rows = measured(wide, 2);
  for (const KMeansMetric metric : {KMeansMetric::kEuclidean, KMeansMetric::kManhattan, KMeansMetric::kCosine}) {
    for (const uint64_t seed : {0, 1, 2}) {
      Context ctx;
      ctx.seed = seed;
      const Selection got = select_rows(rows, {.budget = 20, .metric = metric, .n_init = 1, .max_iter = 1}, ctx);
      std::set<double> seen;
      for (const int64_t row : got.row) {
        EXPECT_LT(row, 20);
        seen.insert(wide[static_cast<size_t>(row) * 2]);
      }
      EXPECT_EQ(seen.size(), 20u);
      EXPECT_EQ(got.stands_for, std::vector<int64_t>(20, 2));
      try {
        select_rows(rows, {.budget = 21, .metric = metric, .n_init = 1}, ctx);
        ADD_FAILURE() << "21 of 20 were chosen";
      } catch (const Error& error) {
        EXPECT_EQ(error.code, ErrorCode::kBadInput);
        EXPECT_NE(error.message.find("there are 20 distinct"), std::string::npos) << error.message;
      }
    }
  }
}

TEST(Select, RowsWithoutWeightAreNeverChosen) {
  std::vector<double> values = places(300, 3);
  MemorySource rows = measured(values, 3);
  std::vector<double> weights(300, 1.0);
  for (size_t i = 0; i < 300; i += 2) weights[i] = 0;
  rows.set_weights(weights);
  Context ctx;
  const Selection got = select_rows(rows, {.budget = 60}, ctx);
  int64_t all = 0;
  for (size_t c = 0; c < got.row.size(); ++c) {
    EXPECT_EQ(got.row[c] % 2, 1);
    all += got.stands_for[c];
  }
  EXPECT_EQ(all, 300);
  EXPECT_THROW(select_rows(rows, {.budget = 151}, ctx), Error);
}

TEST(Select, SameForThreadsRanksAndLeaves) {
  const MemorySource rows = measured(places(400, 4), 4);
  Context one;
  one.leaf_rows = 50;
  const Selection want = select_rows(rows, {.budget = 40, .n_init = 1}, one);
  const auto same = [&](Context& ctx) {
    ctx.leaf_rows = 50;
    const Selection got = select_rows(rows, {.budget = 40, .n_init = 1}, ctx);
    EXPECT_EQ(got.row, want.row);
    EXPECT_EQ(got.distance, want.distance);
    EXPECT_EQ(got.stands_for, want.stands_for);
    EXPECT_EQ(got.clusters.centers, want.clusters.centers);
  };
  Context threads;
  threads.threads = 3;
  same(threads);
  run_as_ranks(3, [&](Communicator& comm) {
    Context ctx;
    ctx.comm = &comm;
    same(ctx);
  });
}

TEST(Select, TheNearestShareOfEachCluster) {
  const std::vector<int32_t> labels{0, 0, 0, 0, 0, 1, 1, 0, 1};
  const std::vector<double> distances{3, 1, 2, 2, 0.5, 4, 4, 9, 1};
  const std::vector<int64_t> chosen{4, 8};
  EXPECT_EQ(nearest_share(labels, distances, chosen, 0), (std::vector<int64_t>{4, 8}));
  EXPECT_EQ(nearest_share(labels, distances, chosen, 0.5), (std::vector<int64_t>{1, 2, 4, 5, 8}));
  EXPECT_EQ(nearest_share(labels, distances, chosen, 1).size(), labels.size());
}

TEST(Select, AModelGivesNewRowsTheirRepresentative) {
  const MemorySource rows = measured(places(200, 3), 3);
  Context ctx;
  const Outcome fit = select_run(rows, {.budget = 15}, ctx);
  Outcome again = select_apply(decode_model(encode_model(fit.model), "model"), rows, ctx);
  const std::vector<int64_t> chosen = fit.model.integers("representatives");
  ASSERT_EQ(again.arrays.size(), 1u);
  const auto* stands = reinterpret_cast<const int64_t*>(again.arrays[0].values.data());
  for (int64_t i = 0; i < 200; ++i) {
    EXPECT_EQ((*again.labels)[i], (*fit.labels)[i]);
    EXPECT_EQ(stands[i], chosen[static_cast<size_t>((*fit.labels)[i])]);
  }
  ModelFile bad = fit.model;
  bad.put("representatives", std::span<const int64_t>(chosen).first(14));
  EXPECT_THROW(select_apply(bad, rows, ctx), Error);
}

}  // namespace
}  // namespace sluice
