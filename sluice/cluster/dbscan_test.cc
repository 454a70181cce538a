#include "sluice/cluster/dbscan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <random>

#include "sluice/cluster/dbscan_parts.h"
#include "sluice/comm/thread_ranks.h"
#include "sluice/core/normalised.h"
#include "sluice/core/statistics.h"
#include "sluice/kernels/dist64.h"

namespace sluice {
namespace {

struct Data {
  std::vector<double> values;
  int64_t rows = 0;
  int64_t cols = 0;
  std::vector<double> weights;
};

struct Labels {
  std::vector<int32_t> labels;
  std::vector<uint8_t> core;
  int64_t n_clusters = 0;
  bool operator==(const Labels&) const = default;
};

MemorySource source_of(const Data& data) {
  MemorySource source(data.values, data.rows, data.cols);
  if (!data.weights.empty()) source.set_weights(data.weights);
  Context ctx;
  source.stats = measure(source, ctx);
  return source;
}

// The definition, pair by pair.
bool is_near(const std::vector<double>& rows, int64_t i, int64_t j, int64_t d, const DbscanParams& params) {
  const double* a = rows.data() + i * d;
  const double* b = rows.data() + j * d;
  if (i == j) return true;
  switch (params.metric) {
    case DbscanMetric::kManhattan:
      return kernels::manhattan_distance(a, b, d) <= params.eps;
    case DbscanMetric::kCosine:
      return 1 - kernels::dot(a, b, d) <= std::max(params.eps, static_cast<double>(d + 128) * 0x1p-53);
    default:
      return std::sqrt(kernels::squared_distance(a, b, d)) <= params.eps;
  }
}

// Breadth first from each core row in row order; border rows then look for the lowest cluster.
Labels reference(const Data& data, const DbscanParams& params) {
  std::vector<double> rows = data.values;
  const int64_t n = data.rows, d = data.cols;
  for (int64_t i = 0; params.metric == DbscanMetric::kCosine && i < n; ++i) normalise(rows.data() + i * d, d);
  std::vector<std::vector<int64_t>> near(static_cast<size_t>(n));
  Labels out{std::vector<int32_t>(static_cast<size_t>(n), -1), std::vector<uint8_t>(static_cast<size_t>(n), 0), 0};
  for (int64_t i = 0; i < n; ++i) {
    double weight = 0;
    for (int64_t j = 0; j < n; ++j) {
      if (!is_near(rows, i, j, d, params)) continue;
      near[i].push_back(j);
      weight += data.weights.empty() ? 1 : data.weights[j];
    }
    out.core[i] = weight >= static_cast<double>(params.min_samples);
  }
  for (int64_t i = 0; i < n; ++i) {
    if (out.core[i] == 0 || out.labels[i] >= 0) continue;
    std::vector<int64_t> front = {i};
    out.labels[i] = static_cast<int32_t>(out.n_clusters);
    while (!front.empty()) {
      const int64_t at = front.back();
      front.pop_back();
      for (const int64_t j : near[at]) {
        if (out.core[j] == 0 || out.labels[j] >= 0) continue;
        out.labels[j] = static_cast<int32_t>(out.n_clusters);
        front.push_back(j);
      }
    }
    ++out.n_clusters;
  }
  for (int64_t i = 0; i < n; ++i) {
    if (out.core[i] != 0) continue;
    for (const int64_t j : near[i]) {
      if (out.core[j] != 0 && (out.labels[i] < 0 || out.labels[j] < out.labels[i])) out.labels[i] = out.labels[j];
    }
  }
  return out;
}

Labels fit(const Source& source, const DbscanParams& params, Context& ctx) {
  const DbscanFit fit = dbscan_fit(source, params, ctx);
  Labels out{gather(fit.labels, ctx), gather(fit.core, ctx), fit.n_clusters};
  EXPECT_EQ(fit.n_noise, std::count(out.labels.begin(), out.labels.end(), -1));
  EXPECT_EQ(fit.n_core, std::count(out.core.begin(), out.core.end(), 1));
  return out;
}

Labels fit(const Data& data, const DbscanParams& params, int threads = 2, int64_t leaf_rows = 0) {
  Context ctx;
  ctx.threads = threads;
  ctx.leaf_rows = leaf_rows;
  return fit(source_of(data), params, ctx);
}

// Both ways, and apply, against the definition.
void check(const Data& data, DbscanParams params, const std::string& what) {
  SCOPED_TRACE(what + ", eps " + std::to_string(params.eps) + ", min_samples " + std::to_string(params.min_samples));
  const Labels truth = reference(data, params);
  std::vector<DbscanAlgorithm> ways = {DbscanAlgorithm::kBrute, DbscanAlgorithm::kAuto};
  if (params.metric != DbscanMetric::kCosine) ways.push_back(DbscanAlgorithm::kKdTree);
  for (const DbscanAlgorithm way : ways) {
    params.algorithm = way;
    for (const int64_t leaf : {0, 37}) {
      const Labels found = fit(data, params, 2, leaf);
      EXPECT_EQ(found.core, truth.core) << static_cast<int>(way);
      EXPECT_EQ(found.labels, truth.labels) << static_cast<int>(way);
      EXPECT_EQ(found.n_clusters, truth.n_clusters);
    }
  }
  const MemorySource source = source_of(data);
  Context ctx;
  Outcome outcome = dbscan_run(source, params, ctx);
  const Outcome applied = dbscan_apply(decode_model(encode_model(outcome.model), "test"), source, ctx);
  EXPECT_EQ(gather(*applied.labels, ctx), truth.labels) << "apply";
}

Data random_data(int64_t rows, int64_t cols, uint64_t seed, double offset = 0) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  Data data{{}, rows, cols, {}};
  for (int64_t i = 0; i < rows; ++i) {
    const double middle = static_cast<double>(random() % 4) * 3;
    for (int64_t j = 0; j < cols; ++j) data.values.push_back(offset + middle + normal(random));
  }
  return data;
}

Data grid_data(int64_t rows, int64_t cols, int64_t side, uint64_t seed, double step = 1) {
  std::mt19937_64 random(seed);
  Data data{{}, rows, cols, {}};
  for (int64_t i = 0; i < rows * cols; ++i) data.values.push_back(step * static_cast<double>(random() % static_cast<uint64_t>(side)));
  return data;
}

constexpr DbscanMetric kMetrics[] = {DbscanMetric::kEuclidean, DbscanMetric::kManhattan, DbscanMetric::kCosine};

TEST(Dbscan, EqualsTheDefinitionOnRandomRows) {
  for (const int64_t d : {1, 2, 3, 5, 8, 11, 20}) {
    const Data data = random_data(600, d, static_cast<uint64_t>(d));
    const double scale = std::sqrt(static_cast<double>(d));
    for (const double eps : {0.02, 0.2, 0.5, 0.9, 1.5, 100.0}) {
      check(data, {eps * scale, 5}, "euclidean d " + std::to_string(d));
      check(data, {eps * static_cast<double>(d), 4, DbscanMetric::kManhattan}, "manhattan d " + std::to_string(d));
    }
    for (const double eps : {1e-4, 0.02, 0.3, 1.0, 2.5}) check(data, {eps, 5, DbscanMetric::kCosine}, "cosine d " + std::to_string(d));
  }
}

TEST(Dbscan, TiesAtEpsOnGrids) {
  for (const int64_t d : {1, 2, 3, 4}) {
    const Data data = grid_data(500, d, d == 1 ? 2000 : d == 2 ? 40 : 12, 7);
    for (const double eps : {1.0, std::sqrt(2.0), std::sqrt(3.0), 2.0, std::nextafter(2.0, 0.0)}) {
      for (const int64_t min_samples : {1, 2, 4, 9}) {
        check(data, {eps, min_samples}, "grid");
        check(data, {eps, min_samples, DbscanMetric::kManhattan}, "grid, manhattan");
      }
    }
  }
  check(grid_data(400, 2, 30, 8, 0.1), {0.1, 4}, "tenths");
  check(grid_data(400, 2, 30, 8, 0.1), {0.3, 9}, "tenths");
}

TEST(Dbscan, RootsOfIntegersAreWithinTheirSquareRoot) {
  for (int64_t square = 1; square < 200; ++square) {
    const double limit = detail::dbscan_limit(DbscanMetric::kEuclidean, std::sqrt(static_cast<double>(square)), 2);
    EXPECT_GE(limit, static_cast<double>(square));
    EXPECT_LT(limit, std::nextafter(static_cast<double>(square), 1e9) * (1 + 1e-15));
  }
  EXPECT_EQ(detail::dbscan_limit(DbscanMetric::kEuclidean, 1e200, 2), std::numeric_limits<double>::max());
  EXPECT_EQ(detail::dbscan_limit(DbscanMetric::kEuclidean, 1e-200, 2), 0);
  EXPECT_EQ(detail::dbscan_limit(DbscanMetric::kEuclidean, 2, 2), std::nextafter(4.0, 5.0));  // its root is 2 as well
}

TEST(Dbscan, DuplicatesAndConstantRows) {
  Data data = grid_data(500, 2, 3, 9);
  for (const double eps : {1e-300, 0.5, 1.0, 1.5, 1e300}) check(data, {eps, 40}, "duplicates");
  data.values.assign(data.values.size(), 14.62);
  for (const DbscanMetric metric : kMetrics) {
    for (const int64_t min_samples : {1, 500, 501}) check(data, {1e-9, min_samples, metric}, "all the same");
  }
}

TEST(Dbscan, SmallShapes) {
  check({{3.5}, 1, 1, {}}, {0.5, 1}, "one value");
  check({{3.5}, 1, 1, {}}, {0.5, 2}, "one value, noise");
  check({{1, 2, 3, 4, 5}, 1, 5, {}}, {0.5, 1}, "one row");
  check({{1, 1.4, 1.8, 9}, 4, 1, {}}, {0.5, 2}, "one column");
  check(random_data(17, 2, 1), {1e-6, 2}, "all noise");
  check(random_data(17, 2, 1), {1e6, 2}, "all one");
  check(random_data(16, 2, 1), {1, 16}, "one leaf");
}

TEST(Dbscan, BorderRowJoinsTheLowestCluster) {
  // Two stars; the last row lies between their centres, within eps of both.
  const Data data{{10, 10.5, 9.5, 10.4, 0, 0.5, -0.5, 0.4, 5}, 9, 1, {}};
  const DbscanParams params{5.0, 5};
  check(data, params, "border");
  Data apart = data;
  apart.values = {8, 8.5, 8.6, 8.4, 8.3, 2, 1.5, 1.4, 1.6, 1.7, 5};
  apart.rows = 11;
  const Labels found = fit(apart, {3.0, 5});
  EXPECT_EQ(found.labels, (std::vector<int32_t>{0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0}));
  EXPECT_EQ(found.core[10], 0);
  check(apart, {3.0, 5}, "border between two");
}

TEST(Dbscan, FarFromTheOrigin) {
  for (const double offset : {1e6, 1e8, -1e8, 1e12}) {
    check(random_data(500, 2, 3, offset), {0.3, 5}, "offset");
    check(random_data(500, 3, 3, offset), {0.9, 5, DbscanMetric::kManhattan}, "offset");
    check(random_data(300, 24, 3, offset), {5.0, 5}, "offset");
  }
  Data data = random_data(400, 2, 5);
  data.values[0] = 1e150;
  data.values[7] = -1e150;
  check(data, {0.5, 5}, "huge range");
  for (double& x : data.values) x = std::ldexp(x, -520);
  check(data, {1e-157, 5}, "squares that underflow");
}

TEST(Dbscan, Weights) {
  Data data = random_data(500, 2, 11);
  std::mt19937_64 random(4);
  for (int64_t i = 0; i < data.rows; ++i) data.weights.push_back(static_cast<double>(random() % 9) / 4);
  for (const int64_t min_samples : {1, 5, 12}) {
    for (const double eps : {0.1, 0.3, 1.0}) {
      for (const DbscanMetric metric : kMetrics) check(data, {eps, min_samples, metric}, "weights");
    }
  }
  // Weight w is w copies.
  Data whole = random_data(200, 2, 12), copies = whole;
  copies.values.clear();
  copies.rows = 0;
  for (int64_t i = 0; i < whole.rows; ++i) {
    whole.weights.push_back(static_cast<double>(1 + random() % 3));
    for (int w = 0; w < static_cast<int>(whole.weights.back()); ++w, ++copies.rows)
      copies.values.insert(copies.values.end(), {whole.values[2 * i], whole.values[2 * i + 1]});
  }
  const Labels weighted = fit(whole, {0.3, 6}), copied = fit(copies, {0.3, 6});
  EXPECT_EQ(weighted.n_clusters, copied.n_clusters);
  int64_t at = 0;
  for (int64_t i = 0; i < whole.rows; ++i) {
    EXPECT_EQ(weighted.labels[i], copied.labels[at]);
    at += static_cast<int64_t>(whole.weights[i]);
  }
}

TEST(Dbscan, SumsOfWeightsAreExact) {
  const detail::MassScale scale(true, 1000, 3);
  detail::Mass sum;
  for (int i = 0; i < 6; ++i) sum += scale.of(0.5);
  EXPECT_TRUE(scale.enough(sum));
  detail::Mass less;
  for (int i = 0; i < 5; ++i) less += scale.of(0.5);
  less += scale.of(std::nextafter(0.5, 0.0));
  EXPECT_FALSE(scale.enough(less));
  EXPECT_TRUE(scale.enough(scale.of(1e300)));
  detail::Mass tenths;
  for (int i = 0; i < 30; ++i) tenths += scale.of(0.1);
  EXPECT_TRUE(scale.enough(tenths));  // the double 0.1 is a little more than a tenth
}

TEST(Dbscan, ZeroRowsUnderCosine) {
  Data data = random_data(120, 3, 2);
  for (const int64_t row : {0, 5, 6, 7, 60, 119}) std::fill_n(data.values.begin() + row * 3, 3, 0.0);
  for (const double eps : {0.05, 0.999, 1.0}) {
    for (const int64_t min_samples : {2, 5}) check(data, {eps, min_samples, DbscanMetric::kCosine}, "zero rows");
  }
  // Core by themselves: one cluster, and apply finds it again.
  const DbscanParams params{0.05, 1, DbscanMetric::kCosine};
  const MemorySource source = source_of(data);
  Context ctx;
  const Labels found = fit(source, params, ctx);
  EXPECT_EQ(found.labels[5], found.labels[0]);
  EXPECT_EQ(found.labels[119], found.labels[0]);
  const Outcome outcome = dbscan_run(source, params, ctx);
  EXPECT_EQ(gather(*dbscan_apply(outcome.model, source, ctx).labels, ctx), found.labels);
}

TEST(Dbscan, PermutedRowsGiveTheSamePartition) {
  const Data data = random_data(800, 2, 21);
  const DbscanParams params{0.25, 6};
  const Labels before = fit(data, params);
  std::vector<int64_t> order(static_cast<size_t>(data.rows));
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937_64(3));
  Data moved = data;
  for (int64_t i = 0; i < data.rows; ++i) std::copy_n(data.values.begin() + order[i] * 2, 2, moved.values.begin() + i * 2);
  const Labels after = fit(moved, params);
  EXPECT_EQ(before.n_clusters, after.n_clusters);
  std::vector<int32_t> to(static_cast<size_t>(before.n_clusters), -1);
  for (int64_t i = 0; i < data.rows; ++i) {
    EXPECT_EQ(after.core[i], before.core[order[i]]);
    EXPECT_EQ(after.labels[i] < 0, before.labels[order[i]] < 0);
    if (after.core[i] == 0) continue;
    int32_t& match = to[static_cast<size_t>(before.labels[order[i]])];
    if (match < 0) match = after.labels[i];
    EXPECT_EQ(after.labels[i], match);
  }
}

TEST(Dbscan, SameForAnyThreadsRanksAndLeaves) {
  struct Case {
    Data data;
    DbscanParams params;
  };
  std::vector<Case> cases;
  for (const DbscanAlgorithm way : {DbscanAlgorithm::kBrute, DbscanAlgorithm::kKdTree}) {
    cases.push_back({random_data(3000, 2, 31), {0.1, 5, DbscanMetric::kEuclidean, way}});
    cases.push_back({random_data(3000, 4, 31), {1.5, 8, DbscanMetric::kManhattan, way}});
  }
  cases.push_back({random_data(2000, 6, 31), {0.01, 5, DbscanMetric::kCosine, DbscanAlgorithm::kBrute}});
  cases.push_back(cases[0]);
  for (int64_t i = 0; i < 3000; ++i) cases.back().data.weights.push_back(0.25 * static_cast<double>(i % 7));
  for (const Case& c : cases) {
    const MemorySource source = source_of(c.data);
    Context one;
    const Labels truth = fit(source, c.params, one);
    EXPECT_GT(truth.n_clusters, 0);
    for (const int threads : {2, 3, 8}) EXPECT_EQ(fit(c.data, c.params, threads, threads * 50), truth) << threads << " threads";
    for (const int ranks : {2, 3, 5}) {
      run_as_ranks(ranks, [&](Communicator& comm) {
        Context ctx;
        ctx.threads = 2;
        ctx.comm = &comm;
        ctx.leaf_rows = 128;
        EXPECT_EQ(fit(source, c.params, ctx), truth) << ranks << " ranks";
        const Outcome outcome = dbscan_run(source, c.params, ctx);
        EXPECT_EQ(gather(*dbscan_apply(outcome.model, source, ctx).labels, ctx), truth.labels);
        Context alone;
        EXPECT_EQ(encode_model(outcome.model), encode_model(dbscan_run(source, c.params, alone).model));
      });
    }
  }
}

// More pairs within eps than are kept: the passes without a list.
TEST(Dbscan, ManyNeighboursByPairs) {
  for (const double eps : {0.5, 1.0, 3.0, 50.0}) {
    Data data = random_data(2500, 2, 41);
    const DbscanParams params{eps, 60, DbscanMetric::kEuclidean, DbscanAlgorithm::kBrute};
    const Labels truth = reference(data, params);
    for (const int64_t leaf : {0, 100, 700}) EXPECT_EQ(fit(data, params, 2, leaf), truth);
    for (int64_t i = 0; i < data.rows; ++i) data.weights.push_back(static_cast<double>(i % 5) / 2);
    const Labels weighted = reference(data, params);
    EXPECT_EQ(fit(data, params, 2, 300), weighted);
  }
}

TEST(Dbscan, LargeEpsIsQuickAndSmall) {
  // 180,000 rows: all pairs would be 3e10, and lists of neighbours 260 GB.
  const Data data = random_data(180'000, 2, 51);
  for (const double eps : {2.0, 1e3}) {
    const Labels found = fit(data, {eps, 10});
    EXPECT_EQ(found.n_clusters, 1);
    EXPECT_EQ(std::count(found.labels.begin(), found.labels.end(), 0), data.rows);
  }
}

TEST(Dbscan, SmallMemoryTakesTheOtherWay) {
  const Data data = random_data(3000, 2, 61);
  const MemorySource source = source_of(data);
  Context ctx, small;
  small.memory = 100'000;
  DbscanParams params{0.1, 5};
  EXPECT_EQ(fit(source, params, small), fit(source, params, ctx));
  params.algorithm = DbscanAlgorithm::kKdTree;
  try {
    dbscan_fit(source, params, small);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kMemory);
  }
  params.algorithm = DbscanAlgorithm::kAuto;
  small.memory = 10'000;
  try {
    dbscan_run(source, params, small);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kMemory);
  }
}

ErrorCode code_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.code;
  }
  return ErrorCode::kBug;
}

TEST(Dbscan, Refusals) {
  Context ctx;
  Data data = random_data(20, 2, 1);
  const MemorySource source = source_of(data);
  EXPECT_EQ(code_of([&] { dbscan_fit(source, {0.0}, ctx); }), ErrorCode::kUsage);
  EXPECT_EQ(code_of([&] { dbscan_fit(source, {std::nan("")}, ctx); }), ErrorCode::kUsage);
  EXPECT_EQ(code_of([&] { dbscan_fit(source, {1, 0}, ctx); }), ErrorCode::kUsage);
  EXPECT_EQ(code_of([&] { dbscan_fit(source, {1, 1, DbscanMetric::kCosine, DbscanAlgorithm::kKdTree}, ctx); }), ErrorCode::kUsage);
  data.values[3] = std::nan("");
  EXPECT_EQ(code_of([&] { dbscan_fit(source_of(data), {1}, ctx); }), ErrorCode::kBadInput);
  data.values[3] = 1e160;
  EXPECT_EQ(code_of([&] { dbscan_fit(source_of(data), {1}, ctx); }), ErrorCode::kNumerical);
  for (const char* eps : {"0", "-1", "nan", "inf", "x"}) {
    EXPECT_EQ(code_of([&] {
                DbscanParams params;
                set_param(params, "eps", eps);
              }),
              ErrorCode::kUsage)
        << eps;
  }
  const std::atomic<bool> stop{true};
  ctx.stop = &stop;
  for (const DbscanAlgorithm way : {DbscanAlgorithm::kBrute, DbscanAlgorithm::kKdTree}) {
    EXPECT_EQ(code_of([&] { dbscan_fit(source, {1, 1, DbscanMetric::kEuclidean, way}, ctx); }), ErrorCode::kInterrupted);
  }
}

TEST(Dbscan, DamagedModelsAreRefused) {
  Context ctx;
  const MemorySource source = source_of(random_data(300, 2, 71));
  const ModelFile model = dbscan_run(source, {0.3, 5}, ctx).model;
  ASSERT_EQ(code_of([&] { dbscan_apply(model, source, ctx); }), ErrorCode::kBug);  // sound: no error
  const auto refused = [&](const std::string& what, const std::function<void(ModelFile&)>& damage) {
    ModelFile copy = model;
    damage(copy);
    EXPECT_EQ(code_of([&] { dbscan_apply(copy, source, ctx); }), ErrorCode::kBadModel) << what;
  };
  const auto integers = [](ModelFile& m, const char* name, const std::function<void(std::vector<int64_t>&)>& change) {
    std::vector<int64_t> values = m.integers(name);
    change(values);
    m.put(name, values);
  };
  for (const auto& entry : model.tensors) {
    if (entry.first != "cluster_centers") refused("without " + entry.first, [&](ModelFile& m) { m.tensors.erase(entry.first); });
  }
  refused("label past the end", [&](ModelFile& m) { integers(m, "labels", [](auto& v) { v.back() = int64_t{1} << 40; }); });
  refused("negative label", [&](ModelFile& m) { integers(m, "labels", [](auto& v) { v.front() = -1; }); });
  refused("first label", [&](ModelFile& m) { integers(m, "labels", [](auto& v) { v.front() = 1; }); });
  refused("short labels", [&](ModelFile& m) { integers(m, "labels", [](auto& v) { v.pop_back(); }); });
  refused("order", [&](ModelFile& m) { integers(m, "core_sample_indices", [](auto& v) { std::swap(v[0], v[1]); }); });
  refused("negative row", [&](ModelFile& m) { integers(m, "core_sample_indices", [](auto& v) { v[0] = -5; }); });
  refused("min_samples", [&](ModelFile& m) { integers(m, "min_samples", [](auto& v) { v[0] = 0; }); });
  refused("eps", [&](ModelFile& m) { m.put("eps", std::vector<double>{-1}); });
  refused("two eps", [&](ModelFile& m) { m.put("eps", std::vector<double>{1, 2}); });
  refused("metric", [&](ModelFile& m) { m.about["metric"] = "chebyshev"; });
  refused("huge row", [&](ModelFile& m) {
    Matrix<double> rows = m.matrix("components");
    rows.values[0] = 1e200;
    m.put("components", rows);
  });
  refused("centres", [&](ModelFile& m) { m.put("cluster_centers", Matrix<double>(1, 7)); });
  const MemorySource wide = source_of(random_data(30, 3, 1));
  EXPECT_EQ(code_of([&] { dbscan_apply(model, wide, ctx); }), ErrorCode::kBadInput);
}

TEST(Dbscan, OutcomeNamesSizesAndMeans) {
  Context ctx;
  const Data data{{0, 0, 0, 2, 2, 0, 2, 2, 50, 50, 90, 90}, 6, 2, {}};
  const MemorySource source = source_of(data);
  const Outcome outcome = dbscan_run(source, {2.0, 3}, ctx);
  EXPECT_EQ(outcome.result.all().at("n_clusters"), "1");
  EXPECT_EQ(outcome.result.all().at("n_noise"), "2");
  EXPECT_EQ(outcome.result.all().at("n_core"), "4");
  EXPECT_EQ(outcome.centers.values, (std::vector<double>{1, 1}));
  const Outcome none = dbscan_run(source, {1e-3, 3}, ctx);
  EXPECT_TRUE(none.centers.empty());
  const Outcome applied = dbscan_apply(decode_model(encode_model(none.model), "test"), source, ctx);
  EXPECT_EQ(applied.result.all().at("n_noise"), "6");
}

}  // namespace
}  // namespace sluice
