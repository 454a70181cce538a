#include "sluice/anomaly/ecod.h"

#include <cmath>

#include "sluice/anomaly/testing.h"

namespace sluice {
namespace {

using testing::normal_values;
using testing::scores_of;
using testing::source_of;

// The definition, by counting.
std::vector<double> plain_ecod(const std::vector<double>& values, int64_t d) {
  const int64_t n = static_cast<int64_t>(values.size()) / d;
  std::vector<double> scores(static_cast<size_t>(n), 0.0);
  for (int64_t j = 0; j < d; ++j) {
    const auto at = [&](int64_t i) { return static_cast<long double>(values[static_cast<size_t>(i * d + j)]); };
    long double mean = 0, third = 0;
    for (int64_t i = 0; i < n; ++i) mean += at(i) / n;
    for (int64_t i = 0; i < n; ++i) third += (at(i) - mean) * (at(i) - mean) * (at(i) - mean);
    if (std::fabs(third) < 1e-12L) third = 0;
    for (int64_t i = 0; i < n; ++i) {
      int64_t le = 0, ge = 0;
      for (int64_t o = 0; o < n; ++o) {
        le += at(o) <= at(i);
        ge += at(o) >= at(i);
      }
      const double left = -std::log(static_cast<double>(le) / static_cast<double>(n));
      const double right = -std::log(static_cast<double>(ge) / static_cast<double>(n));
      const double skewed = third > 0 ? right : third < 0 ? left : left + right;
      scores[static_cast<size_t>(i)] += std::max({left, right, skewed});
    }
  }
  return scores;
}

TEST(Ecod, ScoresAreThoseOfCounting) {
  Context ctx;
  std::vector<double> values = normal_values(4000, 1);
  for (size_t i = 0; i < values.size(); i += 4) {
    values[i] = std::exp(values[i]);                // skewed to the right
    values[i + 1] = -std::exp(values[i + 1]);       // to the left
    values[i + 2] = std::round(2 * values[i + 2]);  // with ties
    values[i + 3] = 5;                              // constant
  }
  const std::vector<double> scores = scores_of(ecod_run(source_of(values, 4), {}, ctx));
  const std::vector<double> plain = plain_ecod(values, 4);
  for (size_t i = 0; i < scores.size(); ++i) EXPECT_NEAR(scores[i], plain[i], 1e-10);
}

TEST(Ecod, ValuesOfPyOd) {
  // ECOD().fit([[1, 5], [2, 5.5], [3, 9], [10, 4]]).decision_scores_ of PyOD 3.6.7
  Context ctx;
  const std::vector<double> scores = scores_of(ecod_run(source_of({1, 5, 2, 5.5, 3, 9, 10, 4}, 2), {}, ctx));
  const double log4 = std::log(4.0);
  const std::vector<double> theirs = {log4 + std::log(2.0), std::log(2.0) + std::log(2.0), std::log(2.0) + log4, log4 + log4};
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(scores[i], theirs[i], 1e-12);
}

TEST(Ecod, NewRowsBeyondTheFitScoreMoreThanItsEnds) {
  Context ctx;
  const Outcome fit = ecod_run(source_of({1, 2, 3, 4, 5}, 1), {}, ctx);
  const std::vector<double> scores = testing::one_by_one(fit, source_of({0, 1, 3, 3.5, 5, 6}, 1));
  EXPECT_GT(scores[0], scores[1]);
  EXPECT_EQ(scores[0], scores[5]);
  EXPECT_EQ(scores[1], (*fit.scores)[0]);
  EXPECT_NEAR(scores[5], std::log(6.0), 1e-12);
}

TEST(Ecod, TinyAndConstantSetsEnd) {
  Context ctx;
  for (const int64_t n : {1, 2, 3}) {
    for (const double score : scores_of(ecod_run(source_of(std::vector<double>(static_cast<size_t>(n), 3), 1), {}, ctx)))
      EXPECT_EQ(score, 0);
    for (const double score : scores_of(ecod_run(source_of(normal_values(n, 2), 1), {}, ctx))) EXPECT_TRUE(std::isfinite(score));
  }
}

TEST(Ecod, AModelScoresNewRowsAndItsOwnAlike) {
  Context ctx;
  const MemorySource rows = source_of(normal_values(3000, 5), 3);
  const Outcome fit = ecod_run(rows, {}, ctx);
  testing::expect_model_scores_alike(fit, ecod_apply, source_of(normal_values(120, 6), 3));
  EXPECT_EQ(scores_of(ecod_apply(fit.model, rows, ctx)), scores_of(fit));
}

TEST(Ecod, SameScoresForAnyThreadsAndLeaves) {
  const MemorySource rows = source_of(normal_values(9000, 3), 3);
  Context one, many;
  many.threads = 3;
  many.leaf_rows = 61;
  EXPECT_EQ(scores_of(ecod_run(rows, {}, one)), scores_of(ecod_run(rows, {}, many)));
}

TEST(Ecod, DamagedModelsAreHarmless) {
  Context ctx;
  const MemorySource rows = source_of(normal_values(90, 5), 3);
  testing::expect_damage_is_harmless(ecod_run(rows, {}, ctx).model, ecod_apply, rows);
}

TEST(Ecod, RefusesWhatItCannotScore) {
  Context ctx;
  EXPECT_THROW(ecod_run(source_of({1, INFINITY}, 1), {}, ctx), Error);
  ctx.memory = 1000;
  EXPECT_THROW(ecod_run(source_of(normal_values(900, 1), 3), {}, ctx), Error);
}

}  // namespace
}  // namespace sluice
