#include "sluice/anomaly/threshold.h"

#include <cmath>

#include "sluice/anomaly/chosen_rows.h"
#include "sluice/anomaly/ecod.h"
#include "sluice/anomaly/testing.h"

namespace sluice {
namespace {

using testing::normal_values;
using testing::source_of;

TEST(Threshold, NormalTailIsThatOfErfc) {
  for (double z = -30; z < 37; z += 0.0371) {
    const double want = std::erfc(z / std::sqrt(2.0)) / 2;
    EXPECT_NEAR(normal_tail(z), want, 2e-13 * want) << z;
  }
  EXPECT_EQ(normal_tail(1e9), 0);
  EXPECT_EQ(normal_tail(-1e9), 1);
}

// Sums of `terms` squares of normal numbers.
std::vector<double> chi_square_scores(int64_t terms, uint64_t seed) {
  const std::vector<double> normal = normal_values(100'000 * terms, seed);
  std::vector<double> scores(100'000, 0.0);
  for (size_t i = 0; i < normal.size(); ++i) scores[i / static_cast<size_t>(terms)] += normal[i] * normal[i];
  return scores;
}

TEST(Threshold, OfSumsOfSquaresThePValuesAreNearlyUniform) {
  for (const int64_t terms : {3, 10}) {
    const std::vector<double> scores = chi_square_scores(terms, 1);
    const EmpiricalNull null = empirical_null(scores, NullScale::kCubeRoot);
    for (const double level : {0.5, 0.25, 0.1, 0.01, 0.001}) {
      int64_t below = 0;
      for (const double score : scores) below += p_value(null, score) <= level;
      EXPECT_NEAR(static_cast<double>(below) / 1e5 / level, 1, 0.6) << level;
    }
  }
}

TEST(Threshold, OfExponentialsOfNormalNumbersThePValuesAreUniform) {
  std::vector<double> scores = normal_values(100'000, 2);
  for (double& score : scores) score = std::exp(0.3 * score - 1);
  const EmpiricalNull null = empirical_null(scores, NullScale::kLog);
  for (const double z : {-1.0, 0.0, 1.0, 2.0, 3.0}) EXPECT_NEAR(p_value(null, std::exp(0.3 * z - 1)) / normal_tail(z), 1, 0.15) << z;
}

TEST(Threshold, PValuesFallAsScoresRise) {
  for (const EmpiricalNull& null : {EmpiricalNull{NullScale::kCubeRoot, -10, 2, 0.5}, EmpiricalNull{NullScale::kLog, 0, -1, 0.2}}) {
    double before = 1;
    for (double score = 0.01; score < 50; score += 0.01) {
      const double p = p_value(null, score);
      EXPECT_LE(p, before);
      EXPECT_GE(p, 0);
      before = p;
    }
  }
}

TEST(Threshold, PValuesDependNeitherOnShiftNorUnitOfTheScores) {
  const std::vector<double> scores = chi_square_scores(2, 3);
  std::vector<double> moved;
  for (const double score : scores) moved.push_back(8 * score - 64);
  const EmpiricalNull a = empirical_null(scores, NullScale::kCubeRoot), b = empirical_null(moved, NullScale::kCubeRoot);
  for (size_t i = 0; i < 1000; ++i) EXPECT_NEAR(p_value(a, scores[i]), p_value(b, moved[i]), 1e-9);
}

TEST(Threshold, EqualScoresHaveNoSpread) {
  EXPECT_EQ(empirical_null(std::vector<double>(50, 3.0), NullScale::kCubeRoot).spread, 0);
  EXPECT_EQ(empirical_null({4}, NullScale::kCubeRoot).spread, 0);
  EXPECT_GT(empirical_null({1, 2}, NullScale::kLog).spread, 0);
}

TEST(Threshold, BenjaminiHochbergByItsDefinition) {
  // Benjamini and Hochberg 1995, section 3.2: at 0.05 the four smallest of these 15 are rejected.
  const std::vector<double> p = {0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
                                 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000};
  EXPECT_EQ(largest_rejected(p, 0.05), 0.0095);
  EXPECT_EQ(largest_rejected({0.3, 0.2}, 0.05), std::nullopt);
  EXPECT_EQ(largest_rejected({0.01, 0.01, 0.9}, 0.05), 0.01);
}

TEST(Threshold, FalseAlarmsStayAtTheRateAndAnomaliesAreFound) {
  std::vector<double> scores = chi_square_scores(5, 9);
  for (size_t i = 0; i < 2000; ++i) scores[i] = 60;  // 2 % anomalies
  const EmpiricalNull null = empirical_null(scores, NullScale::kCubeRoot);
  std::vector<double> p;
  for (const double score : scores) p.push_back(p_value(null, score));
  const double most = largest_rejected(p, 0.05).value();
  int64_t found = 0, wrong = 0;
  for (size_t i = 0; i < scores.size(); ++i) (i < 2000 ? found : wrong) += p[i] <= most;
  EXPECT_EQ(found, 2000);
  EXPECT_LT(wrong, 200);  // 5 % of 2,100 expected
}

TEST(Threshold, AShareIsNeverExceeded) {
  EXPECT_EQ(threshold_of_share({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 0.2), 9);
  EXPECT_EQ(threshold_of_share({1, 2, 3, 4, 5, 6, 7, 9, 9, 9}, 0.2), std::nullopt);
  EXPECT_EQ(threshold_of_share({1, 2, 3, 4, 5, 6, 7, 8, 9, 9}, 0.3), 8);
  EXPECT_EQ(threshold_of_share({1, 1, 1}, 0.5), std::nullopt);
  EXPECT_EQ(threshold_of_share({1, 2, 3}, 0.0), std::nullopt);
  EXPECT_EQ(threshold_of_share({1}, 0.1), std::nullopt);
}

TEST(Threshold, ConformalPValuesAreRanks) {
  const std::vector<double> ascending = {1, 2, 2, 3};
  EXPECT_EQ(conformal_p_value(ascending, 0), 1);
  EXPECT_EQ(conformal_p_value(ascending, 2), 4.0 / 5);
  EXPECT_EQ(conformal_p_value(ascending, 9), 1.0 / 5);
}

TEST(Threshold, CrossScoresComeFromTheOtherHalfAndArePerHalfUniform) {
  Context ctx;
  const MemorySource rows = source_of(normal_values(3000, 3), 3);
  const Detector detector = [](const Source& half, Context& c) { return ecod_run(half, {}, c); };
  const CrossScores cross = cross_scores(rows, detector, ctx);
  std::vector<int64_t> members[2];
  for (size_t i = 0; i < 1000; ++i) members[cross.half[i]].push_back(static_cast<int64_t>(i));
  EXPECT_GT(members[0].size(), 400U);
  for (int half = 0; half < 2; ++half) {
    ChosenRows others(rows, members[1 - half]);
    others.stats = measure(others, ctx);
    const Outcome fitted = ecod_run(others, {}, ctx);
    const std::vector<double> want = testing::one_by_one(fitted, ChosenRows(rows, members[half]));
    std::vector<double> p;
    for (size_t i = 0; i < want.size(); ++i) {
      EXPECT_EQ(cross.scores[static_cast<size_t>(members[half][i])], want[i]);
      p.push_back(cross.p_values[static_cast<size_t>(members[half][i])]);
    }
    EXPECT_EQ(largest_rejected(p, 0.5), std::nullopt);
    EXPECT_EQ(*std::min_element(p.begin(), p.end()), 1 / static_cast<double>(p.size()));
  }
  Context many;
  many.threads = 3;
  many.leaf_rows = 50;
  EXPECT_EQ(cross_scores(rows, detector, many).p_values, cross.p_values);
  EXPECT_THROW(cross_scores(source_of({1}, 1), detector, ctx), Error);
}

TEST(ChosenRows, ReadsTheRowsNamed) {
  const std::vector<double> values = normal_values(600, 1);
  const MemorySource all = source_of(values, 3);
  const std::vector<int64_t> chosen = {0, 3, 4, 5, 90, 91, 150, 199};
  const ChosenRows some(all, chosen);
  BlockBuffer buffer;
  for (int64_t first = 0; first < 8; ++first) {
    for (int64_t count = 1; first + count <= 8; ++count) {
      const MatrixBlock block = some.read(first, count, buffer);
      EXPECT_EQ(block.first_row, first);
      for (int64_t i = 0; i < count; ++i) {
        for (int64_t j = 0; j < 3; ++j)
          EXPECT_EQ(block.view().f64(i)[j], values[static_cast<size_t>(chosen[static_cast<size_t>(first + i)] * 3 + j)]);
      }
    }
  }
}

}  // namespace
}  // namespace sluice
