// mahalanobis.h and pca_error.h: against scikit-learn's definition, and where the covariance has no inverse.
#include <cmath>

#include "sluice/anomaly/mahalanobis.h"
#include "sluice/anomaly/pca_error.h"
#include "sluice/anomaly/testing.h"

namespace sluice {
namespace {

using testing::normal_values;
using testing::scores_of;
using testing::source_of;

TEST(Mahalanobis, TwoColumnsByTheFormula) {
  Context ctx;
  std::vector<double> values = normal_values(1000, 1);
  for (size_t i = 0; i < values.size(); i += 2) values[i + 1] = 1e6 + 3 * values[i] + 0.2 * values[i + 1];
  double mean[2] = {}, xx = 0, xy = 0, yy = 0;
  for (size_t i = 0; i < 1000; i += 2) {
    mean[0] += values[i] / 500;
    mean[1] += values[i + 1] / 500;
  }
  for (size_t i = 0; i < 1000; i += 2) {
    const double x = values[i] - mean[0], y = values[i + 1] - mean[1];
    xx += x * x / 500;
    xy += x * y / 500;
    yy += y * y / 500;
  }
  const double det = xx * yy - xy * xy;
  const std::vector<double> scores = scores_of(mahalanobis_run(source_of(values, 2), {}, ctx));
  for (size_t i = 0; i < 500; ++i) {
    const double x = values[2 * i] - mean[0], y = values[2 * i + 1] - mean[1];
    EXPECT_NEAR(scores[i], (yy * x * x - 2 * xy * x * y + xx * y * y) / det, 1e-6);
  }
}

TEST(Mahalanobis, RepeatedAndConstantColumnsChangeNothing) {
  Context ctx;
  const std::vector<double> values = normal_values(600, 2);
  std::vector<double> more;
  for (size_t i = 0; i < 600; i += 3) more.insert(more.end(), {values[i], values[i + 1], values[i + 2], 7, values[i + 1]});
  const std::vector<double> plain = scores_of(mahalanobis_run(source_of(values, 3), {}, ctx));
  const Outcome out = mahalanobis_run(source_of(more, 5), {}, ctx);
  const std::vector<double> scores = scores_of(out);
  EXPECT_EQ(out.notes.size(), 1U);
  for (size_t i = 0; i < scores.size(); ++i) EXPECT_NEAR(scores[i], plain[i], 1e-9 * (1 + plain[i]));
}

TEST(PcaError, IsTheDistanceToThePlane) {
  Context ctx;
  std::vector<double> values;
  const std::vector<double> normal = normal_values(800, 3);
  for (size_t i = 0; i < 800; i += 2) values.insert(values.end(), {normal[i], normal[i + 1], normal[i] + normal[i + 1]});
  values[2] += 3;  // row 0 stands off the plane by about 3 / sqrt(3)
  const std::vector<double> scores = scores_of(pca_error_run(source_of(values, 3), {.n_components = "2"}, ctx));
  EXPECT_NEAR(scores[0], std::sqrt(3), 0.05);
  for (size_t i = 1; i < scores.size(); ++i) EXPECT_LT(scores[i], 0.05);
}

TEST(ComponentDetectors, TinyAndConstantSetsEnd) {
  for (const int64_t n : {1, 2, 3}) {
    Context ctx;
    for (const MemorySource& rows :
         {source_of(normal_values(n * 4, 1), 4), source_of(std::vector<double>(static_cast<size_t>(n * 4), 2), 4)}) {
      const Outcome far = mahalanobis_run(rows, {}, ctx), off = pca_error_run(rows, {}, ctx);
      for (const Outcome* out : {&far, &off}) {
        for (const double score : scores_of(*out)) EXPECT_TRUE(std::isfinite(score));
        if (n == 1) {
          EXPECT_EQ(scores_of(*out)[0], 0);
        }
      }
      mahalanobis_apply(decode_model(encode_model(far.model), "model"), rows, ctx);
      pca_error_apply(decode_model(encode_model(off.model), "model"), rows, ctx);
    }
  }
}

TEST(ComponentDetectors, ModelsScoreNewRowsAndTheirOwnAlike) {
  Context ctx;
  const MemorySource rows = source_of(normal_values(3000, 5), 5);
  const Outcome far = mahalanobis_run(rows, {}, ctx), off = pca_error_run(rows, {}, ctx);
  testing::expect_model_scores_alike(far, mahalanobis_apply, source_of(normal_values(100, 6), 5));
  testing::expect_model_scores_alike(off, pca_error_apply, source_of(normal_values(100, 6), 5));
  EXPECT_EQ(scores_of(mahalanobis_apply(far.model, rows, ctx)), scores_of(far));
  EXPECT_EQ(scores_of(pca_error_apply(off.model, rows, ctx)), scores_of(off));
}

TEST(ComponentDetectors, SameScoresForAnyThreadsAndLeaves) {
  const MemorySource rows = source_of(normal_values(9000, 3), 3);
  Context one, many;
  many.threads = 3;
  EXPECT_EQ(scores_of(mahalanobis_run(rows, {}, one)), scores_of(mahalanobis_run(rows, {}, many)));
  EXPECT_EQ(scores_of(pca_error_run(rows, {}, one)), scores_of(pca_error_run(rows, {}, many)));
}

TEST(ComponentDetectors, DamagedModelsAreHarmless) {
  Context ctx;
  const MemorySource rows = source_of(normal_values(90, 5), 3);
  testing::expect_damage_is_harmless(mahalanobis_run(rows, {}, ctx).model, mahalanobis_apply, rows);
  testing::expect_damage_is_harmless(pca_error_run(rows, {}, ctx).model, pca_error_apply, rows);
}

}  // namespace
}  // namespace sluice
