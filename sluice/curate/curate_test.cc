#include "sluice/curate/curate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "sluice/comm/thread_ranks.h"
#include "sluice/core/error.h"
#include "sluice/core/random.h"
#include "sluice/kernels/dist64.h"

namespace sluice {
namespace {

// The rule itself, by comparing with every row kept before.
Witnesses by_the_rule(const std::vector<double>& values, int64_t cols, const std::vector<int32_t>& labels, double distance) {
  Witnesses out{std::vector<int64_t>(labels.size(), -1), std::vector<double>(labels.size(), 0.0)};
  for (size_t i = 0; i < labels.size(); ++i) {
    double nearest = INFINITY;
    for (size_t k = 0; k < i; ++k) {
      if (out.row[k] >= 0 || labels[k] != labels[i]) continue;
      const double square = kernels::squared_distance(&values[i * static_cast<size_t>(cols)], &values[k * static_cast<size_t>(cols)], cols);
      if (square >= nearest || std::sqrt(square) > distance) continue;
      nearest = square;
      out.row[i] = static_cast<int64_t>(k);
      out.distance[i] = std::sqrt(square);
    }
  }
  return out;
}

MemorySource measured(const std::vector<double>& values, int64_t cols) {
  Context ctx;
  MemorySource out(values, static_cast<int64_t>(values.size()) / cols, cols);
  out.stats = measure(out, ctx);
  return out;
}

// Rows of a coarse grid (many ties and duplicates) or of normal numbers, in three labels and noise.
struct Sample {
  std::vector<double> values;
  std::vector<int32_t> labels;
};
Sample sample(int64_t rows, int64_t cols, bool grid) {
  Random random(7, RandomStage::kSubsample, static_cast<uint64_t>(cols));
  Sample out;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) out.values.push_back(grid ? static_cast<double>(random.below(12)) - 6 : random.normal());
    out.labels.push_back(static_cast<int32_t>(random.below(4)) - 1);
  }
  out.values[0] = -0.0;  // equals +0
  return out;
}

std::vector<int64_t> numbers_to(size_t n) {
  std::vector<int64_t> out(n);
  std::iota(out.begin(), out.end(), 0);
  return out;
}

TEST(Curate, WitnessesFollowTheRule) {
  struct Case {
    int64_t rows, cols;
    bool grid;
    std::vector<double> distances;
  };
  for (const Case& one :
       {Case{400, 2, true, {0, 1, 1.5, 100}}, {3000, 2, false, {0.05, 0.3}}, {9000, 3, true, {1, 2}}, {3000, 20, false, {4, 5}}}) {
    const Sample s = sample(one.rows, one.cols, one.grid);
    const MemorySource source = measured(s.values, one.cols);
    for (const double distance : one.distances) {
      const Witnesses want = by_the_rule(s.values, one.cols, s.labels, distance);
      for (const int64_t memory : {int64_t{1} << 40, int64_t{32} << 20}) {  // the small one takes small batches
        Context ctx;
        ctx.threads = memory > (1 << 30) ? 2 : 1;
        ctx.memory = memory;
        const Witnesses got = duplicate_witnesses(source, s.labels, distance, ctx);
        EXPECT_EQ(got.row, want.row) << one.rows << " " << distance;
        EXPECT_EQ(got.distance, want.distance);
        EXPECT_EQ(check_witnesses(source, s.labels, got, numbers_to(s.labels.size()), distance, ctx), std::vector<std::string>{});
      }
    }
  }
}

TEST(Curate, RanksAgree) {
  const Sample s = sample(2500, 3, false);
  const MemorySource source = measured(s.values, 3);
  const Witnesses want = by_the_rule(s.values, 3, s.labels, 0.4);
  run_as_ranks(3, [&](Communicator& comm) {
    Context ctx;
    ctx.comm = &comm;
    EXPECT_EQ(duplicate_witnesses(source, s.labels, 0.4, ctx).row, want.row);
    EXPECT_EQ(duplicate_witnesses(source, s.labels, 0, ctx).row, by_the_rule(s.values, 3, s.labels, 0).row);
  });
  const Sample wide = sample(2500, 300, false);  // enough work for ranks to share it
  const std::vector<int32_t> one(wide.labels.size(), 0);
  const MemorySource wide_rows = measured(wide.values, 300);
  const Witnesses all = by_the_rule(wide.values, 300, one, 22);
  EXPECT_GT(all.kept(), 100);
  EXPECT_LT(all.kept(), 2400);
  run_as_ranks(2, [&](Communicator& comm) {
    Context ctx;
    ctx.comm = &comm;
    EXPECT_EQ(duplicate_witnesses(wide_rows, one, 22, ctx).row, all.row);
  });
}

TEST(Curate, ACheckNamesThePair) {
  const std::vector<double> values{0, 1, 10, 10.5, 30};
  const std::vector<int32_t> labels{0, 0, 0, 0, 1};
  const MemorySource source = measured(values, 1);
  const std::vector<int64_t> names{5, 6, 7, 8, 9};
  Context ctx;
  const Witnesses good = duplicate_witnesses(source, labels, 1, ctx);
  EXPECT_EQ(good.row, (std::vector<int64_t>{-1, 0, -1, 2, -1}));
  const auto said = [&](const Witnesses& found) {
    const auto wrong = check_witnesses(source, labels, found, names, 1, ctx);
    return wrong.empty() ? "" : wrong.front();
  };
  EXPECT_EQ(said(good), "");
  Witnesses bad = good;
  bad.row[3] = -1;
  EXPECT_EQ(said(bad), "rows 7 and 8: both are kept, in one cluster and 0.5 apart");
  bad = good;
  bad.row[3] = 1;
  EXPECT_EQ(said(bad), "rows 8 and 6: the second, witness of the first, is dropped itself");
  bad = good;
  bad.row[4] = 2;
  EXPECT_EQ(said(bad), "rows 9 and 7: the second, witness of the first, is of another cluster");
  bad = good;
  bad.row[3] = 0;
  EXPECT_EQ(said(bad), "rows 8 and 5: the first is dropped as 0.5 from the second, and they are 10.5 apart");
  bad = good;
  bad.distance[1] = 0.25;
  EXPECT_EQ(said(bad), "rows 6 and 5: the first is dropped as 0.25 from the second, and they are 1 apart");
}

TEST(Curate, AWiderDistanceKeepsFewerAndTheCurveSaysSo) {
  const Sample s = sample(1000, 2, false);
  const MemorySource source = measured(s.values, 2);
  Context ctx;
  const Figure curve = kept_curve(source, s.labels, 0.2, ctx);
  ASSERT_EQ(curve.lines.size(), 1u);
  const Figure::Line& line = curve.lines[0];
  ASSERT_EQ(line.x.size(), line.y.size());
  for (size_t i = 0; i < line.x.size(); ++i) {
    const auto want = by_the_rule(s.values, 2, s.labels, line.x[i]);
    EXPECT_EQ(line.y[i], static_cast<double>(want.kept())) << line.x[i];
  }
  EXPECT_EQ(line.y[0], 1000);
  EXPECT_LT(line.y.back(), line.y[4]);
}

TEST(Curate, KeptRowsBeyondTheBudgetAreRefused) {
  const Sample s = sample(4000, 600, false);
  const MemorySource source = measured(s.values, 600);
  Context ctx;
  ctx.memory = int64_t{32} << 20;  // 4,000 rows take 19 MB
  EXPECT_THROW(duplicate_witnesses(source, s.labels, 0.1, ctx), Error);
  EXPECT_EQ(duplicate_witnesses(source, s.labels, 0, ctx).kept(), 4000);
}

TEST(Curate, WeightsGiveEveryClusterTheSameShare) {
  const std::vector<int32_t> labels{0, 0, 0, 1, 2, 2, -1};
  const std::vector<int64_t> witness{-1, -1, 0, -1, -1, -1, -1};
  const auto weights = balanced_weights(labels, witness);
  EXPECT_EQ(weights.size(), 3u);
  EXPECT_DOUBLE_EQ(2 * weights.at(0), weights.at(1));
  EXPECT_DOUBLE_EQ(weights.at(1), 2 * weights.at(2));
  EXPECT_DOUBLE_EQ(2 * weights.at(0) + weights.at(1) + 2 * weights.at(2), 5);  // the noise weighs 1
}

}  // namespace
}  // namespace sluice
