#include "sluice/cluster/choose_k.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sluice/comm/thread_ranks.h"
#include "sluice/core/random.h"
#include "sluice/core/statistics.h"

namespace sluice {
namespace {

MemorySource measured(std::vector<double> values, int64_t cols) {
  const auto rows = static_cast<int64_t>(values.size()) / cols;
  MemorySource source(std::move(values), rows, cols);
  Context ctx;
  source.stats = measure(source, ctx);
  return source;
}

// k round clusters on a grid of spacing `apart`, in 3 columns.
MemorySource grid(int64_t k, int64_t each, double apart, uint64_t seed) {
  Random random(seed, RandomStage::kSubsample, 77);
  std::vector<double> values;
  for (int64_t i = 0; i < k * each; ++i) {
    const int64_t c = i % k;
    for (const int64_t place : {c % 3, c / 3 % 3, c / 9}) values.push_back(apart * static_cast<double>(place) + random.normal());
  }
  return measured(std::move(values), 3);
}

enum class Law { kUniform, kNormal, kExponential, kLognormal, kHeavy, kCounts, kCorrelated };
MemorySource without_structure(Law law, int64_t n, int64_t d, uint64_t seed) {
  Random random(seed, RandomStage::kSubsample, 78);
  std::vector<double> values;
  for (int64_t i = 0; i < n; ++i) {
    const double common = random.normal();
    for (int64_t j = 0; j < d; ++j) {
      const double z = random.normal(), u = random.uniform();
      double counts = 0;
      for (double product = random.uniform(); product > 0.1; product *= random.uniform()) ++counts;  // Poisson, mean 2.3
      switch (law) {
        case Law::kUniform:
          values.push_back(u);
          break;
        case Law::kNormal:
          values.push_back(z);
          break;
        case Law::kExponential:
          values.push_back(-std::log(1 - u));
          break;
        case Law::kLognormal:
          values.push_back(std::exp(z));
          break;
        case Law::kHeavy:
          values.push_back(z / std::sqrt(-std::log(1 - u)));
          break;  // Student, 2 degrees
        case Law::kCounts:
          values.push_back(counts);
          break;
        case Law::kCorrelated:
          values.push_back(2 * common + z);
          break;
      }
    }
  }
  return measured(std::move(values), d);
}

TEST(ChooseK, ClearClusters) {
  for (const int64_t k : {2, 5, 9}) {
    Context ctx;
    const ChooseKResult got = choose_k(grid(k, 60, 9, static_cast<uint64_t>(k)), {}, ctx);
    ASSERT_TRUE(got.n_clusters) << got.reason;
    EXPECT_EQ(*got.n_clusters, k) << got.reason;
    EXPECT_EQ(got.k.size(), 16u);
    EXPECT_EQ(got.wcss.size(), 16u);
    EXPECT_TRUE(std::isnan(got.silhouette[0]));
    EXPECT_GT(got.silhouette[static_cast<size_t>(k - 1)], 0.5);
    EXPECT_GT(got.gap[static_cast<size_t>(k - 1)], got.null_band[static_cast<size_t>(k - 1)]);
  }
}

TEST(ChooseK, NoStructureWhereThereIsNone) {
  int structured = 0, sets = 0;
  for (int law = 0; law <= static_cast<int>(Law::kCorrelated); ++law) {
    for (uint64_t seed = 0; seed < 3; ++seed) {
      Context ctx;
      const ChooseKResult got = choose_k(without_structure(static_cast<Law>(law), 300, 2 + static_cast<int64_t>(seed) * 2, seed), {}, ctx);
      ++sets;
      structured += got.n_clusters.has_value();
      if (got.n_clusters) ADD_FAILURE() << "law " << law << " seed " << seed << ": " << got.reason;
    }
  }
  EXPECT_EQ(structured, 0) << "of " << sets;
}

std::vector<double> numbers(const ChooseKResult& r) {
  std::vector<double> all = r.wcss;
  all.insert(all.end(), r.silhouette.begin() + 1, r.silhouette.end());
  all.insert(all.end(), r.gap.begin(), r.gap.end());
  all.insert(all.end(), r.gap_se.begin(), r.gap_se.end());
  all.push_back(r.excess);
  all.push_back(static_cast<double>(r.n_clusters.value_or(-1)));
  return all;
}

TEST(ChooseK, SameBitsForThreadsAndRanks) {
  const MemorySource rows = grid(3, 50, 12, 4);
  ChooseKParams params;
  params.k_max = 5;
  params.sample = 120;                  // fewer than the rows: the draw is proved too
  for (const int64_t leaf : {0, 16}) {  // small leaves, so that every rank has some; k-means' own sums depend on them in the last bits
    Context one;
    one.leaf_rows = leaf;
    const ChooseKResult wanted = choose_k(rows, params, one);
    EXPECT_EQ(wanted.n_clusters.value_or(-1), 3) << wanted.reason;
    for (const int ranks : {1, 2, 3}) {
      run_as_ranks(ranks, [&](Communicator& comm) {
        Context ctx;
        ctx.comm = &comm;
        ctx.threads = 2;
        ctx.leaf_rows = leaf;
        EXPECT_EQ(numbers(choose_k(rows, params, ctx)), numbers(wanted)) << ranks << " ranks, leaves of " << leaf;
      });
    }
  }
}

TEST(ChooseK, SmallAndDegenerate) {
  Context ctx;
  const ChooseKResult equal = choose_k(measured(std::vector<double>(40, 3.5), 2), {}, ctx);
  EXPECT_FALSE(equal.n_clusters);
  EXPECT_EQ(equal.reason, "no cluster structure: all rows are equal");
  const ChooseKResult one = choose_k(measured({1, 2}, 2), {}, ctx);
  EXPECT_FALSE(one.n_clusters);
  EXPECT_EQ(one.k, std::vector<int64_t>{1});
  const ChooseKResult few = choose_k(measured({0, 1, 5, 7, 9}, 1), {}, ctx);
  EXPECT_EQ(few.k.size(), 5u);
  EXPECT_EQ(few.wcss.back(), 0);
}

TEST(ChooseK, RefusesWhatItCannotDo) {
  const MemorySource rows = measured({1, 2, 3, 4}, 1);
  Context ctx;
  ChooseKParams params;
  params.k_max = 5;
  EXPECT_THROW(choose_k(rows, params, ctx), Error);
  params.k_max = 2;
  params.k_min = 3;
  EXPECT_THROW(choose_k(rows, params, ctx), Error);
}

TEST(ChooseK, RunGivesTheKeysOfTheContract) {
  Context ctx;
  const Outcome yes = choose_k_run(grid(2, 60, 12, 1), {}, ctx);
  for (const char* key : {"n_clusters", "k", "wcss", "silhouette", "gap", "gap_se"}) EXPECT_TRUE(yes.result.all().contains(key)) << key;
  EXPECT_EQ(yes.result.all().at("n_clusters"), "2");
  EXPECT_EQ(yes.result.all().at("silhouette").substr(0, 6), "[null,");
  EXPECT_EQ(yes.figures.size(), 3u);
  EXPECT_EQ(yes.figures[2].marked_x, 2.0);
  const Outcome no = choose_k_run(without_structure(Law::kNormal, 200, 2, 5), {}, ctx);
  EXPECT_EQ(no.result.all().at("n_clusters"), "null");
  EXPECT_FALSE(no.figures[2].marked_x);
}

}  // namespace
}  // namespace sluice
