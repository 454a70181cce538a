// Rows that leave PCA little or nothing to find, and what is refused.
#include <gtest/gtest.h>

#include <numeric>

#include "sluice/reduce/pca.h"
#include "sluice/reduce/testing.h"

namespace sluice {
namespace {

using testing::context;
using testing::sample;
using testing::source_of;
using testing::worst;

constexpr PcaSolver kBoth[] = {PcaSolver::kFull, PcaSolver::kRandomized};

PcaModel fitted(const Source& rows, const std::string& n_components = "all", PcaSolver solver = PcaSolver::kFull) {
  Context ctx = context();
  return pca_fit(rows, {.n_components = n_components, .svd_solver = solver}, ctx).model;
}

void expect_orthonormal(const Matrix<double>& rows) {
  for (int64_t a = 0; a < rows.rows; ++a) {
    for (int64_t b = 0; b <= a; ++b)
      EXPECT_NEAR(std::inner_product(rows.row(a), rows.row(a) + rows.cols, rows.row(b), 0.0), a == b ? 1 : 0, 1e-12);
  }
}

ErrorCode refused(const Source& rows, const PcaParams& params) {
  Context ctx = context();
  try {
    pca_fit(rows, params, ctx);
  } catch (const Error& error) {
    return error.code;
  }
  return ErrorCode::kBug;
}

TEST(PcaDegenerate, RowsThatDoNotVary) {
  for (const PcaSolver solver : kBoth) {
    for (const int64_t rows : {3, 10}) {
      const PcaModel model = fitted(source_of(std::vector<double>(static_cast<size_t>(rows * 4), 14.62), 4), "all", solver);
      EXPECT_EQ(model.components.rows, std::min<int64_t>(rows, 4));
      expect_orthonormal(model.components);
      for (const double variance : model.explained_variance) EXPECT_EQ(variance, 0);
      for (const double ratio : model.explained_variance_ratio) EXPECT_EQ(ratio, 0);
      EXPECT_EQ(model.mean, std::vector<double>(4, 14.62));
      EXPECT_EQ(model.noise_variance, 0);
    }
  }
}

TEST(PcaDegenerate, ConstantColumnsTakeNoPart) {
  std::vector<double> values = sample(60, 3);
  std::vector<double> wide;
  for (size_t i = 0; i < values.size(); i += 3) wide.insert(wide.end(), {values[i], 14.62, values[i + 1], -1e15, values[i + 2]});
  for (const PcaSolver solver : kBoth) {
    const PcaModel model = fitted(source_of(wide, 5), "all", solver);
    expect_orthonormal(model.components);
    for (int64_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(model.components(c, 1), 0, 1e-15);
      EXPECT_NEAR(model.components(c, 3), 0, 1e-15);
    }
    EXPECT_NEAR(model.explained_variance[4], 0, 1e-15);
    EXPECT_LT(
        worst({model.explained_variance.begin(), model.explained_variance.begin() + 3}, fitted(source_of(values, 3)).explained_variance),
        1e-12);
  }
}

TEST(PcaDegenerate, TwoRowsHaveOneDirection) {
  for (const PcaSolver solver : kBoth) {
    const PcaModel model = fitted(source_of({1, 2, 2, 4, 6, 2}, 3), "all", solver);
    ASSERT_EQ(model.components.rows, 2);
    expect_orthonormal(model.components);
    EXPECT_NEAR(model.components(0, 0), 0.6, 1e-15);
    EXPECT_NEAR(model.components(0, 1), 0.8, 1e-15);
    EXPECT_NEAR(model.explained_variance[0], 12.5, 1e-14);
    EXPECT_NEAR(model.explained_variance[1], 0, 1e-14);
    EXPECT_NEAR(model.explained_variance_ratio[0], 1, 1e-15);
  }
}

TEST(PcaDegenerate, OneColumn) {
  for (const PcaSolver solver : kBoth) {
    const PcaModel model = fitted(source_of({1, 2, 3, 6}, 1), "1", solver);
    EXPECT_NEAR(model.components(0, 0), 1, 1e-15);
    EXPECT_NEAR(model.explained_variance[0], 14.0 / 3, 1e-14);
    EXPECT_NEAR(model.explained_variance_ratio[0], 1, 1e-15);
  }
}

TEST(PcaDegenerate, AllComponentsOfWideRows) {
  const std::vector<double> values = sample(8, 25, 0.5);
  for (const PcaSolver solver : kBoth) {
    const MemorySource rows = source_of(values, 25);
    const PcaModel model = fitted(rows, "8", solver);
    ASSERT_EQ(model.components.rows, 8);
    expect_orthonormal(model.components);
    EXPECT_LT(model.explained_variance[7], 1e-12 * model.explained_variance[0]);
    EXPECT_TRUE(std::is_sorted(model.explained_variance.rbegin(), model.explained_variance.rend()));
    Matrix<double> inside(8, 8);
    BlockBuffer buffer;
    pca_transform(model, rows.read(0, 8, buffer), inside.values.data());
    EXPECT_LT(worst(pca_inverse_transform(model, inside).values, values), 1e-12);
  }
}

TEST(PcaDegenerate, DuplicatesAndCopiedColumns) {
  const std::vector<double> few = sample(6, 4);
  std::vector<double> copied;
  for (int copy = 0; copy < 5; ++copy) {
    for (size_t i = 0; i < few.size(); i += 4) {
      copied.insert(copied.end(), few.begin() + static_cast<int64_t>(i), few.begin() + static_cast<int64_t>(i + 4));
      copied.push_back(few[i]);
    }
  }
  for (const PcaSolver solver : kBoth) {
    const PcaModel model = fitted(source_of(copied, 5), "all", solver);
    expect_orthonormal(model.components);
    EXPECT_NEAR(model.explained_variance[4], 0, 1e-13);
  }
}

TEST(PcaDegenerate, WhiteningADirectionWithoutVarianceStaysFinite) {
  const MemorySource rows = source_of({1, 2, 3, 2, 4, 3, 5, 10, 3}, 3);
  Context ctx = context();
  const PcaModel model = pca_fit(rows, {.whiten = true}, ctx).model;
  std::vector<double> out(9);
  BlockBuffer buffer;
  pca_transform(model, rows.read(0, 3, buffer), out.data());
  for (const double x : out) EXPECT_TRUE(std::isfinite(x));
}

TEST(PcaDegenerate, HugeAndTinyUnits) {
  for (const double unit : {1e140, 1e-140}) {
    std::vector<double> values = sample(50, 3);
    const PcaModel plain = fitted(source_of(values, 3));
    for (double& x : values) x *= unit;
    for (const PcaSolver solver : kBoth) {
      const PcaModel model = fitted(source_of(values, 3), "all", solver);
      EXPECT_LT(worst(model.components.values, plain.components.values), 1e-9);
      EXPECT_LT(worst(model.explained_variance_ratio, plain.explained_variance_ratio), 1e-12);
      EXPECT_NEAR(model.explained_variance[2] / unit / unit, plain.explained_variance[2], 1e-12);
    }
  }
}

TEST(PcaDegenerate, WhatIsRefused) {
  const MemorySource rows = source_of(sample(5, 3), 3);
  EXPECT_EQ(refused(rows, {.n_components = "4"}), ErrorCode::kBadInput);
  EXPECT_EQ(refused(source_of(sample(2, 3), 3), {.n_components = "3"}), ErrorCode::kBadInput);
  EXPECT_EQ(refused(source_of(sample(2, 3), 3), {.n_components = "mle"}), ErrorCode::kBadInput);
  EXPECT_EQ(refused(source_of({1, 2}, 2), {}), ErrorCode::kBadInput);
  EXPECT_EQ(refused(source_of({1, 2, NAN, 4}, 2), {}), ErrorCode::kBadInput);
  EXPECT_EQ(refused(source_of({1, 2, INFINITY, 4}, 2), {}), ErrorCode::kBadInput);
  EXPECT_EQ(refused(rows, {.n_components = "0.5", .svd_solver = PcaSolver::kRandomized}), ErrorCode::kUsage);
  EXPECT_EQ(refused(rows, {.n_components = "mle", .svd_solver = PcaSolver::kRandomized}), ErrorCode::kUsage);
  MemorySource light = source_of(sample(3, 2), 2);
  light.set_weights({0.2, 0.3, 0.5});
  EXPECT_EQ(refused(light, {}), ErrorCode::kBadInput);
}

}  // namespace
}  // namespace sluice
