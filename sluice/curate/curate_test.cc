#include "sluice/curate/curate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "sluice/core/random.h"

namespace sluice {
namespace {

// The rule itself, by comparing with every row kept before.
std::vector<int64_t> by_the_rule(const std::vector<double>& values, int64_t cols, const std::vector<int32_t>& labels, double distance) {
  std::vector<int64_t> witness(labels.size(), -1);
  for (size_t i = 0; i < labels.size(); ++i) {
    for (size_t k = 0; k < i && witness[i] < 0; ++k) {
      if (witness[k] >= 0 || labels[k] != labels[i]) continue;
      double sum = 0;
      for (int64_t j = 0; j < cols; ++j) {
        const double difference =
            values[i * static_cast<size_t>(cols) + static_cast<size_t>(j)] - values[k * static_cast<size_t>(cols) + static_cast<size_t>(j)];
        sum += difference * difference;
      }
      if (sum <= distance * distance) witness[i] = static_cast<int64_t>(k);
    }
  }
  return witness;
}

TEST(Curate, WitnessesFollowTheRule) {
  constexpr int64_t kRows = 400;
  Random random(7, RandomStage::kSubsample, 0);
  std::vector<double> values;
  std::vector<int32_t> labels;
  for (int64_t i = 0; i < kRows; ++i) {
    for (int j = 0; j < 2; ++j) values.push_back(static_cast<double>(random.below(12)) - 6);
    labels.push_back(static_cast<int32_t>(random.below(3)) - 1);
  }
  values[0] = -0.0;  // equals +0
  const MemorySource source(values, kRows, 2);
  Context ctx;
  ctx.threads = 2;
  for (const double distance : {0.0, 1.0, 1.5, 100.0}) {
    const auto witness = duplicate_witnesses(source, labels, distance, ctx);
    EXPECT_EQ(witness, by_the_rule(values, 2, labels, distance)) << distance;
    for (size_t i = 0; i < witness.size(); ++i) {
      if (witness[i] < 0) continue;
      EXPECT_LT(witness[static_cast<size_t>(witness[i])], 0) << "a witness was dropped";
    }
  }
}

TEST(Curate, WeightsGiveEveryClusterTheSameShare) {
  const std::vector<int32_t> labels{0, 0, 0, 1, 2, 2, -1};
  const std::vector<int64_t> witness{-1, -1, 0, -1, -1, -1, -1};
  const auto weights = balanced_weights(labels, witness);
  EXPECT_EQ(weights[2], 0);
  EXPECT_EQ(weights[6], 1);
  EXPECT_DOUBLE_EQ(weights[0] + weights[1], weights[3]);
  EXPECT_DOUBLE_EQ(weights[3], weights[4] + weights[5]);
  EXPECT_DOUBLE_EQ(std::accumulate(weights.begin(), weights.end(), 0.0), 6);
}

}  // namespace
}  // namespace sluice
