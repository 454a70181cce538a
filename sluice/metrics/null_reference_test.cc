#include "sluice/metrics/null_reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sluice/core/random.h"
#include "sluice/metrics/symmetric_eigen.h"

namespace sluice {
namespace {

Random numbers(uint64_t index) {
  return Random(11, RandomStage::kSubsample, index);
}

Matrix<double> correlated(int64_t n) {
  Random random = numbers(1);
  Matrix<double> out(n, 3);
  for (int64_t i = 0; i < n; ++i) {
    const double a = random.normal(), b = random.normal();
    out(i, 0) = 5 + 2 * a;
    out(i, 1) = a + 0.5 * b;
    out(i, 2) = -100 + 0.1 * random.normal();
  }
  return out;
}

double mean_of(const Matrix<double>& m, int64_t j) {
  double sum = 0;
  for (int64_t i = 0; i < m.rows; ++i) sum += m(i, j);
  return sum / static_cast<double>(m.rows);
}
double covariance_of(const Matrix<double>& m, int64_t a, int64_t b) {
  const double x = mean_of(m, a), y = mean_of(m, b);
  double sum = 0;
  for (int64_t i = 0; i < m.rows; ++i) sum += (m(i, a) - x) * (m(i, b) - y);
  return sum / static_cast<double>(m.rows);
}

TEST(SymmetricEigen, RebuildsTheMatrix) {
  Random random = numbers(2);
  Matrix<double> rows(40, 70);
  for (double& x : rows.values) x = random.normal();
  const Matrix<double> gram = scaled_gram(rows, 0.1);
  const SymmetricEigen eigen = symmetric_eigen(gram);
  EXPECT_TRUE(std::is_sorted(eigen.values.rbegin(), eigen.values.rend()));
  for (int64_t i = 0; i < 70; ++i) {
    for (int64_t j = 0; j < 70; ++j) {
      double sum = 0;
      for (int64_t a = 0; a < 70; ++a) sum += eigen.values[static_cast<size_t>(a)] * eigen.vectors(a, i) * eigen.vectors(a, j);
      EXPECT_NEAR(sum, gram(i, j), 1e-11);
      double direct = 0;
      for (int64_t r = 0; r < 40; ++r) direct += rows(r, i) * rows(r, j);
      EXPECT_NEAR(gram(i, j), 0.1 * direct, 1e-12);
    }
  }
}

TEST(PrincipalAxes, GramAndCovarianceAgree) {
  Random random = numbers(3);
  Matrix<double> rows(20, 30);  // more columns than rows: by the Gram matrix
  for (double& x : rows.values) x = random.normal();
  Matrix<double> tall(40, 30);  // the same rows twice: by the covariance
  for (int64_t i = 0; i < 40; ++i) std::copy(rows.row(i % 20), rows.row(i % 20) + 30, tall.row(i));
  const PrincipalAxes a = principal_axes(rows, 5), b = principal_axes(tall, 5);
  for (int64_t k = 0; k < 5; ++k) {
    EXPECT_NEAR(a.variance[static_cast<size_t>(k)] * 19 / 20, b.variance[static_cast<size_t>(k)] * 39 / 40, 1e-10);
    for (int64_t j = 0; j < 30; ++j) EXPECT_NEAR(a.axes(k, j), b.axes(k, j), 1e-9);
  }
  const Matrix<double> few = reduced_columns(rows, 19);  // 20 rows span 19 directions: distances stay
  for (int64_t i = 1; i < 20; ++i) {
    double whole = 0, kept = 0;
    for (int64_t j = 0; j < 30; ++j) whole += (rows(i, j) - rows(0, j)) * (rows(i, j) - rows(0, j));
    for (int64_t j = 0; j < 19; ++j) kept += (few(i, j) - few(0, j)) * (few(i, j) - few(0, j));
    EXPECT_NEAR(kept, whole, 1e-9 * whole);
  }
}

// Density of the pieces: rising, then falling.
void expect_one_mode(const Unimodal& u) {
  bool falling = false;
  double before = 0;
  for (size_t i = 1; i < u.value.size(); ++i) {
    const double density = (u.at[i] - u.at[i - 1]) / (u.value[i] - u.value[i - 1]);
    if (density < before * (1 - 1e-9)) falling = true;
    if (falling) {
      EXPECT_LE(density, before * (1 + 1e-9));
    }
    before = density;
  }
}

TEST(Unimodal, TwoHumpsBecomeOne) {
  Random random = numbers(4);
  std::vector<double> two, one;
  for (int i = 0; i < 800; ++i) {
    const double z = random.normal();
    one.push_back(z);
    two.push_back(z + (i % 2 == 0 ? 8 : 0));
  }
  const Unimodal u = unimodal_of(two), v = unimodal_of(one);
  expect_one_mode(u);
  expect_one_mode(v);
  EXPECT_EQ(u.step, 0);
  // The gap from 3 to 5 holds next to nothing of the data and must be filled; a single hump stays nearly as it is.
  const auto share = [](const Unimodal& d, double low, double high) {
    int inside = 0;
    for (int i = 0; i < 1000; ++i) {
      const double x = d.quantile((i + 0.5) / 1000);
      inside += x > low && x < high;
    }
    return inside / 1000.0;
  };
  EXPECT_GT(share(u, 3, 5), 0.05);
  EXPECT_NEAR(share(v, -1, 1), 0.683, 0.06);
}

TEST(Unimodal, CountsStayCounts) {
  std::vector<double> counts;
  for (int value = 0; value < 6; ++value) counts.insert(counts.end(), static_cast<size_t>(value == 0 ? 300 : 200 >> value), value);
  const Unimodal u = unimodal_of(counts);
  EXPECT_EQ(u.step, 1);
  int zeros = 0;
  for (int i = 0; i < 1000; ++i) zeros += std::nearbyint(u.quantile((i + 0.5) / 1000)) == 0;
  EXPECT_NEAR(zeros / 1000.0, 300.0 / static_cast<double>(counts.size()), 0.01);  // one mode already: nothing is smoothed
  const Unimodal constant = unimodal_of({2.5, 2.5, 2.5});
  EXPECT_EQ(constant.quantile(0.3), 2.5);
}

TEST(NullReference, KeepsWhatItSays) {
  const Matrix<double> rows = correlated(1500);
  const NullModel model = null_model(rows);
  for (const NullKind kind : {NullKind::kGaussian, NullKind::kMarginals, NullKind::kCopula}) {
    SCOPED_TRACE(name_of(kind));
    const Matrix<double> drawn = draw_null(model, kind, 4000, 0, 3);
    for (int64_t j = 0; j < 3; ++j) {
      EXPECT_NEAR(mean_of(drawn, j), mean_of(rows, j), 0.15 * std::sqrt(covariance_of(rows, j, j)));
      EXPECT_NEAR(covariance_of(drawn, j, j), covariance_of(rows, j, j), 0.15 * covariance_of(rows, j, j));
    }
    const double wanted = kind == NullKind::kMarginals ? 0 : covariance_of(rows, 0, 1);
    EXPECT_NEAR(covariance_of(drawn, 0, 1), wanted, 0.25);
  }
  const Matrix<double> box = draw_null(model, NullKind::kUniform, 4000, 0, 3);
  for (int64_t j = 0; j < 3; ++j) EXPECT_NEAR(mean_of(box, j), mean_of(rows, j), 1.0 * std::sqrt(covariance_of(rows, j, j)));
}

TEST(NullReference, DrawsAreOfSeedAndIndex) {
  const NullModel model = null_model(correlated(100));
  const auto drawn = draw_null(model, NullKind::kCopula, 50, 1, 2);
  EXPECT_EQ(drawn, draw_null(model, NullKind::kCopula, 50, 1, 2));
  EXPECT_NE(drawn, draw_null(model, NullKind::kCopula, 50, 1, 3));
  EXPECT_NE(drawn, draw_null(model, NullKind::kCopula, 50, 2, 2));
}

}  // namespace
}  // namespace sluice
