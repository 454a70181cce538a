#include "sluice/linalg/linalg.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace sluice::linalg {
namespace {

using Values = std::vector<double>;

// Reproducible values in (-1, 1) without a library's generator.
Values values(int64_t count, uint64_t seed) {
  Values out(static_cast<size_t>(count));
  for (double& x : out) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    x = static_cast<double>(static_cast<int64_t>(seed)) * 0x1p-63;
  }
  return out;
}

// a (m x k) times b (k x n); with `flip` a is given as its transpose, k x m.
Values product(const Values& a, const Values& b, int64_t m, int64_t k, int64_t n, bool flip = false) {
  Values out(static_cast<size_t>(m * n));
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t t = 0; t < k; ++t) {
      for (int64_t j = 0; j < n; ++j) out[i * n + j] += (flip ? a[t * m + i] : a[i * k + t]) * b[t * n + j];
    }
  }
  return out;
}

Values transposed(const Values& a, int64_t rows, int64_t cols) {
  Values out(a.size());
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) out[j * rows + i] = a[i * cols + j];
  }
  return out;
}

double worst(const Values& a, const Values& b) {
  double most = a.size() == b.size() ? 0 : INFINITY;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) most = std::max(most, std::fabs(a[i] - b[i]));
  return most;
}

Values identity(int64_t n) {
  Values out(static_cast<size_t>(n * n));
  for (int64_t i = 0; i < n; ++i) out[i * n + i] = 1;
  return out;
}

// Rows scaled by d: diag(d) a.
Values scaled(const Values& d, Values a, int64_t cols) {
  for (size_t i = 0; i < a.size(); ++i) a[i] *= d[i / static_cast<size_t>(cols)];
  return a;
}

TEST(SymmetricEigen, PutTogetherAgainItIsTheMatrix) {
  for (const int64_t n : {1, 2, 3, 10, 60}) {
    Values square = values(n * n, 7 + static_cast<uint64_t>(n));
    Values a = product(square, square, n, n, n, true);
    const Values before = a;
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < i; ++j) a[i * n + j] = NAN;  // must not be read
    }
    Values w(static_cast<size_t>(n));
    ASSERT_EQ(symmetric_eigen(a.data(), n, w.data()), 0);
    EXPECT_TRUE(std::is_sorted(w.begin(), w.end()));
    EXPECT_LT(worst(product(a, scaled(w, a, n), n, n, n, true), before), 1e-13 * static_cast<double>(n));
    EXPECT_LT(worst(product(a, transposed(a, n, n), n, n, n), identity(n)), 1e-13);
  }
}

TEST(SymmetricEigen, KnownValues) {
  Values a = {2, 1, 1, 2};
  Values w(2);
  ASSERT_EQ(symmetric_eigen(a.data(), 2, w.data()), 0);
  EXPECT_NEAR(w[0], 1, 1e-15);
  EXPECT_NEAR(w[1], 3, 1e-15);
  EXPECT_NEAR(a[2] * a[3], 0.5, 1e-15);
}

TEST(SymmetricEigen, RefusesWhatDoesNotFit) {
  EXPECT_EQ(symmetric_eigen(nullptr, kMostEigen + 1, nullptr), kTooLarge);
  EXPECT_EQ(symmetric_eigen(nullptr, 0, nullptr), 0);
}

TEST(Cholesky, FactorsAndNamesTheMinorThatIsNotPositive) {
  const int64_t n = 17;
  const Values square = values(n * n, 3);
  Values a = product(square, square, n, n, n, true);
  const Values before = a;
  ASSERT_EQ(cholesky(a.data(), n), 0);
  for (int64_t i = 0; i < n; ++i) std::fill_n(a.begin() + i * n, i, 0.0);
  EXPECT_LT(worst(product(a, a, n, n, n, true), before), 1e-13);
  Values indefinite = {1, 2, 2, 1};
  EXPECT_EQ(cholesky(indefinite.data(), 2), 2);
}

TEST(Svd, TallWideAndSquare) {
  for (const auto& [m, n] : {std::pair<int64_t, int64_t>{7, 3}, {3, 7}, {5, 5}, {1, 4}, {4, 1}}) {
    const int64_t p = std::min(m, n);
    Values a = values(m * n, 11);
    const Values before = a;
    Values s(static_cast<size_t>(p)), u(static_cast<size_t>(m * p)), vt(static_cast<size_t>(p * n));
    ASSERT_EQ(svd(a.data(), m, n, s.data(), u.data(), vt.data()), 0);
    EXPECT_TRUE(std::is_sorted(s.rbegin(), s.rend()));
    EXPECT_LT(worst(product(u, scaled(s, vt, n), m, p, n), before), 1e-14);
    EXPECT_LT(worst(product(u, u, p, m, p, true), identity(p)), 1e-14);
    EXPECT_LT(worst(product(vt, transposed(vt, p, n), p, n, p), identity(p)), 1e-14);
  }
}

TEST(Qr, OrthonormalTimesTriangle) {
  const int64_t m = 20, n = 6;
  const Values before = values(m * n, 5);
  Values q = before, r(static_cast<size_t>(n * n));
  ASSERT_EQ(qr(q.data(), m, n, r.data()), 0);
  EXPECT_LT(worst(product(q, r, m, n, n), before), 1e-14);
  EXPECT_LT(worst(product(q, q, n, m, n, true), identity(n)), 1e-14);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < i; ++j) EXPECT_EQ(r[i * n + j], 0);
  }
}

TEST(Hidden, NoLapackNameIsVisibleToOthers) {
  for (const char* name : {"dsyevd_", "dgesdd_", "dgemm_", "dpotrf_"}) EXPECT_EQ(dlsym(RTLD_DEFAULT, name), nullptr) << name;
}

}  // namespace
}  // namespace sluice::linalg
