// The parts of UMAP: against umap-learn's where it has numbers to compare, else against plain loops.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "sluice/core/math.h"
#include "sluice/kernels/power.h"
#include "sluice/neighbors/knn.h"
#include "sluice/reduce/testing.h"
#include "sluice/reduce/umap_curve.h"
#include "sluice/reduce/umap_graph.h"
#include "sluice/reduce/umap_move.h"
#include "sluice/reduce/umap_reference.h"
#include "sluice/reduce/umap_start.h"

namespace sluice {
namespace {

using namespace detail;
using testing::context;
using testing::sample;
using testing::source_of;

// A path of n rows, each joined to the next with strength 1.
UmapGraph path(int64_t n) {
  UmapGraph graph;
  for (int64_t i = 0; i < n; ++i) {
    for (const int64_t j : {i - 1, i + 1}) {
      if (j < 0 || j >= n) continue;
      graph.others.push_back(static_cast<int32_t>(j));
      graph.weights.push_back(1);
    }
    graph.starts.push_back(static_cast<int64_t>(graph.others.size()));
  }
  return graph;
}

Neighbors reference_neighbors() {
  Context ctx = context();
  return knn_graph(source_of(umap_learn::kX, 3), umap_learn::kNeighbors - 1, kernels::Metric::kSquaredEuclidean, ctx);
}

TEST(UmapCurve, IsThatOfUmapLearn) {
  for (const umap_learn::Curve& wanted : umap_learn::kCurves) {
    const UmapCurve got = umap_curve(wanted.min_dist, wanted.spread);
    EXPECT_NEAR(got.a, wanted.a, 1e-5 * wanted.a) << wanted.min_dist << " " << wanted.spread;
    EXPECT_NEAR(got.b, wanted.b, 1e-5 * wanted.b);
  }
}

TEST(UmapGraph, ScalesAndStrengthsAreThoseOfUmapLearn) {
  const Neighbors near = reference_neighbors();
  double mean = 0;
  for (const double x : near.distances) mean += x / static_cast<double>(umap_learn::kRows * umap_learn::kNeighbors);
  for (const umap_learn::Graph& wanted : umap_learn::kGraphs) {
    SCOPED_TRACE(wanted.local_connectivity);
    for (int64_t i = 0; i < near.rows(); ++i) {
      std::vector<double> own = {0};
      own.insert(own.end(), near.distance(i), near.distance(i) + near.k);
      const UmapScale scale = umap_scale(own.data(), near.k + 1, wanted.local_connectivity, mean);
      EXPECT_NEAR(scale.rho, wanted.rho[static_cast<size_t>(i)], 1e-5) << i;
      EXPECT_NEAR(scale.sigma, wanted.sigma[static_cast<size_t>(i)], 1e-3 * wanted.sigma[static_cast<size_t>(i)]) << i;
    }
    Context ctx = context(2);
    const UmapGraph graph = umap_graph(near, wanted.local_connectivity, wanted.set_op_mix_ratio, ctx);
    std::map<std::pair<int64_t, int64_t>, double> edges;
    for (int64_t i = 0; i < graph.rows(); ++i) {
      for (int64_t e = graph.starts[static_cast<size_t>(i)]; e < graph.starts[static_cast<size_t>(i) + 1]; ++e)
        if (const double weight = graph.weights[static_cast<size_t>(e)]; weight > 1e-30)  // below, umap-learn's float32 is at 0
          edges[{i, graph.others[static_cast<size_t>(e)]}] = weight;
    }
    EXPECT_EQ(2 * wanted.edges.size() / 3, edges.size());
    for (size_t e = 0; e < wanted.edges.size(); e += 3) {
      const auto i = static_cast<int64_t>(wanted.edges[e]), j = static_cast<int64_t>(wanted.edges[e + 1]);
      EXPECT_NEAR((edges[{i, j}]), wanted.edges[e + 2], 2e-4) << i << " " << j;
      EXPECT_EQ((edges[{i, j}]), (edges[{j, i}]));
    }
  }
}

TEST(UmapGraph, PartsAndWeakEdges) {
  UmapGraph graph = path(6);
  int64_t count = 0;
  EXPECT_EQ(parts_of(graph, count), (std::vector<int32_t>{0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(count, 1);
  graph.weights[2] = graph.weights[3] = 0.1;  // from 1 to 2, from 2 to 1
  const UmapGraph cut = without_weak(graph, 0.5);
  EXPECT_EQ(parts_of(cut, count), (std::vector<int32_t>{0, 0, 1, 1, 1, 1}));
  EXPECT_EQ(count, 2);
  EXPECT_EQ(cut.others.size(), graph.others.size() - 2);
}

TEST(UmapSpectral, IsThatOfADenseSolver) {
  Context ctx = context(2);
  const UmapGraph graph = umap_graph(reference_neighbors(), 1, 1, ctx);
  int64_t parts = 0;
  parts_of(graph, parts);
  ASSERT_EQ(parts, 1);
  const Matrix<double> got = umap_spectral(graph, 2, ctx);
  EXPECT_LT(testing::worst(got.values, umap_learn::kSpectral), 1e-3);
}

// The normalised Laplacian of a path has the eigenvalues 1 - cos(pi k / (n - 1)): close together, so the hard case.
TEST(UmapSpectral, FindsTheSlowestVibrationsOfAPath) {
  const int64_t n = 300;
  const UmapGraph graph = path(n);
  Context ctx = context(3);
  const Matrix<double> got = umap_spectral(graph, 2, ctx);
  for (int64_t c = 0; c < 2; ++c) {
    double along = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double degree = i == 0 || i == n - 1 ? 1 : 2;
      along += got(i, c) * std::sqrt(degree / static_cast<double>(n - 1)) *
               std::cos(M_PI * static_cast<double>((c + 1) * i) / static_cast<double>(n - 1));
    }
    EXPECT_GT(std::fabs(along), 0.99) << c;
  }
  Context one = context(1);
  EXPECT_EQ(umap_spectral(graph, 2, one), got);
}

TEST(UmapPower, EveryLaneHasTheBitsOfTheScalarFunctions) {
  uint64_t state = 1;
  for (int round = 0; round < 50'000; ++round) {
    kernels::Four x{};
    for (int l = 0; l < 4; ++l) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      // Any mantissa; exponents near 0 in every second round, else any.
      const auto exponent = static_cast<int64_t>((state >> 33) % (round % 2 == 0 ? 20 : 2000)) - (round % 2 == 0 ? 10 : 1000);
      x[l] = std::ldexp(1 + static_cast<double>(state >> 12) * 0x1p-52, static_cast<int>(exponent));
    }
    for (const double b : {0.895, 0.3, 1.0, 2.5}) {
      const kernels::Four got = kernels::power4(x, b);
      for (int l = 0; l < 4; ++l) {
        const double wanted = exp64(std::clamp(b * log64(x[l]), -700.0, 700.0));
        ASSERT_EQ(std::bit_cast<uint64_t>(static_cast<double>(got[l])), std::bit_cast<uint64_t>(wanted)) << x[l] << " " << b;
      }
    }
  }
}

// One step after the other, in the words of the header.
void plain_move(const UmapForces& f, const Matrix<double>& places, double rate, UmapMoves& moves) {
  const auto dims = static_cast<size_t>(places.cols);
  size_t s = 0;
  for (size_t p = 0; p < moves.ends.size(); ++p) {
    double* at = moves.points.data() + p * dims;
    for (; s < static_cast<size_t>(moves.ends[p]); ++s) {
      const double* place = places.row(moves.steps[s].place);
      double square = 0;
      for (size_t c = 0; c < dims; ++c) square = std::fma(at[c] - place[c], at[c] - place[c], square);
      if (square == 0) continue;
      const double power = exp64(f.b * log64(square));
      const double factor = moves.steps[s].attracts ? power * (-2 * f.a * f.b) / (square * (1 + f.a * power))
                                                    : 2 * f.repulsion * f.b / ((square + 0.001) * (1 + f.a * power));
      for (size_t c = 0; c < dims; ++c) at[c] += std::clamp(factor * (at[c] - place[c]), -4.0, 4.0) * rate;
    }
  }
}

TEST(UmapMove, IsThePlainLoop) {
  for (const int64_t dims : {1, 2, 3, 7}) {
    Random random(5, RandomStage::kSubsample, static_cast<uint64_t>(dims));
    Matrix<double> places(50, dims);
    for (double& x : places.values) x = random.normal() * 3;
    UmapMoves moves;
    for (int64_t p = 0; p < 101; ++p) {
      // Some start on a place, some have nothing to do, some much.
      for (int64_t c = 0; c < dims; ++c) moves.points.push_back(p % 5 == 0 ? places(p % 50, c) : random.normal());
      if (p % 5 == 0) moves.steps.push_back({static_cast<int32_t>(p % 50), p % 10 == 0});
      const auto many = p % 7 == 0 ? 0 : random.below(40);
      for (uint64_t s = 0; s < many; ++s) moves.steps.push_back({static_cast<int32_t>(random.below(50)), random.below(6) == 0});
      moves.ends.push_back(static_cast<int64_t>(moves.steps.size()));
    }
    UmapMoves plain = moves;
    umap_move({1.577, 0.895, 1.5}, places, 0.7, moves);
    plain_move({1.577, 0.895, 1.5}, places, 0.7, plain);
    EXPECT_EQ(moves.points, plain.points) << dims;
  }
}

TEST(UmapSchedule, EdgesActInProportionToTheirWeights) {
  UmapSchedule schedule({1, 0.5, 0.1}, 1);
  int64_t acted[3] = {};
  for (int64_t epoch = 0; epoch < 201; ++epoch) {
    for (size_t e = 0; e < 3; ++e) acted[e] += schedule.acts(e, epoch);
  }
  EXPECT_EQ(acted[0], 200);
  EXPECT_EQ(acted[1], 100);
  EXPECT_EQ(acted[2], 20);
}

TEST(UmapStart, PrincipalComponentsAreTheSameOnThreads) {
  const std::vector<double> values = sample(50, 4);
  const MemorySource rows = source_of(values, 4);
  Matrix<double> all(50, 4);
  all.values = values;
  Context one = context(1), two = context(3);
  const Matrix<double> start = umap_pca(rows, all, 6, one);
  EXPECT_EQ(umap_pca(rows, all, 6, two), start);
  EXPECT_EQ(start.cols, 6);
  for (int64_t i = 0; i < 50; ++i) EXPECT_EQ(start(i, 5), 0);
}

}  // namespace
}  // namespace sluice
