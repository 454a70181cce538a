// Mixtures of rows that leave no room for one: few, equal, constant, far away, or in a plane.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sluice/mixture/gmm.h"
#include "sluice/mixture/testing.h"

namespace sluice {
namespace {

using testing::context;
using testing::groups;
using testing::source_of;

const CovarianceType kTypes[] = {CovarianceType::kFull, CovarianceType::kTied, CovarianceType::kDiag, CovarianceType::kSpherical};

GmmParams params_of(int64_t k, CovarianceType type = CovarianceType::kFull) {
  GmmParams params;
  params.n_components = k;
  params.covariance_type = type;
  return params;
}

GmmFit sound_fit(const Source& rows, const GmmParams& params, const GmmStart& start = {}) {
  Context ctx = context(2);
  GmmFit fit = gmm_fit(rows, params, start, ctx);
  double sum = 0;
  for (const double weight : fit.model.weights) sum += weight;
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_TRUE(std::isfinite(fit.log_likelihood));
  EXPECT_NO_THROW(gmm_load(decode_model(encode_model(gmm_save(fit.model)), "model")));
  for (int64_t r = 0; r < rows.rows(); ++r) EXPECT_TRUE(std::isfinite(fit.log_density[r]));
  return fit;
}

TEST(GmmDegenerate, TwoRowsFarApart) {
  const MemorySource rows = source_of({9999, 0}, 1);
  for (const CovarianceType type : kTypes) {
    const GmmFit fit = sound_fit(rows, params_of(2, type));
    std::vector<double> means = fit.model.means.values;
    std::sort(means.begin(), means.end());
    EXPECT_EQ(means, (std::vector<double>{0, 9999}));
    for (const double variance : fit.model.covariances.values) EXPECT_DOUBLE_EQ(variance, 1e-6);
    EXPECT_NE(fit.labels[0], fit.labels[1]);
  }
}

TEST(GmmDegenerate, EqualRows) {
  const MemorySource rows = source_of(std::vector<double>(60, 0.1), 2);
  for (const CovarianceType type : kTypes) {
    for (const int64_t k : {1, 2, 5, 30}) {
      const GmmFit fit = sound_fit(rows, params_of(k, type));
      EXPECT_TRUE(fit.converged);
      for (const double mean : fit.model.means.values) EXPECT_NEAR(mean, 0.1, 1e-12);
    }
  }
}

TEST(GmmDegenerate, MoreComponentsThanDifferentRows) {
  std::vector<double> values;
  for (int i = 0; i < 30; ++i) values.push_back(i % 3), values.push_back(5.0 * (i % 3));
  const MemorySource rows = source_of(values, 2);
  for (const CovarianceType type : kTypes) {
    const GmmFit fit = sound_fit(rows, params_of(7, type));
    EXPECT_NE(fit.labels[0], fit.labels[1]);
    EXPECT_NE(fit.labels[1], fit.labels[2]);
    EXPECT_GT(fit.restarted, 0);
  }
}

TEST(GmmDegenerate, ConstantColumns) {
  std::vector<double> values = groups(200, 2, 2, 10, 3);
  for (int64_t r = 0; r < 200; ++r) values.insert(values.begin() + 3 * r + 1, 1e8 + 0.1);
  const MemorySource rows = source_of(values, 3);
  for (const CovarianceType type : kTypes) {
    const GmmFit fit = sound_fit(rows, params_of(2, type));
    EXPECT_EQ(fit.model.means(0, 1), 1e8 + 0.1);
    if (type == CovarianceType::kDiag || type == CovarianceType::kFull) {
      EXPECT_DOUBLE_EQ(fit.model.covariances(type == CovarianceType::kFull ? 1 : 0, 1), 1e-6);
    }
  }
  Context ctx = context();
  GmmParams none = params_of(2);
  none.reg_covar = 0;
  try {
    gmm_fit(rows, none, {}, ctx);
    ADD_FAILURE() << "a constant column has no density";
  } catch (const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kNumerical);
    EXPECT_EQ(error.where, "column c1");
  }
}

// Nothing is lost far from the origin: all values are multiples of 2^-20, so moving them by 2^27 is exact.
TEST(GmmDegenerate, FarFromTheOrigin) {
  std::vector<double> values = groups(300, 3, 3, 4, 8);
  for (double& x : values) x = std::round(x * 0x1p20) * 0x1p-20;
  std::vector<double> moved = values;
  for (double& x : moved) x += 0x1p27;
  const MemorySource rows = source_of(values, 3), far = source_of(moved, 3);
  const Matrix<double> means = testing::some_rows(rows, 3), far_means = testing::some_rows(far, 3);
  for (const CovarianceType type : kTypes) {
    const GmmFit a = sound_fit(rows, params_of(3, type), {{}, means, {}});
    const GmmFit b = sound_fit(far, params_of(3, type), {{}, far_means, {}});
    EXPECT_EQ(a.n_iter, b.n_iter);
    EXPECT_NEAR(a.log_likelihood, b.log_likelihood, 1e-6);
    for (size_t i = 0; i < a.model.covariances.values.size(); ++i)
      EXPECT_NEAR(a.model.covariances.values[i], b.model.covariances.values[i], 1e-6);
  }
}

// The first means lie so far away that second moments about them would lose all digits of the variance.
TEST(GmmDegenerate, MeansGivenFarFromTheRows) {
  const MemorySource rows = source_of(groups(300, 2, 1, 4, 8), 2);
  for (const CovarianceType type : kTypes) {
    Matrix<double> far(1, 2, 1e9);
    const GmmFit fit = sound_fit(rows, params_of(1, type), {{}, far, {}});
    const GmmFit plain = sound_fit(rows, params_of(1, type));
    for (size_t i = 0; i < fit.model.covariances.values.size(); ++i)
      EXPECT_NEAR(fit.model.covariances.values[i], plain.model.covariances.values[i], 1e-9);
  }
}

// A component that claims no row begins again at the row that is explained worst, and the fit ends as good as another.
TEST(GmmDegenerate, AnEmptyComponentBeginsAgain) {
  const MemorySource rows = source_of(groups(400, 2, 2, 30, 4), 2);
  GmmStart start{{0.5, 0.5}, Matrix<double>(2, 2), Matrix<double>(2, 2, 1.0)};
  const auto row = read_row(rows, 0);
  std::copy(row.begin(), row.end(), start.means.row(0));
  start.means(1, 0) = start.means(1, 1) = 1e6;
  const GmmFit fit = sound_fit(rows, params_of(2, CovarianceType::kDiag), start);
  EXPECT_EQ(fit.restarted, 1);
  EXPECT_TRUE(fit.converged);
  EXPECT_NEAR(fit.log_likelihood, sound_fit(rows, params_of(2, CovarianceType::kDiag)).log_likelihood, 1e-2);
  Context ctx = context();
  ctx.read_matrix = [&](const std::string& name) {
    if (name == "w") return Matrix<double>(1, 2, 0.5);
    return name == "m" ? start.means : start.precisions;
  };
  GmmParams named = params_of(2, CovarianceType::kDiag);
  named.weights_init = "w", named.means_init = "m", named.precisions_init = "p";
  const Outcome out = gmm_run(rows, named, ctx);
  EXPECT_EQ(out.result.all().at("n_restarted"), "1");
  EXPECT_TRUE(std::ranges::any_of(out.notes, [](const std::string& note) { return note.find("began again") != std::string::npos; }));
}

// Rows in a plane have no density of full rank: without a ridge that is said, with one, absolute or relative, there is a fit.
TEST(GmmDegenerate, RowsInAPlane) {
  std::vector<double> values;
  for (int64_t i = 0; i < 100; ++i) {
    const auto x = static_cast<double>(i);
    values.insert(values.end(), {x, 2 * x, -x});
  }
  const MemorySource rows = source_of(values, 3);
  for (const CovarianceType type : {CovarianceType::kFull, CovarianceType::kTied}) {
    GmmParams params = params_of(2, type);
    params.reg_covar = 0;
    Context ctx = context();
    try {
      gmm_fit(rows, params, {}, ctx);
      ADD_FAILURE() << "a plane has no density";
    } catch (const Error& error) {
      EXPECT_EQ(error.code, ErrorCode::kNumerical);
      EXPECT_NE(error.remedy.find("--reg-covar"), std::string::npos);
    }
    params.reg_covar_relative = 1e-6;
    sound_fit(rows, params);
    params.reg_covar_relative = 0;
    params.reg_covar = 1e-3;
    sound_fit(rows, params);
  }
}

// A row so far out that one normal over all of them is a line: two have an answer, so auto has, and of several starts one suffices.
TEST(GmmDegenerate, AutoPassesOverNumbersThatHaveNoAnswer) {
  std::vector<double> values = groups(40, 2, 1, 1, 3);
  values.insert(values.end(), {1e10, -1e10});
  const MemorySource rows = source_of(values, 2);
  Context ctx = context();
  EXPECT_THROW(gmm_fit(rows, params_of(1), {}, ctx), Error);
  GmmParams params = params_of(1);
  params.n_components = std::nullopt;
  params.max_components = 3;
  const GmmFit fit = sound_fit(rows, params);
  ASSERT_EQ(fit.bics.size(), 3U);
  EXPECT_EQ(fit.bics[0], INFINITY);
  EXPECT_TRUE(std::isfinite(fit.bics[1]));
  EXPECT_EQ(fit.cluster_sizes.back() == 1 || fit.cluster_sizes.front() == 1, true);
  const Outcome out = gmm_run(rows, params, ctx);
  EXPECT_LT(out.figures.at(0).lines[0].y.size(), 3U);
  EXPECT_TRUE(
      std::ranges::any_of(out.notes, [](const std::string& note) { return note.find("singular at every start") != std::string::npos; }));
  params.max_components = 1;
  EXPECT_THROW(gmm_fit(rows, params, {}, ctx), Error);
}

TEST(GmmDegenerate, HugeAndTinyValues) {
  for (const CovarianceType type : kTypes) {
    GmmParams params = params_of(2, type);
    params.reg_covar = 0;
    params.reg_covar_relative = 1e-6;
    const GmmFit plain = sound_fit(source_of(groups(100, 2, 2, 10, 3), 2), params);
    for (const double scale : {0x1p498, 0x1p126, 0x1p-100, 0x1p-465}) {
      std::vector<double> values = groups(100, 2, 2, 10, 3);
      for (double& x : values) x *= scale;
      const GmmFit fit = sound_fit(source_of(values, 2), params);
      for (size_t c = 0; c < 2; ++c) EXPECT_NEAR(fit.model.weights[c], plain.model.weights[c], 1e-9);
    }
  }
}

TEST(GmmDegenerate, RefusesWhatHasNoAnswer) {
  Context ctx = context();
  EXPECT_THROW(gmm_fit(source_of({1, 2, 3}, 1), params_of(4), {}, ctx), Error);
  EXPECT_THROW(gmm_fit(source_of({1, NAN, 3}, 1), params_of(1), {}, ctx), Error);
  EXPECT_THROW(gmm_fit(source_of({}, 2), params_of(1), {}, ctx), Error);
  const MemorySource rows = source_of(groups(50, 2, 2, 3, 1), 2);
  const Matrix<double> means(2, 2, 1.0);
  EXPECT_THROW(gmm_fit(rows, params_of(2), {{0.5, 0.6}, means, {}}, ctx), Error);
  EXPECT_THROW(gmm_fit(rows, params_of(2), {{1}, means, {}}, ctx), Error);
  EXPECT_THROW(gmm_fit(rows, params_of(3), {{}, means, {}}, ctx), Error);
  EXPECT_THROW(gmm_fit(rows, params_of(2), {{}, Matrix<double>(2, 3), {}}, ctx), Error);
  EXPECT_THROW(gmm_fit(rows, params_of(2), {{}, {}, Matrix<double>(4, 2, 1.0)}, ctx), Error);  // singular
  EXPECT_THROW(gmm_fit(rows, params_of(2, CovarianceType::kDiag), {{}, {}, Matrix<double>(2, 2, -1.0)}, ctx), Error);
  GmmParams automatic = params_of(2);
  automatic.n_components.reset();
  EXPECT_THROW(gmm_fit(rows, automatic, {{}, means, {}}, ctx), Error);
  Context small = context();
  small.memory = 64'000'000;
  std::vector<double> wide(2000 * 20, 0.0);
  for (size_t i = 0; i < wide.size(); ++i) wide[i] = static_cast<double>(i * i % 977);
  try {
    gmm_fit(source_of(wide, 2000), params_of(10), {}, small);
    ADD_FAILURE() << "10 matrices of 2000 x 2000 do not fit";
  } catch (const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kMemory);
  }
}

TEST(GmmDegenerate, OneRow) {
  for (const CovarianceType type : kTypes) {
    const GmmFit fit = sound_fit(source_of({3, 4}, 2), params_of(1, type));
    EXPECT_EQ(fit.model.means.values, (std::vector<double>{3, 4}));
  }
}

}  // namespace
}  // namespace sluice
