#include "sluice/metrics/ranking.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "sluice/core/error.h"
#include "sluice/metrics/ranking_sklearn.h"

namespace sluice {
namespace {

TEST(Ranking, EqualsScikitLearn) {
  for (const auto& set : sklearn::kRanking) {
    SCOPED_TRACE(set.name);
    EXPECT_NEAR(roc_auc(set.scores, set.positive), set.roc_auc, 1e-14);
    EXPECT_NEAR(average_precision(set.scores, set.positive), set.average_precision, 1e-14);
  }
}

TEST(Ranking, EqualsTheDefinitionByPairs) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 30; ++round) {
    std::vector<double> scores;
    std::vector<uint8_t> positive;
    for (int i = 0; i < 70; ++i) {
      scores.push_back(static_cast<double>(random() % 9) - 4);
      positive.push_back(static_cast<uint8_t>(random() % 3 == 0 ? 1 + random() % 255 : 0));
    }
    double won = 0, pairs = 0;
    for (size_t a = 0; a < scores.size(); ++a) {
      for (size_t b = 0; b < scores.size(); ++b) {
        if (positive[a] == 0 || positive[b] != 0) continue;
        ++pairs;
        won += scores[a] > scores[b] ? 1 : scores[a] == scores[b] ? 0.5 : 0;
      }
    }
    EXPECT_DOUBLE_EQ(roc_auc(scores, positive), won / pairs);
    std::vector<double> turned;
    for (const double score : scores) turned.push_back(-score);
    EXPECT_DOUBLE_EQ(roc_auc(turned, positive), 1 - won / pairs);
  }
}

TEST(Ranking, PrecisionOfTheTop) {
  const std::vector<double> scores = {5, 4, 3, 3, 3, 1};
  const std::vector<uint8_t> positive = {1, 0, 1, 1, 0, 0};
  EXPECT_EQ(precision_at(scores, positive, 1), 1);
  EXPECT_EQ(precision_at(scores, positive, 2), 0.5);
  EXPECT_DOUBLE_EQ(precision_at(scores, positive, 3), (1 + 2.0 / 3) / 3);  // one of the three that tie
  EXPECT_DOUBLE_EQ(precision_at(scores, positive), (1 + 2.0 / 3) / 3);     // three are positive
  EXPECT_EQ(precision_at(scores, positive, 6), 0.5);
  EXPECT_THROW(precision_at(scores, positive, 7), Error);
  EXPECT_THROW(precision_at(scores, positive, -1), Error);
}

TEST(Ranking, SaysNothingWhereThereIsNothingToSay) {
  const std::vector<double> scores = {1, 2};
  EXPECT_TRUE(std::isnan(roc_auc(scores, std::vector<uint8_t>{0, 0})));
  EXPECT_TRUE(std::isnan(roc_auc(scores, std::vector<uint8_t>{1, 1})));
  EXPECT_TRUE(std::isnan(average_precision(scores, std::vector<uint8_t>{0, 0})));
  EXPECT_EQ(average_precision(scores, std::vector<uint8_t>{1, 1}), 1);
  EXPECT_TRUE(std::isnan(roc_auc({}, {})));
  EXPECT_TRUE(std::isnan(precision_at(scores, std::vector<uint8_t>{0, 0})));
}

TEST(Ranking, RefusesWhatItCannotRank) {
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_THROW(roc_auc(std::vector<double>{1, std::nan("")}, std::vector<uint8_t>{0, 1}), Error);
  EXPECT_THROW(average_precision(std::vector<double>{1}, std::vector<uint8_t>{0, 1}), Error);
  EXPECT_EQ(roc_auc(std::vector<double>{-inf, inf, 0}, std::vector<uint8_t>{0, 1, 0}), 1);
}

}  // namespace
}  // namespace sluice
