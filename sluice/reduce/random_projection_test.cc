#include "sluice/reduce/random_projection.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sluice/core/random.h"

namespace sluice {
namespace {

MemorySource normal_rows(int64_t n, int64_t d, Context& ctx) {
  std::vector<double> values;
  Random random(7, RandomStage::kSubsample, 0);
  for (int64_t i = 0; i < n * d; ++i) values.push_back(random.normal());
  MemorySource rows(std::move(values), n, d);
  rows.stats = measure(rows, ctx);
  return rows;
}

double squared(const double* a, const double* b, int64_t d) {
  double sum = 0;
  for (int64_t j = 0; j < d; ++j) sum += (a[j] - b[j]) * (a[j] - b[j]);
  return sum;
}

std::vector<double> embedding_of(const Outcome& out, const Source& rows) {
  BlockBuffer buffer;
  std::vector<double> to(static_cast<size_t>(rows.rows() * out.embedding_cols));
  out.embed(rows.read(0, rows.rows(), buffer), to.data());
  return to;
}

TEST(RandomProjection, EveryDistanceStaysWithinEps) {
  Context ctx;
  ctx.seed = 1;  // with high probability is not always
  const MemorySource rows = normal_rows(40, 3000, ctx);
  for (const ProjectionKind kind : {ProjectionKind::kGaussian, ProjectionKind::kSparse}) {
    const Outcome out = random_projection_run(rows, {.eps = 0.25, .kind = kind}, ctx);
    const int64_t q = out.embedding_cols;
    EXPECT_EQ(q, random_projection_columns(40, 0.25));
    const std::vector<double> to = embedding_of(out, rows);
    BlockBuffer buffer;
    const MatrixBlock block = rows.read(0, 40, buffer);
    for (int64_t a = 0; a < 40; ++a) {
      for (int64_t b = 0; b < a; ++b) {
        const double before = squared(block.row(a, nullptr), block.row(b, nullptr), 3000);
        EXPECT_NEAR(squared(&to[static_cast<size_t>(a * q)], &to[static_cast<size_t>(b * q)], q), before, 0.25 * before);
      }
    }
  }
}

TEST(RandomProjection, ColumnsAreThoseOfScikitLearn) {
  EXPECT_EQ(random_projection_columns(1'000'000, 0.1), 11841);  // johnson_lindenstrauss_min_dim(1e6, eps=0.1)
  EXPECT_EQ(random_projection_columns(100'000, 0.5), 552);
}

TEST(RandomProjection, ASparseMatrixHasItsDensityAndTheBitsOfPlainProducts) {
  Context ctx;
  const MemorySource rows = normal_rows(3, 10'000, ctx);
  const RandomProjectionParams params{.n_components = 20, .kind = ProjectionKind::kSparse};
  const Matrix<double> matrix = random_projection_fit(rows, params, ctx);
  int64_t plus = 0, minus = 0;
  for (const double x : matrix.values) {
    plus += x > 0;
    minus += x < 0;
    EXPECT_TRUE(x == 0 || std::fabs(std::fabs(x) - std::sqrt(100.0 / 20)) < 1e-15) << x;
  }
  EXPECT_NEAR(static_cast<double>(plus), 1000, 5 * std::sqrt(1000.0));  // 200,000 entries, one in 100, half of each sign
  EXPECT_NEAR(static_cast<double>(minus), 1000, 5 * std::sqrt(1000.0));
  const std::vector<double> to = embedding_of(random_projection_run(rows, params, ctx), rows);
  BlockBuffer buffer;
  const MatrixBlock block = rows.read(0, 3, buffer);
  for (int64_t r = 0; r < 3; ++r) {
    for (int64_t c = 0; c < 20; ++c) {
      double sum = 0;
      for (int64_t j = 0; j < 10'000; ++j) sum = std::fma(block.row(r, nullptr)[j], matrix(c, j), sum);
      EXPECT_EQ(to[static_cast<size_t>(r * 20 + c)], sum);
    }
  }
}

TEST(RandomProjection, AModelDoesToNewRowsWhatTheFitDid) {
  Context ctx;
  ctx.seed = 3;
  const MemorySource rows = normal_rows(5, 9, ctx);
  const Outcome fit = random_projection_run(rows, {.n_components = 4}, ctx);
  Context other;
  other.threads = 2;
  other.seed = 99;
  const Outcome again = random_projection_apply(decode_model(encode_model(fit.model), "model"), rows, other);
  EXPECT_EQ(embedding_of(fit, rows), embedding_of(again, rows));
  EXPECT_NE(random_projection_fit(rows, {.n_components = 4}, other), random_projection_fit(rows, {.n_components = 4}, ctx));
}

TEST(RandomProjection, RefusesWhatItCannotDo) {
  Context ctx;
  const MemorySource rows = normal_rows(100, 50, ctx);
  EXPECT_THROW(random_projection_run(rows, {}, ctx), Error);
  EXPECT_THROW(random_projection_run(rows, {.n_components = 4, .density = 0.1}, ctx), Error);
  EXPECT_THROW(random_projection_run(rows, {.n_components = int64_t{1} << 31}, ctx), Error);
  ModelFile model = random_projection_run(rows, {.n_components = 4}, ctx).model;
  EXPECT_THROW(random_projection_apply(model, normal_rows(9, 49, ctx), ctx), Error);
  model.put("components", Matrix<double>(0, 50));
  EXPECT_THROW(random_projection_apply(model, rows, ctx), Error);
}

}  // namespace
}  // namespace sluice
