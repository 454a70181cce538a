#include "sluice/cluster/kmeans_init.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "sluice/cluster/lloyd.h"
#include "sluice/cluster/potential.h"
#include "sluice/cluster/testing.h"
#include "sluice/core/normalised.h"
#include "sluice/kernels/dist64.h"
#include "tests/laws.h"

namespace sluice {
namespace {

using testing::blobs;
using testing::rows_of;
using testing::table;

Geometry plain_geometry(int64_t d) {
  return {kernels::Metric::kSquaredEuclidean, std::vector<double>(static_cast<size_t>(d), 0.0), 8};
}

// The summed squared distance to the nearest of the centres.
double potential_of(const Source& rows, const Matrix<double>& centers) {
  testing::PlainFit fit{centers, {}, 0};
  testing::plain_assign(rows, fit);
  return fit.inertia;
}

TEST(Potential, IsTheSumOfDistancesAndWhatJoiningWouldMakeIt) {
  const auto source = blobs(500, 3, 5, 1);
  Context ctx;
  ctx.threads = 2;
  const Geometry geometry = plain_geometry(3);
  Potential potential(*source, geometry, ctx);
  EXPECT_DOUBLE_EQ(potential.total(), 500) << "at the start every row counts one";
  potential.add(rows_of(*source, {7}));
  EXPECT_NEAR(potential.total(), potential_of(*source, rows_of(*source, {7})), 1e-9 * potential.total());
  const auto with = potential.with(rows_of(*source, {9, 11}));
  potential.add(rows_of(*source, {11}));
  const double now = potential_of(*source, rows_of(*source, {7, 11}));
  EXPECT_NEAR(potential.total(), now, 1e-9 * now);
  EXPECT_NE(with[0], with[1]);
  potential.add(rows_of(*source, {1, 2, 3, 4}));
  const double later = potential_of(*source, rows_of(*source, {7, 11, 1, 2, 3, 4}));
  EXPECT_NEAR(potential.total(), later, 1e-9 * later);
}

TEST(Potential, DrawsInProportionAndNeverPastTheEnd) {
  const auto source = table({0, 0, 0, 3, 4}, 5, 1);
  Context ctx;
  const Geometry geometry = plain_geometry(1);
  Potential potential(*source, geometry, ctx);
  potential.add(rows_of(*source, {0}));
  std::vector<int64_t> drawn(5);
  for (uint64_t i = 0; i < 4000; ++i) {
    Random random(1, RandomStage::kKMeansInit, i);
    ++drawn.at(static_cast<size_t>(potential.draw(random)));
  }
  EXPECT_EQ(drawn[0] + drawn[1] + drawn[2], 0) << "rows on a centre have no share";
  EXPECT_NEAR(static_cast<double>(drawn[3]) / 4000, 9.0 / 25, 0.03);
  for (const double scale : {1e-160, 1e-30, 1e30, 1e150}) {
    const auto scaled = table({0, scale, 2 * scale, 2 * scale}, 4, 1);
    Geometry wide = geometry;
    std::frexp(2 * scale, &wide.scale_exponent);
    Potential one(*scaled, wide, ctx);
    one.add(rows_of(*scaled, {0}));
    for (uint64_t i = 0; i < 100; ++i) {
      Random random(2, RandomStage::kKMeansInit, i);
      const int64_t row = one.draw(random);
      EXPECT_GE(row, 0);
      EXPECT_LT(row, 4);
    }
  }
  potential.add(rows_of(*source, {3, 4}));
  EXPECT_TRUE(potential.zero());
  Random random(3, RandomStage::kKMeansInit, 0);
  EXPECT_LT(potential.draw(random), 5);
}

// A row is at cosine distance 1 - dot(x, x) from itself, which rounding may push below 0: it must not count as a huge share.
TEST(Potential, CosineRowsOnACentreHaveNoShare) {
  const auto source = blobs(300, 5, 4, 1, 6);
  const NormalisedSource unit(*source);
  Context ctx;
  const Geometry geometry{kernels::Metric::kCosine, std::vector<double>(5, 0.0), 1};
  int64_t below = 0;
  for (int64_t row = 0; row < 100; ++row) {
    Potential potential(unit, geometry, ctx);
    potential.add(rows_of(unit, {row}));
    below += potential.of(row) < 0 ? 1 : 0;
    EXPECT_LE(potential.total(), 600) << "300 distances of at most 2";
    const auto with = potential.with(rows_of(unit, {(row + 1) % 300, (row + 2) % 300}));
    Potential after = potential;
    after.add(rows_of(unit, {(row + 1) % 300}));
    EXPECT_LE(after.total(), potential.total());
    EXPECT_LT(std::ldexp(static_cast<double>(with[0]), -62), 4096) << "sums of 300 numbers below 2^62";
    for (uint64_t i = 0; i < 20; ++i) {
      Random random(4, RandomStage::kKMeansInit, i);
      EXPECT_NE(potential.draw(random), row);
    }
  }
  EXPECT_GT(below, 0) << "else this proves nothing";
}

TEST(KMeansInit, GreedySeedingFindsFarBlobs) {
  const auto source = blobs(600, 2, 8, 0.05, 11);
  Context ctx;
  int64_t good = 0;
  for (int64_t start = 0; start < 50; ++start) {
    const Matrix<double> centers = init_plus_plus(*source, 8, plain_geometry(2), start, ctx);
    good += potential_of(*source, centers) < 600 * 2 * 0.05 * 0.05 * 4 ? 1 : 0;
  }
  EXPECT_GE(good, 45) << "a centre in every blob, nearly always";
}

TEST(KMeansInit, RandomRowsAreDifferent) {
  const auto source = table({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 10, 1);
  Context ctx;
  for (int64_t start = 0; start < 20; ++start) {
    const Matrix<double> centers = init_random(*source, 10, plain_geometry(1), start, ctx);
    EXPECT_EQ(std::set<double>(centers.values.begin(), centers.values.end()).size(), 10U);
  }
}

TEST(KMeansInit, RandomRowsFollowTheirWeights) {
  MemorySource source({0, 1, 2, 3, 4}, 5, 1);
  source.set_weights({1, 0, 8, 1, 0});
  Context ctx;
  source.stats = measure(source, ctx);
  int64_t heavy = 0;
  for (int64_t start = 0; start < 200; ++start) {
    const Matrix<double> one = init_random(source, 1, plain_geometry(1), start, ctx);
    EXPECT_TRUE(one(0, 0) != 1 && one(0, 0) != 4) << "rows of no weight";
    heavy += one(0, 0) == 2 ? 1 : 0;
  }
  EXPECT_GT(heavy, 130);
  EXPECT_LT(heavy, 185);
  const Matrix<double> all = init_random(source, 5, plain_geometry(1), 0, ctx);
  EXPECT_EQ(std::set<double>(all.values.begin(), all.values.end()).size(), 5U) << "as many as asked for, even so";
}

TEST(KMeansInit, ParallelSeedingIsAsGood) {
  const auto source = blobs(3000, 3, 30, 0.3, 4);
  Context ctx;
  ctx.threads = 2;
  double parallel = 0, serial = 0;
  for (int64_t start = 0; start < 5; ++start) {
    parallel += potential_of(*source, init_parallel(*source, 30, plain_geometry(3), start, ctx));
    serial += potential_of(*source, init_plus_plus(*source, 30, plain_geometry(3), start, ctx));
  }
  EXPECT_LT(parallel, 1.1 * serial);
}

TEST(LloydState, ObeysTheLaws) {
  const auto source = blobs(400, 3, 4, 2);
  const Matrix<double> centers = rows_of(*source, {0, 1, 2, 3});
  const kernels::AssignPlan plan(kernels::Metric::kSquaredEuclidean, centers.values.data(), 4, 3, nullptr, 6);
  const LimbFormat format(ranges_of(source->stats), 400);
  const LimbFormat none;
  Context ctx;
  ctx.leaf_rows = 37;
  RowColumn<int32_t> labels(leaf_range(400, 3, ctx), -1);
  // Labels are kept outside the state: each accumulation starts from none, as a first pass does.
  struct FirstPass : LloydState {
    FirstPass(const kernels::AssignPlan& p, const LimbFormat& f, const LimbFormat& w, RowColumn<int32_t>& l)
        : LloydState(p, f, w, l), column(&l) {}
    void accumulate(const MatrixBlock& leaf) {
      std::fill(column->at(leaf.first_row), column->at(leaf.first_row) + leaf.rows, -1);
      LloydState::accumulate(leaf);
    }
    void merge(FirstPass&& other) { LloydState::merge(std::move(other)); }
    RowColumn<int32_t>* column;
  };
  check_state_laws([&] { return FirstPass(plan, format, none, labels); }, *source);
  check_state_laws([&] { return ObjectiveState(plan, labels); }, *source);
}

TEST(Lloyd, FarthestRowsAreOrderedAndNeverOnACentre) {
  const auto source = table({0, 5, 5, 1, -7, 7}, 6, 1);
  const double center[1] = {0};
  const kernels::AssignPlan plan(kernels::Metric::kSquaredEuclidean, center, 1, 1, nullptr, 4);
  Context ctx;
  ctx.leaf_rows = 2;
  ctx.threads = 3;
  const auto far = farthest_rows(*source, plan, 10, ctx);
  std::vector<int64_t> rows;
  for (const FarRow& one : far) rows.push_back(one.row);
  EXPECT_EQ(rows, (std::vector<int64_t>{4, 5, 1, 2, 3}));
  EXPECT_EQ(farthest_rows(*source, plan, 2, ctx).size(), 2U);
}

}  // namespace
}  // namespace sluice
