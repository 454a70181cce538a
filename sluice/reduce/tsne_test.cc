#include "sluice/reduce/tsne.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "sluice/comm/thread_ranks.h"
#include "sluice/reduce/affinities.h"
#include "sluice/reduce/tsne_forces.h"

namespace sluice {
namespace {

MemorySource measured(std::vector<double> values, int64_t rows, int64_t cols) {
  MemorySource source(std::move(values), rows, cols);
  Context ctx;
  source.stats = measure(source, ctx);
  return source;
}

// Three groups of rows, `cols` columns, of spread 1 and 20 apart.
std::vector<double> groups(int64_t n, int64_t cols, uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < cols; ++j) values.push_back(normal(random) + (j % 3 == i % 3 ? 20 : 0));
  }
  return values;
}

Matrix<double> random_map(int64_t n, int64_t dims, double scale) {
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal;
  Matrix<double> map(n, dims);
  for (double& x : map.values) x = scale * normal(random);
  return map;
}

TEST(Affinities, HaveTheEntropyAskedFor) {
  std::mt19937_64 random(1);
  for (const double scale : {1e-150, 1e-3, 1.0, 1e100}) {
    std::vector<double> distance(90), p(90);
    for (double& d : distance) d = scale * (1 + std::generate_canonical<double, 53>(random));
    for (const double perplexity : {2.0, 7.5, 30.0}) {
      perplexity_weights(distance.data(), 90, perplexity, p.data());
      double entropy = 0, sum = 0;
      for (const double x : p) {
        entropy -= x > 0 ? x * std::log(x) : 0;
        sum += x;
      }
      EXPECT_NEAR(std::exp(entropy), perplexity, 1e-6);
      EXPECT_NEAR(sum, 1, 1e-12);
    }
  }
}

TEST(Affinities, TiesBeyondThePerplexityShareAlike) {
  const std::vector<double> distance = {0, 0, 0, 0, 1, 1};
  std::vector<double> p(6);
  perplexity_weights(distance.data(), 6, 2, p.data());
  for (int t = 0; t < 4; ++t) EXPECT_NEAR(p[static_cast<size_t>(t)], 0.25, 1e-9);
  const std::vector<double> equal(6, 3.0);
  perplexity_weights(equal.data(), 6, 2, p.data());
  for (const double x : p) EXPECT_NEAR(x, 1.0 / 6, 1e-12);
}

TEST(Affinities, AreThoseOfADenseMatrix) {
  const int64_t n = 60, k = 12;
  Context ctx;
  ctx.threads = 2;
  const Neighbors graph = knn_graph(measured(groups(n, 4), n, 4), k, kernels::Metric::kSquaredEuclidean, ctx);
  Matrix<double> dense(n, n);
  std::vector<double> p(static_cast<size_t>(k));
  for (int64_t i = 0; i < n; ++i) {
    perplexity_weights(graph.distance(i), k, 4, p.data());
    for (int64_t t = 0; t < k; ++t) {
      dense(i, graph.row(i)[t]) += p[static_cast<size_t>(t)] / (2.0 * n);
      dense(graph.row(i)[t], i) += p[static_cast<size_t>(t)] / (2.0 * n);
    }
  }
  const Affinities joint = joint_affinities(graph, 4, ctx);
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    for (auto e = joint.starts[static_cast<size_t>(i)]; e < joint.starts[static_cast<size_t>(i) + 1]; ++e) {
      const int64_t j = joint.columns[static_cast<size_t>(e)];
      if (e > joint.starts[static_cast<size_t>(i)]) {
        EXPECT_LT(joint.columns[static_cast<size_t>(e) - 1], j);
      }
      EXPECT_NEAR(joint.values[static_cast<size_t>(e)], dense(i, j), 1e-17);
      dense(i, j) = 0;
      sum += joint.values[static_cast<size_t>(e)];
    }
  }
  for (const double left : dense.values) EXPECT_EQ(left, 0);
  EXPECT_NEAR(sum, 1, 1e-12);
}

// Plain sums over all pairs.
double plain_repulsion(const Matrix<double>& map, Matrix<double>& force) {
  double near = 0;
  for (int64_t i = 0; i < map.rows; ++i) {
    for (int64_t c = 0; c < map.cols; ++c) force(i, c) = 0;
    for (int64_t j = 0; j < map.rows; ++j) {
      if (i == j) continue;
      double square = 1;
      for (int64_t c = 0; c < map.cols; ++c) square += (map(i, c) - map(j, c)) * (map(i, c) - map(j, c));
      near += 1 / square;
      for (int64_t c = 0; c < map.cols; ++c) force(i, c) += (map(i, c) - map(j, c)) / (square * square);
    }
  }
  return near;
}

TEST(Repulsion, ExactIsThatOfPlainLoops) {
  for (const int64_t dims : {2, 3}) {
    for (const int64_t n : {4, 7, 8, 133}) {
      const Matrix<double> map = random_map(n, dims, 5);
      Matrix<double> want(n, dims), found(n, dims);
      Context ctx;
      ctx.threads = 2;
      const double near = plain_repulsion(map, want);
      EXPECT_NEAR(detail::exact_repulsion(map, found, ctx), near, 1e-12 * near);
      for (size_t at = 0; at < want.values.size(); ++at) EXPECT_NEAR(found.values[at], want.values[at], 1e-12);
    }
  }
}

TEST(Repulsion, TheGridIsNearThePlainLoops) {
  for (const double scale : {1e-4, 1.0, 12.0, 40.0}) {
    const int64_t n = 1500;
    const Matrix<double> map = random_map(n, 2, scale);
    Matrix<double> want(n, 2), found(n, 2);
    Context ctx;
    const double near = plain_repulsion(map, want);
    detail::GridRepulsion grid;
    EXPECT_NEAR(grid.of_map(map, found, ctx), near, 1e-3 * near) << scale;
    double error = 0, size = 0;
    for (size_t at = 0; at < want.values.size(); ++at) {
      error += (found.values[at] - want.values[at]) * (found.values[at] - want.values[at]);
      size += want.values[at] * want.values[at];
    }
    EXPECT_LT(std::sqrt(error / size), 0.025) << scale;
    printf("scale %g: error of forces %.2e\n", scale, std::sqrt(error / size));
  }
}

TEST(Repulsion, AFrozenGridAnswersAnywhere) {
  const Matrix<double> map = random_map(800, 2, 8);
  Context ctx;
  detail::GridRepulsion grid;
  grid.freeze(map, ctx);
  const detail::MapPoints points(map);
  for (const double place : {-3.0, 0.1, 4.7}) {
    const double at[2] = {place, -place / 2};
    double near = 0, force[2], want[2];
    ASSERT_TRUE(grid.at(at, near, force));
    EXPECT_NEAR(near, points.sums(at, want), 0.01 * near);
    EXPECT_NEAR(force[0], want[0], 0.01 * near);
    EXPECT_NEAR(force[1], want[1], 0.01 * near);
  }
  const double away[2] = {1e6, 0};
  double near = 0, force[2];
  EXPECT_FALSE(grid.at(away, near, force));
}

// The share of rows whose nearest row in the map is of their group.
double purity(const Matrix<double>& map) {
  int64_t right = 0;
  for (int64_t i = 0; i < map.rows; ++i) {
    int64_t best = -1;
    double least = INFINITY;
    for (int64_t j = 0; j < map.rows; ++j) {
      double square = 0;
      for (int64_t c = 0; c < map.cols; ++c) square += (map(i, c) - map(j, c)) * (map(i, c) - map(j, c));
      if (i == j || square >= least) continue;
      least = square;
      best = j;
    }
    right += best % 3 == i % 3;
  }
  return static_cast<double>(right) / static_cast<double>(map.rows);
}

TEST(Tsne, KeepsGroupsApart) {
  for (const TsneInit init : {TsneInit::kPca, TsneInit::kRandom}) {
    for (const int64_t dims : {2, 3}) {
      const int64_t n = 300;
      Context ctx;
      TsneParams params;
      params.n_components = dims;
      params.init = init;
      params.max_iter = 400;
      const TsneFit fit = tsne_fit(measured(groups(n, 9), n, 9), params, ctx);
      EXPECT_EQ(fit.embedding.cols, dims);
      EXPECT_EQ(fit.n_iter, 400);
      EXPECT_EQ(purity(fit.embedding), 1);
      EXPECT_GT(fit.kl_divergence, 0);
      EXPECT_LT(fit.kl_divergence, 1.2);
    }
  }
}

TEST(Tsne, TheGridFindsAsGoodAMapAsAllPairs) {
  const int64_t n = 600;
  const MemorySource rows = measured(groups(n, 9), n, 9);
  Context ctx;
  TsneParams params;
  params.max_iter = 500;
  params.method = TsneMethod::kExact;
  const double exact = tsne_fit(rows, params, ctx).kl_divergence;
  params.method = TsneMethod::kFft;
  const TsneFit fit = tsne_fit(rows, params, ctx);
  EXPECT_TRUE(fit.grid);
  EXPECT_NEAR(fit.kl_divergence, exact, 0.02 * exact);
  EXPECT_NEAR(fit.divergence.back(), fit.kl_divergence, 0.01 * exact);  // what the grid says of itself
}

TEST(Tsne, ThreadsAndRanksChangeNothing) {
  const int64_t n = 350;
  const MemorySource rows = measured(groups(n, 5), n, 5);
  for (const TsneMethod method : {TsneMethod::kExact, TsneMethod::kFft}) {
    TsneParams params;
    params.max_iter = 60;
    params.method = method;
    Context one;
    const TsneFit want = tsne_fit(rows, params, one);
    for (const int threads : {2, 3}) {
      Context ctx;
      ctx.threads = threads;
      const TsneFit fit = tsne_fit(rows, params, ctx);
      EXPECT_EQ(fit.embedding, want.embedding);
      EXPECT_EQ(fit.kl_divergence, want.kl_divergence);
    }
    run_as_ranks(2, [&](Communicator& comm) {
      Context ctx;
      ctx.comm = &comm;
      EXPECT_EQ(tsne_fit(rows, params, ctx).embedding, want.embedding);
    });
  }
}

TEST(Tsne, SeedsGiveOtherMaps) {
  const MemorySource rows = measured(groups(50, 5), 50, 5);
  TsneParams params;
  params.max_iter = 20;
  params.init = TsneInit::kRandom;
  Context a, b;
  b.seed = 1;
  EXPECT_NE(tsne_fit(rows, params, a).embedding, tsne_fit(rows, params, b).embedding);
}

TEST(Tsne, DuplicatesConstantsAndOneColumnEndWell) {
  std::vector<double> twice = groups(60, 4);
  twice.insert(twice.end(), twice.begin(), twice.end());
  for (const auto& [values, cols] :
       {std::pair{twice, int64_t{4}}, std::pair{std::vector<double>(200, 3.25), int64_t{2}}, std::pair{groups(70, 1), int64_t{1}}}) {
    for (const TsneMethod method : {TsneMethod::kExact, TsneMethod::kFft}) {
      Context ctx;
      TsneParams params;
      params.max_iter = 300;
      params.method = method;
      const TsneFit fit = tsne_fit(measured(values, static_cast<int64_t>(values.size()) / cols, cols), params, ctx);
      for (const double x : fit.embedding.values) ASSERT_TRUE(std::isfinite(x) && std::fabs(x) < 1e4);
      EXPECT_TRUE(std::isfinite(fit.kl_divergence));
    }
  }
}

ErrorCode code_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.code;
  }
  return ErrorCode::kBug;
}

TEST(Tsne, RefusesWhatMakesNoMap) {
  Context ctx;
  EXPECT_EQ(code_of([&] { tsne_fit(measured({1, 2, 3}, 3, 1), {}, ctx); }), ErrorCode::kBadInput);
  EXPECT_EQ(code_of([&] { tsne_fit(measured({1, NAN, 3, 4, 5}, 5, 1), {}, ctx); }), ErrorCode::kBadInput);
  TsneParams params;
  EXPECT_EQ(code_of([&] { set_param(params, "n_components", "50"); }), ErrorCode::kUsage);
  params.n_components = 3;
  params.method = TsneMethod::kFft;
  EXPECT_EQ(code_of([&] { tsne_fit(measured(groups(50, 4), 50, 4), params, ctx); }), ErrorCode::kUsage);
  const std::atomic<bool> stop{true};
  ctx.stop = &stop;
  EXPECT_EQ(code_of([&] { tsne_fit(measured(groups(50, 4), 50, 4), {}, ctx); }), ErrorCode::kInterrupted);
  Context small;
  small.memory = 10'000;
  EXPECT_EQ(code_of([&] { tsne_fit(measured(groups(200, 4), 200, 4), {}, small); }), ErrorCode::kMemory);
}

TEST(Tsne, APerplexityTooLargeIsBroughtDownAndSaid) {
  Context ctx;
  TsneParams params;
  params.max_iter = 5;
  const Outcome out = tsne_run(measured(groups(31, 4), 31, 4), params, ctx);
  EXPECT_EQ(out.result.all().at("perplexity"), "10");
  ASSERT_EQ(out.notes.size(), 1U);
  EXPECT_NE(out.notes[0].find("perplexity 30"), std::string::npos);
}

TEST(Tsne, NewRowsFindTheirGroupAndOldOnesTheirPlace) {
  const int64_t n = 240;
  const auto values = groups(n, 6);
  const MemorySource rows = measured(values, n, 6);
  Context ctx;
  TsneParams params;
  params.max_iter = 400;
  const Outcome fit = tsne_run(rows, params, ctx);
  const ModelFile model = decode_model(encode_model(fit.model), "model");
  EXPECT_EQ(tsne_apply(model, rows, ctx).embedding, fit.embedding);
  const int64_t m = 30;
  const auto fresh = groups(m, 6, 9);
  const Matrix<double> placed = tsne_apply(model, measured(fresh, m, 6), ctx).embedding;
  for (int64_t i = 0; i < m; ++i) {
    int64_t best = 0;
    double least = INFINITY;
    for (int64_t j = 0; j < n; ++j) {
      const double square = std::pow(placed(i, 0) - fit.embedding(j, 0), 2) + std::pow(placed(i, 1) - fit.embedding(j, 1), 2);
      if (square >= least) continue;
      least = square;
      best = j;
    }
    EXPECT_EQ(best % 3, i % 3);
  }
  // One by one, and on other threads, they get the same places.
  Context other;
  other.threads = 2;
  for (int64_t i = 0; i < m; i += 7) {
    const MemorySource one = measured({fresh.begin() + i * 6, fresh.begin() + (i + 1) * 6}, 1, 6);
    const Matrix<double> alone = tsne_apply(model, one, other).embedding;
    EXPECT_EQ(alone(0, 0), placed(i, 0));
    EXPECT_EQ(alone(0, 1), placed(i, 1));
  }
}

TEST(Tsne, DamagedModelsAreRefused) {
  Context ctx;
  TsneParams params;
  params.max_iter = 5;
  const MemorySource rows = measured(groups(20, 4), 20, 4);
  const ModelFile good = tsne_run(rows, params, ctx).model;
  const auto code = [&](const std::function<void(ModelFile&)>& damage) {
    ModelFile model = good;
    damage(model);
    return code_of([&] { tsne_apply(model, rows, ctx); });
  };
  EXPECT_EQ(code([](ModelFile& m) { m.put("embedding", Matrix<double>(19, 2)); }), ErrorCode::kBadModel);
  EXPECT_EQ(code([](ModelFile& m) { m.put("embedding", Matrix<double>(20, 4)); }), ErrorCode::kBadModel);
  EXPECT_EQ(code([](ModelFile& m) { m.put("embedding", Matrix<double>(20, 2, 1e300)); }), ErrorCode::kBadModel);
  EXPECT_EQ(code([](ModelFile& m) { m.put("rows", Matrix<double>(20, 4, 1e300)); }), ErrorCode::kBadModel);
  EXPECT_EQ(code([](ModelFile& m) { m.put("perplexity", std::vector<double>{-1}); }), ErrorCode::kBadModel);
  EXPECT_EQ(code([](ModelFile& m) { m.about["metric"] = "hamming"; }), ErrorCode::kBadModel);
}

}  // namespace
}  // namespace sluice
