// ensemble.h, and the detectors made of other rooms' models: gmm_density.h, hdbscan_outliers.h.
#include "sluice/anomaly/ensemble.h"

#include <cmath>

#include "sluice/anomaly/ecod.h"
#include "sluice/anomaly/gmm_density.h"
#include "sluice/anomaly/hdbscan_outliers.h"
#include "sluice/anomaly/knn_distance.h"
#include "sluice/anomaly/testing.h"

namespace sluice {
namespace {

using testing::normal_values;
using testing::scores_of;
using testing::source_of;

TEST(Ensemble, IsTheMeanOfTheRanks) {
  Context ctx;
  const MemorySource rows = source_of(normal_values(900, 1), 3);
  const std::vector<double> scores = scores_of(ensemble_run(rows, {"ecod,knn"}, ctx));
  std::vector<double> want(300, 0.0);
  for (const std::vector<double>& member : {scores_of(ecod_run(rows, {}, ctx)), scores_of(knn_distance_run(rows, {}, ctx))}) {
    for (size_t i = 0; i < 300; ++i) {
      double below = 0;
      for (const double other : member) below += (other < member[i]) + 0.5 * (other == member[i]);
      want[i] += below / 300 / 2;
    }
  }
  for (size_t i = 0; i < 300; ++i) EXPECT_NEAR(scores[i], want[i], 1e-12);
}

TEST(Ensemble, EveryMemberRunsAndItsModelScoresNewRows) {
  Context ctx;
  std::string all;
  for (const std::string& name : ensemble_members()) all += (all.empty() ? "" : ",") + name;
  const Outcome fit = ensemble_run(source_of(normal_values(600, 5), 3), {all}, ctx);
  testing::expect_model_scores_alike(fit, ensemble_apply, source_of(normal_values(60, 6), 3));
}

TEST(Ensemble, RefusesWordsThatAreNoMembers) {
  Context ctx;
  const MemorySource rows = source_of(normal_values(60, 5), 3);
  for (const char* methods : {"ecod", "", "ecod,ecod", "ecod,nothing", "ecod,"}) EXPECT_THROW(ensemble_run(rows, {methods}, ctx), Error);
}

TEST(Ensemble, DamagedModelsAreHarmless) {
  Context ctx;
  const MemorySource rows = source_of(normal_values(60, 5), 3);
  testing::expect_damage_is_harmless(ensemble_run(rows, {"ecod,knn"}, ctx).model, ensemble_apply, rows);
}

TEST(GmmDensity, OneComponentIsTheNormalDensity) {
  Context ctx;
  const std::vector<double> values = normal_values(2000, 3);
  const Outcome fit = gmm_density_run(source_of(values, 1), {}, ctx);
  double mean = 0, variance = 1e-6;
  for (const double x : values) mean += x / 2000;
  for (const double x : values) variance += (x - mean) * (x - mean) / 2000;
  for (size_t i = 0; i < 2000; ++i) {
    const double want = 0.5 * std::log(2 * 3.14159265358979323846 * variance) + (values[i] - mean) * (values[i] - mean) / (2 * variance);
    EXPECT_NEAR((*fit.scores)[static_cast<int64_t>(i)], want, 1e-9);
  }
  testing::expect_model_scores_alike(fit, gmm_density_apply, source_of(normal_values(50, 6), 1));
}

TEST(HdbscanOutliers, ARowFarFromEveryClusterScoresHighest) {
  Context ctx;
  std::vector<double> values = normal_values(800, 4);
  for (size_t i = 0; i < 400; ++i) values[i] += 30;
  values[799] = values[798] = 15;
  const MemorySource rows = source_of(values, 2);
  const Outcome fit = hdbscan_outliers_run(rows, {}, ctx);
  const std::vector<double> scores = scores_of(fit);
  EXPECT_EQ(std::max_element(scores.begin(), scores.end()) - scores.begin(), 399);
  EXPECT_EQ(scores_of(hdbscan_outliers_apply(fit.model, rows, ctx)), scores);
  testing::expect_model_scores_alike(fit, hdbscan_outliers_apply, source_of(normal_values(40, 6), 2));
}

TEST(ModelDetectors, TinyAndConstantSetsEnd) {
  for (const int64_t n : {1, 2, 3}) {
    for (const MemorySource& rows :
         {source_of(normal_values(n * 2, 1), 2), source_of(std::vector<double>(static_cast<size_t>(n * 2), 2), 2)}) {
      Context ctx;
      for (const double score : scores_of(gmm_density_run(rows, {}, ctx))) EXPECT_TRUE(std::isfinite(score));
      for (const double score : scores_of(hdbscan_outliers_run(rows, {}, ctx))) EXPECT_TRUE(std::isfinite(score));
      for (const double score : scores_of(ensemble_run(rows, {}, ctx))) EXPECT_TRUE(std::isfinite(score));
    }
  }
}

}  // namespace
}  // namespace sluice
