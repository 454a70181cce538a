#include "sluice/reduce/covariance.h"

#include <gtest/gtest.h>

#include "sluice/comm/thread_ranks.h"
#include "sluice/reduce/testing.h"

namespace sluice {
namespace {

using testing::context;
using testing::sample;
using testing::source_of;

CrossProducts products_of(const Source& rows, Context ctx) {
  const std::vector<double> center = centers_of(rows, ctx);
  return cross_products(rows, center, deviation_exponents(rows, center), ctx);
}

// The truth, by long double and two plain passes.
Matrix<double> plain(const std::vector<double>& x, int64_t d, const std::vector<double>& weights = {}) {
  const auto n = static_cast<int64_t>(x.size()) / d;
  const auto weight = [&](int64_t r) { return weights.empty() ? 1.0L : static_cast<long double>(weights[static_cast<size_t>(r)]); };
  std::vector<long double> mean(static_cast<size_t>(d));
  long double total = 0;
  for (int64_t r = 0; r < n; ++r) {
    total += weight(r);
    for (int64_t j = 0; j < d; ++j) mean[j] += weight(r) * x[r * d + j];
  }
  for (long double& m : mean) m /= total;
  Matrix<double> out(d, d);
  for (int64_t i = 0; i < d; ++i) {
    for (int64_t j = 0; j < d; ++j) {
      long double sum = 0;
      for (int64_t r = 0; r < n; ++r) sum += weight(r) * (x[r * d + i] - mean[i]) * (x[r * d + j] - mean[j]);
      out(i, j) = static_cast<double>(sum);
    }
  }
  return out;
}

// Every entry within `most` of the truth, as a share of the root of its two variances.
void expect_near(const CrossProducts& got, const Matrix<double>& truth, double most) {
  ASSERT_EQ(got.sum.rows, truth.rows);
  for (int64_t i = 0; i < truth.rows; ++i) {
    for (int64_t j = 0; j < truth.rows; ++j) {
      const double scale = std::sqrt(truth(i, i)) * std::sqrt(truth(j, j));
      EXPECT_NEAR(got.at(i, j), truth(i, j), most * scale) << i << " " << j;
    }
  }
}

TEST(CrossProducts, AgreeWithLongDouble) {
  for (const int64_t d : {1, 2, 7, 30}) {
    for (const double offset : {0.0, 1e8}) {
      const std::vector<double> x = sample(500, d, 0.9, offset);
      // At 1e8 the mean itself is known to 2^-27 only, which costs n times its square.
      expect_near(products_of(source_of(x, d), context()), plain(x, d), offset == 0 ? 1e-14 : 1e-11);
    }
  }
}

TEST(CrossProducts, UnitsFarApartStayExact) {
  std::vector<double> x = sample(300, 4);
  for (size_t i = 0; i < x.size(); i += 4) {
    x[i] *= 1e120;
    x[i + 1] *= 1e-120;
  }
  expect_near(products_of(source_of(x, 4), context()), plain(x, 4), 1e-14);
}

TEST(CrossProducts, OneScaleForAllHoldsTheSameValues) {
  std::vector<double> x = sample(50, 3);
  for (size_t i = 0; i < x.size(); i += 3) x[i] *= 1e30;
  CrossProducts products = products_of(source_of(x, 3), context());
  const CrossProducts before = products;
  const int exponent = to_one_scale(products);
  for (int64_t i = 0; i < 3; ++i) {
    for (int64_t j = 0; j < 3; ++j) {
      EXPECT_EQ(std::ldexp(products.sum(i, j), exponent), before.at(i, j));
      EXPECT_EQ(products.at(i, j), before.at(i, j));
    }
  }
}

TEST(CrossProducts, AHugeOutlierLeavesTheOthersTheirDigits) {
  std::vector<double> x = sample(1000, 3);
  x[0] = 1e6;  // of one column; the products of the others do not see it
  expect_near(products_of(source_of(x, 3), context(1, 100)), plain(x, 3), 1e-13);
}

TEST(CrossProducts, WeightsCountAsCopies) {
  const std::vector<double> x = sample(40, 3);
  std::vector<double> weights, copies;
  for (int64_t r = 0; r < 40; ++r) {
    weights.push_back(static_cast<double>(r % 4));
    for (int64_t c = 0; c < r % 4; ++c) copies.insert(copies.end(), x.begin() + r * 3, x.begin() + r * 3 + 3);
  }
  MemorySource weighted = source_of(x, 3);
  weighted.set_weights(weights);
  const CrossProducts got = products_of(weighted, context(1, 7));
  expect_near(got, plain(copies, 3), 1e-13);
  EXPECT_EQ(got.weight, 60);
}

TEST(CrossProducts, SameBitsForThreadsRanksAndStorage) {
  std::vector<double> x = sample(3000, 17);
  std::vector<float> narrow(x.begin(), x.end());
  std::copy(narrow.begin(), narrow.end(), x.begin());
  const MemorySource rows = source_of(x, 17);
  MemorySource stored_narrow(DType::kF32, narrow.data(), 3000, 17, 17, nullptr);
  stored_narrow.stats = rows.stats;
  const CrossProducts truth = products_of(rows, context(1, 64));
  for (const int threads : {2, 3}) EXPECT_EQ(products_of(rows, context(threads, 64)).sum, truth.sum);
  EXPECT_EQ(products_of(stored_narrow, context(2, 64)).sum, truth.sum);
  for (const int ranks : {2, 3}) {
    run_as_ranks(ranks, [&](Communicator& comm) {
      Context ctx = context(2, 64);
      ctx.comm = &comm;
      EXPECT_EQ(products_of(rows, ctx).sum, truth.sum) << ranks;
    });
  }
}

TEST(CrossProducts, FewThreadsWhereMemoryIsShortAndTheSameBits) {
  const MemorySource rows = source_of(sample(1200, 600), 600);
  Context plenty = context(3, 200);
  const CrossProducts truth = products_of(rows, plenty);
  Context tight = context(3, 200);
  tight.memory = 2 * (32'000'000 + 8 * 600 * 600 * 3 + 1'000'000);                        // one thread's, no more
  EXPECT_EQ(within_memory(tight, "test", "", 8 * 600 * 600, 16 * 600 * 600).threads, 2);  // 16 MB are always there
  EXPECT_EQ(products_of(rows, tight).sum, truth.sum);
}

TEST(CrossProducts, TooLittleMemoryIsRefusedWithTheBytesOnEveryRank) {
  const MemorySource rows = source_of(sample(10, 2000), 2000);
  run_as_ranks(2, [&](Communicator& comm) {
    Context ctx = context();
    ctx.comm = &comm;
    ctx.memory = comm.rank() == 0 ? int64_t{64} << 20 : int64_t{1} << 40;
    try {
      products_of(rows, ctx);
      ADD_FAILURE() << "was not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.code, ErrorCode::kMemory);
      EXPECT_NE(std::string(error.what()).find("192000000 bytes"), std::string::npos) << error.what();
    }
  });
}

class CovarianceStateLaws : public ::testing::Test {
 protected:
  MemorySource rows_ = source_of(sample(90, 5), 5);
  Context ctx_ = context(1, 30);
  std::vector<double> center_ = centers_of(rows_, ctx_);
  CovariancePlan plan_{rows_, center_, deviation_exponents(rows_, center_), ctx_};
  BlockBuffer buffer_;

  CovarianceState state(std::initializer_list<int64_t> leaves) {
    CovarianceState state(plan_);
    for (const int64_t leaf : leaves) state.accumulate(rows_.read(leaf * 30, 30, buffer_));
    return state;
  }
  static void expect_same(const CovarianceState& a, const CovarianceState& b) {
    ByteWriter left, right;
    a.save(left);
    b.save(right);
    EXPECT_EQ(left.take(), right.take());
  }
};

TEST_F(CovarianceStateLaws, AnyOrderAnySplitAndEmptyIsNeutral) {
  const CovarianceState whole = state({0, 1, 2});
  expect_same(state({2, 0, 1}), whole);
  CovarianceState split = state({2});
  split.merge(state({}));
  split.merge(state({0, 1}));
  expect_same(split, whole);
}

TEST_F(CovarianceStateLaws, SaveAndLoadInTheMiddle) {
  ByteWriter out;
  state({0, 1}).save(out);
  const Bytes bytes = out.take();
  CovarianceState resumed(plan_);
  ByteReader in(bytes);
  resumed.load(in);
  in.expect_end();
  resumed.accumulate(rows_.read(60, 30, buffer_));
  expect_same(resumed, state({0, 1, 2}));
}

TEST_F(CovarianceStateLaws, DamagedBytesAreRefused) {
  ByteWriter out;
  state({0}).save(out);
  const Bytes bytes = out.take();
  for (size_t length = 0; length < bytes.size(); ++length) {
    CovarianceState state(plan_);
    ByteReader in(std::span<const std::byte>(bytes).first(length));
    EXPECT_THROW(state.load(in), Error) << length;
  }
}

}  // namespace
}  // namespace sluice
