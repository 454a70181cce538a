#include "sluice/metrics/agreement.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "sluice/comm/thread_ranks.h"
#include "sluice/core/error.h"
#include "sluice/metrics/metrics_sklearn.h"

namespace sluice {
namespace {

void near(double got, double wanted, const char* what) {
  EXPECT_NEAR(got, wanted, 1e-9 * std::max(1e-3, std::fabs(wanted))) << what;
}

Agreement of(const std::vector<int64_t>& truth, const std::vector<int64_t>& labels) {
  return agreement(contingency(truth, std::span<const int64_t>(labels)));
}

TEST(Agreement, EqualsScikitLearn) {
  for (const auto& set : sklearn::kAgreement) {
    SCOPED_TRACE(set.name);
    const Agreement got = of(set.truth, set.labels);
    near(got.ari, set.ari, "ari");
    near(got.nmi, set.nmi, "nmi");
    near(got.ami, set.ami, "ami");
    near(got.homogeneity, set.homogeneity, "homogeneity");
    near(got.completeness, set.completeness, "completeness");
    near(got.v_measure, set.v_measure, "v_measure");
    near(got.purity, set.purity, "purity");
  }
}

TEST(Agreement, SymmetricWhereItMustBe) {
  std::mt19937_64 random(2);
  std::vector<int64_t> a(500), b(500);
  for (size_t i = 0; i < a.size(); ++i)
    a[i] = static_cast<int64_t>(random() % 6), b[i] = random() % 3 == 0 ? a[i] : static_cast<int64_t>(random() % 4);
  const Agreement ab = of(a, b), ba = of(b, a);
  EXPECT_DOUBLE_EQ(ab.ari, ba.ari);
  EXPECT_NEAR(ab.nmi, ba.nmi, 1e-14);
  EXPECT_NEAR(ab.ami, ba.ami, 1e-14);
  EXPECT_NEAR(ab.homogeneity, ba.completeness, 1e-14);
}

// The definition: the mean over overlaps by hypergeometric probabilities from log-gamma.
double slow_expected(const std::vector<int64_t>& as, const std::vector<int64_t>& bs, int64_t n) {
  const auto lf = [](int64_t x) { return std::lgamma(static_cast<long double>(x) + 1); };
  long double sum = 0;
  for (const int64_t a : as) {
    for (const int64_t b : bs) {
      for (int64_t x = std::max<int64_t>(1, a + b - n); x <= std::min(a, b); ++x) {
        const long double p = std::exp(lf(a) + lf(b) + lf(n - a) + lf(n - b) - lf(n) - lf(x) - lf(a - x) - lf(b - x) - lf(n - a - b + x));
        const auto w = static_cast<long double>(x);
        sum += w / static_cast<long double>(n) *
               std::log(static_cast<long double>(n) * w / (static_cast<long double>(a) * static_cast<long double>(b))) * p;
      }
    }
  }
  return static_cast<double>(sum);
}

TEST(Agreement, ExpectedMutualInformationIsTheDefinition) {
  for (const auto& [as, bs] : std::vector<std::pair<std::vector<int64_t>, std::vector<int64_t>>>{
           {{3, 4, 5}, {6, 6}}, {{500, 300, 200}, {10, 10, 980}}, {{1, 1, 1, 1}, {2, 2}}, {{900, 100}, {950, 50}}}) {
    int64_t n = 0;
    for (const int64_t a : as) n += a;
    const double slow = slow_expected(as, bs, n);
    EXPECT_NEAR(expected_mutual_information(as, bs), slow, 1e-11 * slow);
  }
}

TEST(Agreement, CountsBeyond32Bits) {
  // 5e9 rows: pairs are beyond 2^64. Two classes, of which the clusters mix 1 in 10.
  const Agreement got = agreement({{{0, 0, 2'250'000'000}, {0, 1, 250'000'000}, {1, 0, 250'000'000}, {1, 1, 2'250'000'000}}});
  EXPECT_NEAR(got.ari, 0.64, 1e-9);
  EXPECT_DOUBLE_EQ(got.purity, 0.9);
  const double mi = std::log(2.0) + 0.9 * std::log(0.9) + 0.1 * std::log(0.1);
  EXPECT_NEAR(got.nmi, mi / std::log(2.0), 1e-12);
  EXPECT_NEAR(got.ami, got.nmi, 1e-8);
}

TEST(Agreement, NoRows) {
  const Agreement got = agreement({});
  EXPECT_EQ(got.ari, 1);
  EXPECT_EQ(got.ami, 1);
}

TEST(Agreement, LengthsMustAgree) {
  const std::vector<int64_t> a{1, 2}, b{1};
  EXPECT_THROW(contingency(a, std::span<const int64_t>(b)), Error);
}

TEST(Agreement, TablesOfRanksAddUp) {
  const std::vector<int64_t> truth{4, 4, -1, 7, 7, 7};
  const std::vector<int32_t> labels{0, 1, 1, 0, 0, 2};
  const Contingency whole = contingency(truth, std::span<const int32_t>(labels));
  ASSERT_EQ(whole.cells.size(), 5u);
  EXPECT_EQ(whole.cells[0], (Contingency::Cell{-1, 1, 1}));
  EXPECT_EQ(whole.cells[3], (Contingency::Cell{7, 0, 2}));
  run_as_ranks(3, [&](Communicator& comm) {
    Context ctx;
    ctx.comm = &comm;
    const auto first = static_cast<size_t>(2 * comm.rank());
    const Contingency mine = contingency(std::span(truth).subspan(first, 2), std::span<const int32_t>(labels).subspan(first, 2));
    EXPECT_EQ(add_over_ranks(mine, ctx), whole);
  });
}

}  // namespace
}  // namespace sluice
