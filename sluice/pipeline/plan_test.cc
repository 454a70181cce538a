#include "sluice/pipeline/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/core/error.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

// The error that parsing ends in.
Error refusal(const std::string& text) {
  try {
    parse_plan(text, "p.yaml");
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::kBug, "", "it was taken", "");
}

const std::string kHead = "sluice: 1\ninput: {path: a.csv}\n";

TEST(Plan, DefaultsMeasureEverything) {
  const Plan plan = parse_plan(kHead, "p.yaml");
  EXPECT_EQ(plan.reduce.method, "auto");
  ASSERT_EQ(plan.cluster.size(), 1U);
  EXPECT_EQ(plan.cluster[0].params.at("n_clusters"), "auto");
  EXPECT_EQ(plan.decision, Decide::kAuto);
  EXPECT_FALSE(plan.apply.off);
}

TEST(Plan, ReadsEveryStage) {
  const Plan plan = parse_plan(kHead + R"(seed: 7
stages:
  preprocess: {scale: robust, impute: mean}
  reduce: {method: pca, n_components: 0.9}
  cluster: [{method: kmeans, n_clusters: 3}, {method: kmeans, n_clusters: auto}]
  decision: cluster
  apply: off
  rules: off
)",
                               "p.yaml");
  EXPECT_EQ(plan.seed, 7U);
  EXPECT_EQ(plan.preprocess.params.at("scale"), "robust");
  EXPECT_EQ(plan.reduce.params.at("n_components"), "0.9");
  EXPECT_EQ(plan.cluster.size(), 2U);
  EXPECT_EQ(plan.decision, Decide::kCluster);
  EXPECT_TRUE(plan.apply.off);
}

TEST(Plan, RefusesWithPlaceAndSuggestion) {
  struct Case {
    std::string text, where, what;
  };
  const std::vector<Case> cases = {
      {kHead + "stagse: {}\n", "p.yaml:3", "did you mean stages?"},
      {kHead + "stages:\n  preprocess: {scael: auto}\n", "p.yaml:4", "did you mean scale?"},
      {kHead + "stages:\n  preprocess: {scale: auto, scale: none}\n", "p.yaml:4", "given twice"},
      {kHead + "stages:\n  preprocess: {scale: huge}\n", "p.yaml:4", "scale"},
      {kHead + "stages:\n  cluster: {method: kmeans, n_clusters: many}\n", "p.yaml:4", "n_clusters"},
      {kHead + "stages:\n  cluster: {method: kmaens}\n", "p.yaml:4", "there is no method kmaens"},
      {kHead + "stages:\n  train: {labels: [0.1]}\n", "p.yaml:4", "stage train is not there yet"},
      {kHead + "stages:\n  decision: perhaps\n", "p.yaml:4", "there is no decision perhaps"},
      {kHead + "stages:\n  rules: off\n  decision: both\n", "p.yaml", "rules"},
      {kHead + "seed: -1\n", "p.yaml:3", "seed"},
      {kHead + "seed: [1]\n", "p.yaml:3", "single value"},
      {"input: {path: a.csv}\n", "p.yaml:1", "sluice: 1"},
      {"sluice: 1\n", "p.yaml", "input is missing"},
      {"sluice: 1\ninput: {path: [}\n", "p.yaml:2", "no YAML"},
      {"- 1\n", "p.yaml:1", "no mapping"},
  };
  for (const Case& one : cases) {
    const Error error = refusal(one.text);
    EXPECT_EQ(error.code, ErrorCode::kUsage) << one.text;
    EXPECT_THAT(error.where, HasSubstr(one.where)) << one.text << error.what();
    EXPECT_THAT(std::string(error.what()), HasSubstr(one.what)) << one.text;
  }
}

}  // namespace
}  // namespace sluice
