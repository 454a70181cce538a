// knn_distance.h, lof.h and dbscan_noise.h against all pairs.
#include <cmath>
#include <numeric>

#include "sluice/anomaly/dbscan_noise.h"
#include "sluice/anomaly/knn_distance.h"
#include "sluice/anomaly/lof.h"
#include "sluice/anomaly/testing.h"

namespace sluice {
namespace {

using testing::normal_values;
using testing::one_by_one;
using testing::scores_of;
using testing::source_of;

struct Near {
  std::vector<size_t> rows;
  std::vector<double> distances;
};

// The k rows of `values` nearest to `x`, ties to the lowest; row `self` left out.
Near plain_nearest(const std::vector<double>& values, int64_t d, const double* x, int64_t self, int64_t k) {
  std::vector<std::pair<double, size_t>> all;
  for (size_t i = 0; i * static_cast<size_t>(d) < values.size(); ++i) {
    if (static_cast<int64_t>(i) == self) continue;
    double sum = 0;
    for (int64_t j = 0; j < d; ++j) sum += std::pow(values[i * static_cast<size_t>(d) + static_cast<size_t>(j)] - x[j], 2);
    all.emplace_back(std::sqrt(sum), i);
  }
  std::sort(all.begin(), all.end());
  Near near;
  for (size_t i = 0; i < static_cast<size_t>(k); ++i) {
    near.rows.push_back(all[i].second);
    near.distances.push_back(all[i].first);
  }
  return near;
}

std::vector<double> plain_lof(const std::vector<double>& values, int64_t d, int64_t k) {
  const size_t n = values.size() / static_cast<size_t>(d);
  std::vector<Near> near;
  for (size_t i = 0; i < n; ++i) near.push_back(plain_nearest(values, d, &values[i * static_cast<size_t>(d)], static_cast<int64_t>(i), k));
  std::vector<double> density(n), lof(n);
  for (size_t i = 0; i < n; ++i) {
    double reach = 0;
    for (size_t m = 0; m < near[i].rows.size(); ++m) reach += std::max(near[near[i].rows[m]].distances.back(), near[i].distances[m]);
    density[i] = 1 / (reach / static_cast<double>(k) + 1e-10);
  }
  for (size_t i = 0; i < n; ++i) {
    for (const size_t other : near[i].rows) lof[i] += density[other] / density[i] / static_cast<double>(k);
  }
  return lof;
}

TEST(KnnDistance, ScoresAreThoseOfAllPairs) {
  const std::vector<double> values = normal_values(900, 1);
  for (const int64_t k : {1, 2, 5}) {
    for (const KnnDistance which : {KnnDistance::kLargest, KnnDistance::kMean, KnnDistance::kMedian}) {
      Context ctx;
      const std::vector<double> scores = scores_of(knn_distance_run(source_of(values, 3), {.n_neighbors = k, .distance = which}, ctx));
      for (size_t i = 0; i < scores.size(); ++i) {
        const std::vector<double> d = plain_nearest(values, 3, &values[i * 3], static_cast<int64_t>(i), k).distances;
        double want = d.back();
        if (which == KnnDistance::kMean) want = std::accumulate(d.begin(), d.end(), 0.0) / static_cast<double>(k);
        if (which == KnnDistance::kMedian) want = k == 2 ? (d[0] + d[1]) / 2 : d[d.size() / 2];
        EXPECT_NEAR(scores[i], want, 1e-12);
      }
    }
  }
}

TEST(Lof, ScoresAreThoseOfAllPairs) {
  std::vector<double> values = normal_values(600, 2);
  values[0] = 8;
  Context ctx;
  const std::vector<double> scores = scores_of(lof_run(source_of(values, 2), {.n_neighbors = 7}, ctx));
  const std::vector<double> plain = plain_lof(values, 2, 7);
  for (size_t i = 0; i < scores.size(); ++i) EXPECT_NEAR(scores[i], plain[i], 1e-9 * plain[i]);
  EXPECT_EQ(std::max_element(scores.begin(), scores.end()), scores.begin());
}

TEST(Lof, DuplicatesAreFinite) {
  // LocalOutlierFactor(n_neighbors=3) on ten zeros, 1 and 2: the zeros score 1, the others about 1e10, as scikit-learn's do.
  std::vector<double> values(12, 0.0);
  values[10] = 1;
  values[11] = 2;
  Context ctx;
  const Outcome out = lof_run(source_of(values, 1), {.n_neighbors = 3}, ctx);
  const std::vector<double> scores = scores_of(out);
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(scores[i], 1);
  EXPECT_NEAR(scores[10], 1e10, 1e4);
  EXPECT_GT(scores[11], 1e9);
  EXPECT_EQ(out.notes.size(), 1U);
  for (const double score : scores_of(lof_run(source_of(std::vector<double>(200, 4.0), 2), {}, ctx))) EXPECT_EQ(score, 1);
}

TEST(Lof, ANewRowIsComparedWithTheFitsRows) {
  const std::vector<double> values = normal_values(400, 3), fresh = normal_values(20, 4);
  Context ctx;
  const Outcome fit = lof_run(source_of(values, 2), {.n_neighbors = 5}, ctx);
  const std::vector<double> scores = one_by_one(fit, source_of(fresh, 2));
  std::vector<double> k_distance, density;
  std::vector<Near> near;
  for (size_t i = 0; i < 200; ++i) near.push_back(plain_nearest(values, 2, &values[i * 2], static_cast<int64_t>(i), 5));
  const auto density_of = [&](const Near& of) {
    double reach = 0;
    for (size_t m = 0; m < 5; ++m) reach += std::max(near[of.rows[m]].distances.back(), of.distances[m]);
    return 1 / (reach / 5 + 1e-10);
  };
  for (size_t i = 0; i < scores.size(); ++i) {
    const Near own = plain_nearest(values, 2, &fresh[i * 2], -1, 5);
    double want = 0;
    for (const size_t other : own.rows) want += density_of(near[other]) / density_of(own) / 5;
    EXPECT_NEAR(scores[i], want, 1e-9 * want);
  }
}

TEST(NeighborDetectors, TinySetsEnd) {
  for (const int64_t n : {1, 2, 3}) {
    Context ctx;
    const MemorySource rows = source_of(normal_values(n * 2, 1), 2);
    const Outcome lof = lof_run(rows, {}, ctx), knn = knn_distance_run(rows, {}, ctx);
    for (const Outcome* out : {&lof, &knn}) {
      for (const double score : scores_of(*out)) EXPECT_TRUE(std::isfinite(score));
      for (const double score : one_by_one(*out, rows)) EXPECT_TRUE(std::isfinite(score));
    }
    if (n == 1) {
      EXPECT_EQ(scores_of(lof)[0], 1);
      EXPECT_EQ(scores_of(knn)[0], 0);
    }
    lof_apply(decode_model(encode_model(lof.model), "model"), rows, ctx);
    knn_distance_apply(decode_model(encode_model(knn.model), "model"), rows, ctx);
  }
}

TEST(NeighborDetectors, ModelsScoreNewRowsAlike) {
  Context ctx;
  const MemorySource rows = source_of(normal_values(600, 5), 3), fresh = source_of(normal_values(120, 6), 3);
  for (const NeighborMetric metric : {NeighborMetric::kEuclidean, NeighborMetric::kManhattan, NeighborMetric::kCosine}) {
    testing::expect_model_scores_alike(lof_run(rows, {.metric = metric}, ctx), lof_apply, fresh);
    testing::expect_model_scores_alike(knn_distance_run(rows, {.metric = metric}, ctx), knn_distance_apply, fresh);
  }
  testing::expect_model_scores_alike(dbscan_noise_run(rows, {.eps = 1.0}, ctx), dbscan_noise_apply, fresh);
}

TEST(NeighborDetectors, SameScoresForAnyThreadsAndLeaves) {
  const MemorySource rows = source_of(normal_values(3000, 3), 3);
  Context one, many;
  many.threads = 3;
  many.leaf_rows = 61;
  EXPECT_EQ(scores_of(lof_run(rows, {}, one)), scores_of(lof_run(rows, {}, many)));
  EXPECT_EQ(scores_of(knn_distance_run(rows, {}, one)), scores_of(knn_distance_run(rows, {}, many)));
  EXPECT_EQ(scores_of(dbscan_noise_run(rows, {}, one)), scores_of(dbscan_noise_run(rows, {}, many)));
}

TEST(NeighborDetectors, DamagedModelsAreHarmless) {
  Context ctx;
  const MemorySource rows = source_of(normal_values(90, 5), 3);
  testing::expect_damage_is_harmless(lof_run(rows, {.n_neighbors = 4}, ctx).model, lof_apply, rows);
  testing::expect_damage_is_harmless(knn_distance_run(rows, {.n_neighbors = 4}, ctx).model, knn_distance_apply, rows);
  testing::expect_damage_is_harmless(dbscan_noise_run(rows, {.eps = 2.0}, ctx).model, dbscan_noise_apply, rows);
}

TEST(DbscanNoise, AboveOneIsWhatDbscanCallsNoise) {
  Context ctx;
  const MemorySource rows = source_of(normal_values(2000, 7), 2);
  const DbscanParams params{.eps = 0.3, .min_samples = 10};
  const DbscanFit fit = dbscan_fit(rows, params, ctx);
  const std::vector<double> scores = scores_of(dbscan_noise_run(rows, params, ctx));
  EXPECT_GT(fit.n_noise, 5);
  for (int64_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(scores[static_cast<size_t>(i)] > 1, fit.labels[i] == -1);
    EXPECT_EQ(scores[static_cast<size_t>(i)] == 0, fit.core[i] == 1);
  }
  EXPECT_THROW(dbscan_noise_run(rows, {.eps = 1e-9}, ctx), Error);
}

}  // namespace
}  // namespace sluice
