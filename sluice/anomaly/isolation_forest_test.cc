#include "sluice/anomaly/isolation_forest.h"

#include <cmath>

#include "sluice/anomaly/testing.h"

namespace sluice {
namespace {

using testing::normal_values;
using testing::scores_of;
using testing::source_of;

double plain_mean_depth(int64_t m) {
  if (m <= 1) return 0;
  if (m == 2) return 1;
  return 2 * (std::log(static_cast<double>(m - 1)) + 0.57721566490153286) - 2 * static_cast<double>(m - 1) / static_cast<double>(m);
}

// One row down one tree, as a plain loop.
double plain_depth(const IsolationForestModel& model, size_t tree, const double* row) {
  const int64_t first = model.tree[tree];
  int64_t node = 0, depth = 0;
  while (model.feature[static_cast<size_t>(first + node)] >= 0) {
    const auto at = static_cast<size_t>(first + node);
    node = model.left[at] + (row[model.feature[at]] > model.threshold[at] ? 1 : 0);
    ++depth;
  }
  return static_cast<double>(depth) + plain_mean_depth(model.n_samples[static_cast<size_t>(first + node)]);
}

TEST(IsolationForest, ScoresAreThoseOfAPlainWalk) {
  for (const int64_t n : {3, 37, 1000}) {
    Context ctx;
    const MemorySource rows = source_of(normal_values(n * 5, 4), 5);
    const IsolationForestModel model = isolation_forest_fit(rows, {.n_estimators = 20}, ctx);
    const Outcome out = isolation_forest_run(rows, {.n_estimators = 20}, ctx);
    BlockBuffer buffer;
    for (int64_t i = 0; i < n; ++i) {
      const MatrixBlock row = rows.read(i, 1, buffer);
      double sum = 0;
      for (size_t t = 0; t < 20; ++t) sum += plain_depth(model, t, row.view().f64(0));
      EXPECT_NEAR((*out.scores)[i], std::exp2(-sum / 20 / plain_mean_depth(std::min<int64_t>(n, 256))), 1e-12);
    }
  }
}

TEST(IsolationForest, TreesCutTheirSampleAtMostEightDeepAndKeepEveryRow) {
  Context ctx;
  const MemorySource rows = source_of(normal_values(3000, 1), 3);
  const IsolationForestModel model = isolation_forest_fit(rows, {}, ctx);
  ASSERT_EQ(model.tree.size(), 101U);
  for (size_t t = 0; t < 100; ++t) {
    int64_t in_leaves = 0;
    for (int64_t at = model.tree[t]; at < model.tree[t + 1]; ++at) {
      const auto node = static_cast<size_t>(at);
      if (model.feature[node] < 0) {
        in_leaves += model.n_samples[node];
      } else {
        const auto left = static_cast<size_t>(model.tree[t] + model.left[node]);
        EXPECT_EQ(model.n_samples[node], model.n_samples[left] + model.n_samples[left + 1]);
        EXPECT_GE(model.n_samples[left], 1);
        EXPECT_GE(model.n_samples[left + 1], 1);
      }
    }
    EXPECT_EQ(in_leaves, 256);
    EXPECT_LE(model.tree[t + 1] - model.tree[t], 511);
  }
  isolation_forest_load(decode_model(encode_model(isolation_forest_save(model)), "model"));
}

TEST(IsolationForest, AnOutlierScoresHighest) {
  Context ctx;
  std::vector<double> values = normal_values(2000, 2);
  values[100] = 9;
  values[101] = -9;
  const std::vector<double> scores = scores_of(isolation_forest_run(source_of(values, 2), {}, ctx));
  EXPECT_EQ(std::max_element(scores.begin(), scores.end()) - scores.begin(), 50);
  EXPECT_GT(scores[50], 0.7);
}

TEST(IsolationForest, ConstantRowsAndTinySetsScoreHalf) {
  Context ctx;
  for (const int64_t n : {1, 2, 3, 500}) {
    for (const double score : scores_of(isolation_forest_run(source_of(std::vector<double>(static_cast<size_t>(n * 2), 7.5), 2), {}, ctx)))
      EXPECT_NEAR(score, 0.5, 1e-12);
  }
  for (const double score : scores_of(isolation_forest_run(source_of({1, 2}, 1), {}, ctx))) EXPECT_NEAR(score, 0.5, 1e-12);
}

TEST(IsolationForest, MaxFeaturesLimitsTheColumnsOfATree) {
  Context ctx;
  const IsolationForestModel model = isolation_forest_fit(source_of(normal_values(3000, 1), 6), {.max_features = 0.34}, ctx);
  for (size_t t = 0; t + 1 < model.tree.size(); ++t) {
    std::vector<int64_t> used(model.feature.begin() + model.tree[t], model.feature.begin() + model.tree[t + 1]);
    std::sort(used.begin(), used.end());
    used.erase(std::unique(used.begin(), used.end()), used.end());
    EXPECT_LE(used.size(), 3U);  // two columns and the leaves' -1
  }
}

TEST(IsolationForest, SameScoresForAnyThreadsLeavesAndStorage) {
  const std::vector<double> values = normal_values(9000, 3);
  std::vector<float> narrow(values.begin(), values.end());
  const std::vector<double> wide(narrow.begin(), narrow.end());
  MemorySource stored(DType::kF32, narrow.data(), 3000, 3, 3, nullptr);
  Context one;
  stored.stats = measure(stored, one);
  Context many;
  many.threads = 4;
  many.leaf_rows = 77;
  EXPECT_EQ(scores_of(isolation_forest_run(stored, {}, one)), scores_of(isolation_forest_run(source_of(wide, 3), {}, many)));
}

TEST(IsolationForest, AModelScoresNewRowsAlike) {
  Context ctx;
  const Outcome fit = isolation_forest_run(source_of(normal_values(600, 5), 3), {}, ctx);
  testing::expect_model_scores_alike(fit, isolation_forest_apply, source_of(normal_values(120, 6), 3));
}

TEST(IsolationForest, DamagedModelsAreHarmless) {
  Context ctx;
  const MemorySource rows = source_of(normal_values(90, 5), 3);
  testing::expect_damage_is_harmless(isolation_forest_run(rows, {.n_estimators = 3}, ctx).model, isolation_forest_apply, rows);
}

TEST(IsolationForest, RefusesWhatItCannotScore) {
  Context ctx;
  EXPECT_THROW(isolation_forest_run(source_of({1, NAN}, 1), {}, ctx), Error);
  EXPECT_THROW(isolation_forest_run(source_of({}, 1), {}, ctx), Error);
  ctx.memory = 1 << 20;
  EXPECT_THROW(isolation_forest_run(source_of(normal_values(900, 1), 3), {.n_estimators = 100'000}, ctx), Error);
}

}  // namespace
}  // namespace sluice
