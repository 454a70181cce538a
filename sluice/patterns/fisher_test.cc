#include "sluice/patterns/fisher.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sluice {
namespace {

// Every term of the distribution, in long double.
long double slow_p(int64_t both, int64_t a, int64_t c, int64_t n) {
  const auto log_choose = [](int64_t m, int64_t k) {
    return std::lgamma(static_cast<long double>(m + 1)) - std::lgamma(static_cast<long double>(k + 1)) -
           std::lgamma(static_cast<long double>(m - k + 1));
  };
  long double sum = 0;
  for (int64_t i = std::max(both, a + c - n); i <= std::min(a, c); ++i)
    sum += std::exp(log_choose(c, i) + log_choose(n - c, a - i) - log_choose(n, a));
  return sum;
}

TEST(Fisher, EqualsTheSumOfAllTerms) {
  for (const int64_t n : {1, 2, 7, 40, 150}) {
    for (int64_t a = 1; a <= n; a += 1 + n / 7) {
      for (int64_t c = 1; c <= n; c += 1 + n / 5) {
        for (int64_t both = std::max<int64_t>(0, a + c - n); both <= std::min(a, c); ++both) {
          const auto slow = static_cast<double>(slow_p(both, a, c, n));
          EXPECT_NEAR(fisher_p(both, a, c, n), slow, 1e-12 * slow + 1e-15) << both << " " << a << " " << c << " " << n;
        }
      }
    }
  }
}

// Sums of whole binomials, exactly, then rounded.
TEST(Fisher, EqualsExactFractions) {
  EXPECT_NEAR(fisher_p(12, 19, 327, 9835) / 6.11644466637540746e-14, 1, 2e-13);
  EXPECT_NEAR(fisher_p(60, 100, 327, 9835) / 3.47529307264399204e-64, 1, 2e-13);
  EXPECT_NEAR(fisher_p(200, 300, 5000, 8124) / 3.52854186589380073e-02, 1, 2e-13);
  EXPECT_EQ(fisher_p(2160, 2160, 3916, 8124), 0);  // 4e-874
  EXPECT_NEAR(fisher_p(500, 1000, 500'000, 1'000'000) / 5.12618820074202897e-01, 1, 2e-13);
}

TEST(Fisher, CertainThings) {
  EXPECT_EQ(fisher_p(0, 3, 4, 10), 1);
  EXPECT_NEAR(fisher_p(10, 10, 10, 10), 1, 1e-12);  // an item in every basket tells nothing
  EXPECT_NEAR(fisher_p(5, 5, 10, 10), 1, 1e-12);
}

// scipy.stats.false_discovery_control([0.01, 0.04, 0.03, 0.005, 0.5]).
TEST(FalseDiscovery, EqualsScipy) {
  const std::vector<double> rate = false_discovery({0.01, 0.04, 0.03, 0.005, 0.5}, 5);
  const std::vector<double> expected = {0.025, 0.05, 0.05, 0.025, 0.5};
  for (size_t i = 0; i < rate.size(); ++i) EXPECT_NEAR(rate[i], expected[i], 1e-15);
}

TEST(FalseDiscovery, TestsThatAreNotListedCount) {
  const std::vector<double> rate = false_discovery({0.01, 0.001}, 10);
  EXPECT_NEAR(rate[0], 0.05, 1e-15);
  EXPECT_NEAR(rate[1], 0.01, 1e-15);
  EXPECT_EQ(false_discovery({0.9}, 10), (std::vector<double>{1}));
}

}  // namespace
}  // namespace sluice
