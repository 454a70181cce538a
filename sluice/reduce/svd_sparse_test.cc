// Truncated SVD of sparse rows gives what it gives on the same rows written out; PCA, which takes the mean off the products, nearly so.
#include <gtest/gtest.h>

#include <memory>

#include "sluice/comm/thread_ranks.h"
#include "sluice/core/csr.h"
#include "sluice/core/random.h"
#include "sluice/reduce/pca.h"
#include "sluice/reduce/svd.h"
#include "sluice/reduce/testing.h"

namespace sluice {
namespace {

using testing::worst;

struct Both {
  std::unique_ptr<CsrSource> sparse;
  std::unique_ptr<MemorySource> dense;
};

// Rows of 0 to 8 values, those of a row near each other.
Both rows_of(int64_t n, int64_t d, bool weighted) {
  CsrStore store({});
  std::vector<double> dense(static_cast<size_t>(n * d));
  std::vector<double> weights;
  Random random(3, RandomStage::kSubsample, 0);
  for (int64_t i = 0; i < n; ++i) {
    double* row = dense.data() + i * d;
    const auto place = static_cast<int64_t>(random.below(5)) * (d / 5);
    for (auto left = random.below(9); left > 0; --left) row[(place + static_cast<int64_t>(random.below(12))) % d] = random.normal();
    std::vector<int32_t> indices;
    std::vector<double> values;
    for (int64_t j = 0; j < d; ++j) {
      if (row[j] == 0) continue;
      indices.push_back(static_cast<int32_t>(j));
      values.push_back(row[j]);
    }
    store.append(indices, values);
    weights.push_back(static_cast<double>(random.below(4)) / 3);
  }
  Both out{store.finish(d), std::make_unique<MemorySource>(std::move(dense), n, d)};
  if (weighted) {
    out.sparse->set_weights(weights);
    out.dense->set_weights(weights);
  }
  Context ctx;
  out.sparse->stats = measure(*out.sparse, ctx);
  out.dense->stats = measure(*out.dense, ctx);
  return out;
}

void expect_same(const SvdModel& a, const SvdModel& b) {
  EXPECT_EQ(a.components, b.components);
  EXPECT_EQ(a.explained_variance, b.explained_variance);
  // Divided by the columns' variances, which of sparse rows are those of moments.h but for rounding.
  EXPECT_LT(worst(a.explained_variance_ratio, b.explained_variance_ratio, b.explained_variance_ratio[0]), 1e-14);
  EXPECT_EQ(a.singular_values, b.singular_values);
}

TEST(SvdSparse, HasTheBitsOfTheRowsWrittenOut) {
  for (const bool weighted : {false, true}) {
    const Both rows = rows_of(900, 60, weighted);
    for (const SvdAlgorithm algorithm : {SvdAlgorithm::kExact, SvdAlgorithm::kRandomized}) {
      const SvdParams params{.n_components = 6, .algorithm = algorithm};
      for (const int64_t leaf : {0, 300}) {  // one leaf of several chunks; several leaves
        Context one;
        one.leaf_rows = leaf;
        const SvdModel truth = svd_fit(*rows.dense, params, one).model;
        expect_same(svd_fit(*rows.sparse, params, one).model, truth);
        run_as_ranks(2, [&](Communicator& comm) {
          Context ctx = one;
          ctx.comm = &comm;
          ctx.threads = 2;
          expect_same(svd_fit(*rows.sparse, params, ctx).model, truth);
        });
      }
    }
  }
}

TEST(SvdSparse, EmbedsAsTheDenseRows) {
  const Both rows = rows_of(200, 50, false);
  Context ctx;
  const Outcome a = svd_run(*rows.sparse, {.n_components = 7}, ctx), b = svd_run(*rows.dense, {.n_components = 7}, ctx);
  ASSERT_TRUE(a.embed_csr);
  EXPECT_FALSE(b.embed_csr);
  std::vector<double> sparse(200 * 7), written(sparse.size()), dense(sparse.size());
  BlockBuffer buffer;
  a.embed_csr(rows.sparse->read_csr(0, 200, buffer), sparse.data());
  a.embed(rows.sparse->read(0, 200, buffer), written.data());
  b.embed(rows.dense->read(0, 200, buffer), dense.data());
  EXPECT_EQ(sparse, dense);
  EXPECT_EQ(written, dense);
}

TEST(SvdSparse, OfRowsOfZeros) {
  CsrSource rows({0, 0, 0, 0}, {}, {}, 5);
  Context ctx;
  rows.stats = measure(rows, ctx);
  for (const SvdAlgorithm algorithm : {SvdAlgorithm::kExact, SvdAlgorithm::kRandomized})
    EXPECT_EQ(svd_fit(rows, {.n_components = 2, .algorithm = algorithm}, ctx).model.singular_values, (std::vector<double>{0, 0}));
}

TEST(PcaSparse, IsThatOfTheRowsWrittenOutToRounding) {
  for (const bool weighted : {false, true}) {
    const Both rows = rows_of(900, 60, weighted);
    PcaParams params;
    params.n_components = "4";
    params.svd_solver = PcaSolver::kRandomized;
    Context ctx;
    ctx.leaf_rows = 300;
    const PcaModel a = pca_fit(*rows.sparse, params, ctx).model, b = pca_fit(*rows.dense, params, ctx).model;
    EXPECT_EQ(a.mean, b.mean);
    EXPECT_LT(worst(a.components.values, b.components.values), 1e-10);
    EXPECT_LT(worst(a.explained_variance, b.explained_variance, b.explained_variance[0]), 1e-12);
  }
}

}  // namespace
}  // namespace sluice
