#include "sluice/reduce/umap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <numeric>

#include "sluice/comm/thread_ranks.h"
#include "sluice/reduce/testing.h"

namespace sluice {
namespace {

using testing::context;
using testing::sample;
using testing::source_of;

// `groups` groups of normal rows about centres far apart.
std::vector<double> grouped(int64_t n, int64_t d, int64_t groups) {
  std::vector<double> values = sample(n, d, 1.0);
  for (int64_t i = 0; i < n; ++i) values[static_cast<size_t>(i * d + i % groups % d)] += 100 * static_cast<double>(1 + i % groups);
  return values;
}

// Venna and Kaski 2001: 1 less what rows that are near in the map only are too far in the input.
double trustworthiness(const std::vector<double>& x, int64_t d, const Matrix<double>& map, int64_t k) {
  const int64_t n = map.rows;
  const auto order = [&](const double* all, int64_t cols, int64_t i) {
    std::vector<double> far(static_cast<size_t>(n));
    for (int64_t j = 0; j < n; ++j) {
      for (int64_t c = 0; c < cols; ++c) far[static_cast<size_t>(j)] += std::pow(all[i * cols + c] - all[j * cols + c], 2);
    }
    far[static_cast<size_t>(i)] = -1;
    std::vector<int64_t> rows(static_cast<size_t>(n));
    std::iota(rows.begin(), rows.end(), 0);
    std::sort(rows.begin(), rows.end(), [&](int64_t a, int64_t b) { return far[static_cast<size_t>(a)] < far[static_cast<size_t>(b)]; });
    return rows;
  };
  double penalty = 0;
  for (int64_t i = 0; i < n; ++i) {
    const std::vector<int64_t> in = order(x.data(), d, i), out = order(map.values.data(), map.cols, i);
    std::vector<int64_t> rank(static_cast<size_t>(n));
    for (int64_t r = 0; r < n; ++r) rank[static_cast<size_t>(in[static_cast<size_t>(r)])] = r;
    for (int64_t r = 1; r <= k; ++r)
      penalty += static_cast<double>(std::max<int64_t>(0, rank[static_cast<size_t>(out[static_cast<size_t>(r)])] - k));
  }
  return 1 - penalty * 2 / (static_cast<double>(n * k) * static_cast<double>(2 * n - 3 * k - 1));
}

// A spiral sheet: what a projection folds over itself.
std::vector<double> sheet(int64_t n) {
  std::vector<double> values;
  for (int64_t i = 0; i < n; ++i) {
    Random random(3, RandomStage::kSubsample, static_cast<uint64_t>(i));
    const double t = 4.7 + 9.4 * random.uniform();
    values.insert(values.end(), {t * std::cos(t), 21 * random.uniform(), t * std::sin(t)});
  }
  return values;
}

TEST(Umap, UnrollsASheet) {
  const std::vector<double> values = sheet(600);
  Context ctx = context(2);
  for (const UmapInit init : {UmapInit::kSpectral, UmapInit::kPca, UmapInit::kRandom}) {
    const UmapFit fit = umap_fit(source_of(values, 3), {.n_epochs = 200, .init = init}, ctx);
    EXPECT_EQ(fit.started, init);
    EXPECT_GT(trustworthiness(values, 3, fit.model.embedding, 15), 0.98) << static_cast<int>(init);
  }
}

TEST(Umap, ThreadsAndRanksGiveTheSameBits) {
  const MemorySource rows = source_of(sample(300, 8), 8);
  for (const UmapMetric metric : {UmapMetric::kEuclidean, UmapMetric::kManhattan, UmapMetric::kCosine}) {
    const UmapParams params{.metric = metric, .n_epochs = 30};
    Context one = context(1, 64);
    const UmapModel truth = umap_fit(rows, params, one).model;
    const MemorySource others = source_of(sample(150, 8, 0.9, 0, 4), 8);
    const Matrix<double> placed = umap_transform(truth, others, one);
    for (const int many : {2, 3}) {
      run_as_ranks(many, [&](Communicator& comm) {
        Context ctx = context(many, 64);
        ctx.comm = &comm;
        EXPECT_EQ(umap_fit(rows, params, ctx).model.embedding, truth.embedding);
        EXPECT_EQ(umap_transform(truth, others, ctx), placed);
      });
    }
  }
}

// umap-learn gives up threads for a seed; here a seed means the same with any of them, and another one another map.
TEST(Umap, ASeedNamesOneMap) {
  const MemorySource rows = source_of(sample(200, 5), 5);
  Context ctx = context(1), three = context(3);
  const Matrix<double> base = umap_fit(rows, {.n_epochs = 20}, ctx).model.embedding;
  EXPECT_EQ(umap_fit(rows, {.n_epochs = 20}, three).model.embedding, base);
  ctx.seed = three.seed = 9;
  const Matrix<double> other = umap_fit(rows, {.n_epochs = 20}, ctx).model.embedding;
  EXPECT_NE(other, base);
  EXPECT_EQ(umap_fit(rows, {.n_epochs = 20}, three).model.embedding, other);
}

TEST(Umap, EveryParameterCounts) {
  const MemorySource rows = source_of(sample(200, 5), 5);
  Context ctx = context();
  const auto fitted = [&](UmapParams params) {
    if (!params.n_epochs) params.n_epochs = 20;
    return umap_fit(rows, params, ctx).model.embedding;
  };
  const Matrix<double> base = fitted({});
  EXPECT_EQ(fitted({}), base);
  for (const UmapParams& params :
       {UmapParams{.n_neighbors = 10}, UmapParams{.n_components = 3}, UmapParams{.min_dist = 0.3}, UmapParams{.spread = 2},
        UmapParams{.metric = UmapMetric::kManhattan}, UmapParams{.n_epochs = 21}, UmapParams{.learning_rate = 0.5},
        UmapParams{.init = UmapInit::kPca}, UmapParams{.negative_sample_rate = 4}, UmapParams{.set_op_mix_ratio = 0.5},
        UmapParams{.local_connectivity = 2}, UmapParams{.repulsion_strength = 2}}) {
    EXPECT_NE(fitted(params), base);
  }
}

TEST(Umap, PartsThatNothingJoinsStartFromPrincipalComponents) {
  const std::vector<double> values = grouped(240, 5, 3);
  Context ctx = context(2);
  const Outcome out = umap_run(source_of(values, 5), {.n_epochs = 100}, ctx);
  ASSERT_EQ(out.notes.size(), 1u);
  EXPECT_NE(out.notes[0].find("3 parts"), std::string::npos);
  // Groups stay apart: a row's nearest in the map is of its group.
  for (int64_t i = 0; i < 240; ++i) {
    int64_t nearest = -1;
    double least = INFINITY;
    for (int64_t j = 0; j < 240; ++j) {
      const double far = std::hypot(out.embedding(i, 0) - out.embedding(j, 0), out.embedding(i, 1) - out.embedding(j, 1));
      if (j != i && far < least) {
        least = far;
        nearest = j;
      }
    }
    EXPECT_EQ(i % 3, nearest % 3);
  }
}

TEST(Umap, FewRowsDuplicatesAndConstantsEndWell) {
  Context ctx = context();
  for (const int64_t n : {1, 2, 3, 4, 5, 14, 15, 16}) {
    for (const int64_t dims : {1, 2, 5}) {
      const Outcome out = umap_run(source_of(sample(n, 2), 2), {.n_components = dims, .n_epochs = 20}, ctx);
      EXPECT_EQ(out.embedding.rows, n);
      EXPECT_EQ(out.embedding.cols, dims);
      for (const double x : out.embedding.values) EXPECT_TRUE(std::isfinite(x)) << n << " rows";
      EXPECT_EQ(n < 15, !out.notes.empty() && out.notes[0].find("one neighbourhood") != std::string::npos) << n;
    }
  }
  std::vector<double> twice = sample(60, 3);
  twice.insert(twice.end(), twice.begin(), twice.end());
  for (const std::vector<double>& values : {std::vector<double>(120, 7.0), twice}) {
    for (const UmapMetric metric : {UmapMetric::kEuclidean, UmapMetric::kManhattan, UmapMetric::kCosine}) {
      const UmapModel model = umap_fit(source_of(values, 3), {.metric = metric, .n_epochs = 50}, ctx).model;
      for (const double x : model.embedding.values) EXPECT_TRUE(std::isfinite(x) && std::fabs(x) < 1e4);
    }
  }
}

TEST(Umap, RefusesWhatItCannotDo) {
  Context ctx = context();
  MemorySource rows = source_of(sample(30, 3), 3);
  EXPECT_THROW(umap_fit(rows, {.min_dist = 2}, ctx), Error);
  EXPECT_THROW(umap_fit(source_of({1, 2, NAN, 3}, 1), {}, ctx), Error);
  rows.set_weights(std::vector<double>(30, 2.0));
  EXPECT_THROW(umap_fit(rows, {}, ctx), Error);
  ctx.memory = int64_t{40} << 20;
  try {
    umap_fit(source_of(std::vector<double>(1'000'000, 1.0), 1), {}, ctx);
    ADD_FAILURE() << "it fitted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kMemory);
  }
  ctx = context();
  const std::atomic<bool> stop = true;
  ctx.stop = &stop;
  try {
    umap_fit(source_of(sample(30, 3), 3), {}, ctx);
    ADD_FAILURE() << "it went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kInterrupted);
  }
}

TEST(UmapTransform, NewRowsComeToTheirLike) {
  const std::vector<double> values = sheet(900);
  Context ctx = context(2);
  const UmapModel model = umap_fit(source_of({values.begin(), values.begin() + 1800}, 3), {.n_epochs = 200}, ctx).model;
  const Matrix<double> placed = umap_transform(model, source_of({values.begin() + 1800, values.end()}, 3), ctx);
  Matrix<double> all(900, 2);
  std::copy(model.embedding.values.begin(), model.embedding.values.end(), all.values.begin());
  std::copy(placed.values.begin(), placed.values.end(), all.values.begin() + 1200);
  EXPECT_GT(trustworthiness(values, 3, all, 15), 0.97);
}

// So far from every row that all strengths vanish (umap-learn: NaN): the place of the nearest.
TEST(UmapTransform, ARowFarFromAllHasAPlace) {
  Context ctx = context();
  const UmapModel model = umap_fit(source_of(sample(40, 2), 2), {.n_epochs = 20}, ctx).model;
  for (const double far : {1e10, 1e38, 1e150}) {
    for (const double x : umap_transform(model, source_of({far, -far, -far, 0}, 2), ctx).values) EXPECT_TRUE(std::isfinite(x)) << far;
  }
}

TEST(UmapTransform, ARowDoesNotMindItsCompany) {
  const std::vector<double> values = sample(300, 4), others = sample(40, 4, 0.9, 0, 6);
  Context ctx = context(2);
  const UmapModel model = umap_fit(source_of(values, 4), {.n_epochs = 30}, ctx).model;
  // Fitted rows take their places.
  EXPECT_EQ(umap_transform(model, source_of(values, 4), ctx), model.embedding);
  const Matrix<double> together = umap_transform(model, source_of(others, 4), ctx);
  for (int64_t i = 0; i < 40; ++i) {
    const Matrix<double> alone = umap_transform(model, source_of({others.begin() + 4 * i, others.begin() + 4 * i + 4}, 4), ctx);
    for (int64_t c = 0; c < 2; ++c) EXPECT_EQ(alone(0, c), together(i, c));
  }
}

TEST(UmapTransform, AModelFromAFileIsTheSame) {
  Context ctx = context();
  ctx.seed = 5;
  const MemorySource rows = source_of(sample(100, 4), 4), others = source_of(sample(20, 4, 0.9, 0, 8), 4);
  const UmapParams params{.metric = UmapMetric::kCosine, .n_epochs = 30, .negative_sample_rate = 3, .local_connectivity = 1.5};
  const Outcome fit = umap_run(rows, params, ctx);
  const ModelFile file = decode_model(encode_model(fit.model), "model");
  Context other = context(2);
  const Outcome again = umap_apply(file, rows, other);
  EXPECT_EQ(again.embedding, fit.embedding);
  EXPECT_EQ(again.result.all(), fit.result.all());
  EXPECT_EQ(umap_apply(file, others, other).embedding, umap_transform(umap_fit(rows, params, ctx).model, others, ctx));
  EXPECT_THROW(umap_apply(file, source_of(sample(5, 3), 3), ctx), Error);
}

TEST(UmapTransform, DamagedModelsAreRefused) {
  Context ctx = context();
  const MemorySource rows = source_of(sample(30, 4), 4);
  const ModelFile good = umap_run(rows, {.n_epochs = 5}, ctx).model;
  const auto expect_refused = [&](const std::string& what, const std::function<void(ModelFile&)>& damage) {
    ModelFile file = good;
    damage(file);
    try {
      umap_apply(file, rows, ctx);
      ADD_FAILURE() << what;
    } catch (const Error& error) {
      EXPECT_EQ(error.code, ErrorCode::kBadModel) << what << ": " << error.what();
    }
  };
  const std::vector<double> two = {1, 2}, below = {-1}, nan = {NAN};
  const std::vector<int64_t> many = {31}, none = {-1};
  for (const auto& [name, tensor] : good.tensors) {
    expect_refused(name, [&, n = name](ModelFile& f) { f.tensors.erase(n); });
    expect_refused(name, [&, n = name](ModelFile& f) { f.put(n, std::span<const double>(two)); });
    if (tensor.dtype == "I64") {
      expect_refused(name, [&, n = name](ModelFile& f) { f.put(n, std::span<const int64_t>(none)); });
    } else {
      expect_refused(name, [&, n = name](ModelFile& f) { f.put(n, std::span<const double>(below)); });
      expect_refused(name, [&, n = name](ModelFile& f) { f.put(n, std::span<const double>(nan)); });
    }
  }
  expect_refused("neighbours past the end", [&](ModelFile& f) { f.put("n_neighbors", std::span<const int64_t>(many)); });
  expect_refused("fewer places", [&](ModelFile& f) { f.put("embedding", Matrix<double>(29, 2)); });
  expect_refused("no rows", [&](ModelFile& f) {
    f.put("embedding", Matrix<double>(0, 2));
    f.put("raw_data", Matrix<double>(0, 4));
  });
  expect_refused("far away", [&](ModelFile& f) { f.put("embedding", Matrix<double>(30, 2, 1e200)); });
  for (const char* seed : {"", "-1", "7x", "99999999999999999999"}) expect_refused("seed", [&](ModelFile& f) { f.about["seed"] = seed; });
  expect_refused("metric", [&](ModelFile& f) { f.about["metric"] = "hamming"; });
}

}  // namespace
}  // namespace sluice
