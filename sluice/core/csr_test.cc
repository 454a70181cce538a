#include "sluice/core/csr.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "sluice/core/fold.h"
#include "sluice/core/moments.h"
#include "sluice/core/normalised.h"
#include "sluice/core/random.h"

namespace sluice {
namespace {

struct Both {
  std::unique_ptr<CsrSource> sparse;
  std::unique_ptr<MemorySource> dense;
};

// About `share` of the values, some columns always empty, some full, of very different sizes; the same rows written out.
Both both(int64_t n, int64_t d, double share, int64_t memory = int64_t{1} << 40) {
  StoreOptions options;
  options.memory = memory;
  CsrStore store(options);
  std::vector<double> dense;
  Random random(1, RandomStage::kSubsample, 0);
  for (int64_t i = 0; i < n; ++i) {
    std::vector<int32_t> indices;
    std::vector<double> values;
    for (int64_t j = 0; j < d; ++j) {
      const bool there = j % 7 != 3 && (j % 11 == 5 || random.uniform() < share);
      const double x = random.normal() * (j % 3 == 0 ? 1e-9 : j % 3 == 1 ? 1 : 1e5);
      dense.push_back(there ? x : 0);
      if (!there) continue;
      indices.push_back(static_cast<int32_t>(j));
      values.push_back(x);
    }
    store.append(indices, values);
  }
  EXPECT_EQ(store.in_file(), memory < 1000);
  Both out{store.finish(d), std::make_unique<MemorySource>(std::move(dense), n, d)};
  return out;
}

void expect_same_statistics(const Statistics& a, const Statistics& b) {
  ASSERT_EQ(a.columns.size(), b.columns.size());
  for (size_t j = 0; j < a.columns.size(); ++j) {
    const ColumnStatistics &x = a.columns[j], &y = b.columns[j];
    SCOPED_TRACE(j);
    EXPECT_EQ(x.missing, y.missing);
    EXPECT_EQ(x.infinite, y.infinite);
    EXPECT_EQ(x.first_missing, y.first_missing);
    EXPECT_EQ(x.first_infinite, y.first_infinite);
    EXPECT_EQ(x.min, y.min);
    EXPECT_EQ(x.max, y.max);
    EXPECT_EQ(x.zeros, y.zeros);
    EXPECT_EQ(x.finite, y.finite);
    EXPECT_EQ(x.integers, y.integers);
    EXPECT_EQ(x.fits_f32, y.fits_f32);
    EXPECT_EQ(x.median_exponent, y.median_exponent);
    EXPECT_EQ(x.sum_exponent, y.sum_exponent);
  }
}

TEST(Csr, ReadsAsItsRowsWrittenOut) {
  for (const int64_t memory : {int64_t{1} << 40, int64_t{100}}) {  // in memory, and in a spool
    const Both rows = both(50, 33, 0.1, memory);
    BlockBuffer one, two;
    for (const auto& [first, count] : std::vector<std::pair<int64_t, int64_t>>{{0, 50}, {7, 1}, {31, 19}, {50, 0}}) {
      const MatrixBlock a = rows.sparse->read(first, count, one);
      const MatrixBlock b = rows.dense->read(first, count, two);
      ASSERT_EQ(a.rows, count);
      EXPECT_EQ(a.first_row, first);
      for (int64_t i = 0; i < count; ++i) {
        for (int64_t j = 0; j < 33; ++j) EXPECT_EQ(a.row(i, nullptr)[j], b.row(i, nullptr)[j]);
      }
    }
    EXPECT_EQ(load(*rows.sparse)->rows(), 50);
  }
}

TEST(Csr, TheSpoolGoesWithItsSource) {
  namespace fs = std::filesystem;
  const fs::path dir = fs::temp_directory_path() / "sluice-csr-test";
  fs::remove_all(dir);
  StoreOptions options;
  options.memory = 100;
  options.spool_dir = dir.string();
  {
    CsrStore store(options);
    const std::vector<int32_t> indices{0, 2};
    const std::vector<double> values{1, 2};
    for (int i = 0; i < 100; ++i) store.append(indices, values);
    const auto source = store.finish(3);
    EXPECT_EQ(std::distance(fs::directory_iterator(dir), fs::directory_iterator()), 1);
    BlockBuffer buffer;
    EXPECT_EQ(source->read_csr(99, 1, buffer).values[1], 2);
    EXPECT_EQ(source->nonzeros(), 200);
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(dir), fs::directory_iterator()), 0);
  fs::remove_all(dir);
}

TEST(Csr, StatisticsAreThoseOfTheRowsWrittenOut) {
  Context ctx;
  for (const int threads : {1, 3}) {
    ctx.threads = threads;
    const Both rows = both(300, 40, 0.1);
    expect_same_statistics(measure(*rows.sparse, ctx), measure(*rows.dense, ctx));
  }
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  const CsrSource bad({0, 1, 3, 3}, {1, 0, 1}, {nan, 3, -inf}, 2);
  const MemorySource written({0, nan, 3, -inf, 0, 0}, 3, 2);
  expect_same_statistics(measure(bad, ctx), measure(written, ctx));
}

TEST(Csr, StatisticsOfMoreColumnsThanOnePassTakes) {
  Context ctx;
  const CsrSource wide({0, 2, 3}, {5, 40'000, 16'384}, {1, -2, 0.5}, 40'001);
  const Statistics stats = measure(wide, ctx);
  ASSERT_EQ(stats.columns.size(), 40'001U);
  EXPECT_EQ(stats.columns[40'000].min, -2);
  EXPECT_EQ(stats.columns[16'384].max, 0.5);
  EXPECT_EQ(stats.columns[16'384].zeros, 1);
  EXPECT_EQ(stats.columns[6].zeros, 2);
}

TEST(Csr, MomentsAreThoseOfTheRowsWrittenOut) {
  Context ctx;
  for (const bool weighted : {false, true}) {
    Both rows = both(300, 40, 0.1);
    if (weighted) {
      std::vector<double> weights;
      for (int i = 0; i < 300; ++i) weights.push_back(i % 4);
      rows.sparse->set_weights(weights);
      rows.dense->set_weights(weights);
    }
    rows.sparse->stats = measure(*rows.sparse, ctx);
    rows.dense->stats = measure(*rows.dense, ctx);
    const Moments a = moments(*rows.sparse, ctx), b = moments(*rows.dense, ctx);
    EXPECT_EQ(a.weight, b.weight);
    EXPECT_EQ(a.mean, b.mean);
    for (size_t j = 0; j < a.variance.size(); ++j) EXPECT_NEAR(a.variance[j], b.variance[j], 1e-12 * b.variance[j]);
  }
}

TEST(Csr, UnitRowsHaveTheBitsOfDenseUnitRows) {
  const Both rows = both(60, 40, 0.2);
  const NormalisedSource a(*rows.sparse), b(*rows.dense);
  ASSERT_TRUE(a.sparse() && !b.sparse());
  BlockBuffer one, two;
  const CsrBlock sparse = a.read_csr(10, 50, one);
  const MatrixBlock dense = b.read(10, 50, two);
  int64_t entries = 0;
  for (int64_t i = 0; i < 50; ++i) {
    for (int64_t p = sparse.begin(i); p < sparse.begin(i) + sparse.count(i); ++p, ++entries)
      EXPECT_EQ(sparse.values[p], dense.row(i, nullptr)[sparse.indices[p]]);
  }
  EXPECT_GT(entries, 100);
}

TEST(Csr, BrokenRowsAreRefused) {
  EXPECT_THROW(CsrSource({0, 2}, {1, 1}, {1, 1}, 3), Error);
  EXPECT_THROW(CsrSource({0, 1}, {3}, {1}, 3), Error);
  EXPECT_THROW(CsrSource({0, 1}, {0}, {0}, 3), Error);
  EXPECT_THROW(CsrSource({0, 2}, {0}, {1}, 3), Error);
  const MemorySource dense({1, 2}, 1, 2);
  BlockBuffer buffer;
  EXPECT_THROW(dense.read_csr(0, 1, buffer), Error);
}

}  // namespace
}  // namespace sluice
