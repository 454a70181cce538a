#include "sluice/mixture/gmm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sluice/core/math.h"
#include "sluice/mixture/gmm_sklearn.h"
#include "sluice/mixture/testing.h"

namespace sluice {
namespace {

using testing::context;
using testing::groups;
using testing::source_of;

void near(const std::vector<double>& got, const std::vector<double>& wanted, double most, const char* what) {
  ASSERT_EQ(got.size(), wanted.size()) << what;
  double scale = 0;
  for (const double x : wanted) scale = std::max(scale, std::fabs(x));
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], wanted[i], most * (std::fabs(wanted[i]) + 1e-3 * scale)) << what << " " << i;
}

Matrix<double> shaped(const std::vector<double>& values, int64_t rows, int64_t cols) {
  Matrix<double> out(values.empty() ? 0 : rows, values.empty() ? 0 : cols);
  out.values = values;
  return out;
}

TEST(Gmm, EqualsScikitLearnFromEqualStarts) {
  const MemorySource rows = source_of(sklearn::kIris, sklearn::kIrisCols);
  const int64_t k = sklearn::kComponents, d = sklearn::kIrisCols;
  for (const auto& set : sklearn::kGmm) {
    SCOPED_TRACE(set.name);
    GmmParams params;
    params.n_components = k;
    params.covariance_type = set.type;
    params.tol = set.tol;
    params.reg_covar = set.reg_covar;
    params.max_iter = set.max_iter;
    GmmStart start{set.weights_init, shaped(set.means_init, k, d), {}};
    const auto numbers = static_cast<int64_t>(set.precisions_init.size());
    const int64_t cols = set.type == CovarianceType::kSpherical ? 1 : d;
    start.precisions = shaped(set.precisions_init, numbers / cols, cols);
    Context ctx = context(2);
    const GmmFit fit = gmm_fit(rows, params, start, ctx);
    near(fit.model.weights, set.weights, 1e-6, "weights");
    near(fit.model.means.values, set.means, 1e-6, "means");
    near(fit.model.covariances.values, set.covariances, 1e-6, "covariances");
    near(fit.model.precisions_cholesky.values, set.precisions_cholesky, 1e-6, "precisions_cholesky");
    near({fit.lower_bound, fit.log_likelihood}, {set.lower_bound, set.score}, 1e-8, "likelihood");
    EXPECT_EQ(fit.n_iter, set.n_iter);
    EXPECT_EQ(fit.converged, set.converged);
    EXPECT_EQ(fit.restarted, 0);
    near({fit.log_density.at(0), fit.log_density.at(0) + 10}, set.score_samples, 1e-6, "log density");
    EXPECT_TRUE(std::equal(set.labels.begin(), set.labels.end(), fit.labels.at(0)));
  }
}

TEST(Gmm, CriteriaAreThoseOfScikitLearn) {
  const MemorySource rows = source_of(sklearn::kIris, sklearn::kIrisCols);
  const auto& set = sklearn::kGmm.front();
  Context ctx = context();
  ctx.read_matrix = [&](const std::string& name) {
    if (name == "weights") return shaped(set.weights_init, 1, 3);
    return name == "means" ? shaped(set.means_init, 3, 4) : shaped(set.precisions_init, 12, 4);
  };
  GmmParams params;
  params.n_components = 3;
  params.weights_init = "weights", params.means_init = "means", params.precisions_init = "precisions";
  const Outcome out = gmm_run(rows, params, ctx);
  const auto& result = out.result.all();
  EXPECT_NEAR(std::stod(result.at("bic")), set.bic, 1e-6 * set.bic);
  EXPECT_NEAR(std::stod(result.at("aic")), set.aic, 1e-6 * set.aic);
  EXPECT_EQ(result.at("n_parameters"), "44");
  EXPECT_EQ(gmm_parameters(CovarianceType::kTied, 3, 4), 24);
  EXPECT_EQ(gmm_parameters(CovarianceType::kDiag, 3, 4), 26);
  EXPECT_EQ(gmm_parameters(CovarianceType::kSpherical, 3, 4), 17);
}

// Some steps from a given start against EM as one would write it down, rows with weights.
void check_plain_em(int64_t d) {
  const int64_t n = 300, k = 3;
  const std::vector<double> values = groups(n, d, k, 3, 5);
  std::vector<double> weights;
  for (int64_t i = 0; i < n; ++i) weights.push_back(0.5 * static_cast<double>(i % 4));
  MemorySource rows = source_of(values, d);
  rows.set_weights(weights);
  testing::PlainMixture plain{{0.2L, 0.3L, 0.5L}, {}, {}};
  GmmStart start{{0.2, 0.3, 0.5}, testing::some_rows(rows, k), Matrix<double>(k * d, d)};
  plain.means.assign(start.means.values.begin(), start.means.values.end());
  for (int64_t i = 0; i < k * d; ++i) start.precisions(i, i % d) = 0.25;
  for (int64_t i = 0; i < k * d * d; ++i) plain.covariances.push_back(i % (d * d) % (d + 1) == 0 ? 4 : 0);
  GmmParams params;
  params.n_components = k;
  params.tol = 0;
  params.max_iter = 4;
  Context ctx = context(2, 32);
  const GmmFit fit = gmm_fit(rows, params, start, ctx);
  for (int64_t step = 0; step < params.max_iter; ++step) plain_step(values, d, weights, params.reg_covar, plain);
  near(fit.model.weights, {plain.weights.begin(), plain.weights.end()}, 1e-10, "weights");
  near(fit.model.means.values, {plain.means.begin(), plain.means.end()}, 1e-10, "means");
  near(fit.model.covariances.values, {plain.covariances.begin(), plain.covariances.end()}, 1e-9, "covariances");
  const auto density = plain_step(values, d, weights, params.reg_covar, plain);
  long double sum = 0, weight = 0;
  for (size_t r = 0; r < density.size(); ++r) {
    EXPECT_NEAR(fit.log_density[static_cast<int64_t>(r)], static_cast<double>(density[r]), 1e-10);
    sum += weights[r] * density[r];
    weight += weights[r];
  }
  EXPECT_NEAR(fit.log_likelihood, static_cast<double>(sum / weight), 1e-11);
  EXPECT_DOUBLE_EQ(fit.weight, static_cast<double>(weight));
}

TEST(Gmm, EqualsPlainEm) {
  check_plain_em(3);
  check_plain_em(6);
}

TEST(Gmm, TheLikelihoodNeverFalls) {
  const MemorySource rows = source_of(groups(400, 3, 4, 2, 9), 3);
  for (const auto type : {CovarianceType::kFull, CovarianceType::kTied, CovarianceType::kDiag, CovarianceType::kSpherical}) {
    GmmParams params;
    params.n_components = 4;
    params.covariance_type = type;
    params.tol = 0;
    params.reg_covar = 0;
    double before = -INFINITY;
    for (params.max_iter = 1; params.max_iter <= 12; ++params.max_iter) {
      Context ctx = context();
      const GmmFit fit = gmm_fit(rows, params, {}, ctx);
      EXPECT_GE(fit.log_likelihood, before - 1e-12);
      EXPECT_GE(fit.log_likelihood, fit.lower_bound - 1e-12);
      before = fit.log_likelihood;
    }
  }
}

TEST(Gmm, EveryWayToStartFindsClearGroups) {
  const MemorySource rows = source_of(groups(600, 2, 3, 30, 4), 2);
  double best = -INFINITY;
  for (const auto init : {GmmInit::kKMeans, GmmInit::kPlusPlus, GmmInit::kRandomFromData, GmmInit::kRandom}) {
    GmmParams params;
    params.n_components = 3;
    params.init_params = init;
    params.n_init = 5;
    params.tol = 1e-6;
    params.max_iter = 500;
    Context ctx = context();
    const GmmFit fit = gmm_fit(rows, params, {}, ctx);
    EXPECT_TRUE(fit.converged);
    best = std::max(best, fit.log_likelihood);
    EXPECT_NEAR(fit.log_likelihood, best, 1e-3) << static_cast<int>(init);
  }
}

TEST(Gmm, MoreStartsAreNeverWorse) {
  const MemorySource rows = source_of(groups(300, 2, 6, 2, 12), 2);
  double before = -INFINITY;
  for (const int64_t starts : {1, 2, 4, 8}) {
    GmmParams params;
    params.n_components = 6;
    params.n_init = starts;
    params.init_params = GmmInit::kRandomFromData;
    Context ctx = context();
    const double bound = gmm_fit(rows, params, {}, ctx).lower_bound;
    EXPECT_GE(bound, before);
    before = bound;
  }
}

TEST(Gmm, AutoTakesTheLowestBic) {
  const MemorySource rows = source_of(groups(900, 2, 3, 20, 4), 2);
  GmmParams params;
  params.n_components = std::nullopt;
  params.max_components = 6;
  params.n_init = 3;
  Context ctx = context(2);
  const Outcome out = gmm_run(rows, params, ctx);
  EXPECT_EQ(out.centers.rows, 3);
  ASSERT_EQ(out.figures.size(), 1U);
  const Figure& figure = out.figures[0];
  ASSERT_EQ(figure.lines.size(), 2U);
  EXPECT_EQ(figure.lines[0].y.size(), 6U);
  EXPECT_EQ(figure.marked_x, 3);
  EXPECT_EQ(std::ranges::min_element(figure.lines[0].y) - figure.lines[0].y.begin(), 2);
  EXPECT_DOUBLE_EQ(figure.lines[0].y[2], std::stod(out.result.all().at("bic")));
  EXPECT_DOUBLE_EQ(figure.lines[1].y[2], std::stod(out.result.all().at("aic")));
}

TEST(Gmm, SamplesHaveTheMixturesMoments) {
  for (const auto type : {CovarianceType::kFull, CovarianceType::kTied, CovarianceType::kDiag, CovarianceType::kSpherical}) {
    const MemorySource rows = source_of(groups(2000, 3, 2, 4, 6), 3);
    GmmParams params;
    params.n_components = 2;
    params.covariance_type = type;
    Context ctx = context();
    const GmmFit fit = gmm_fit(rows, params, {}, ctx);
    const GmmSampler sampler = gmm_sampler(fit.model);
    const int64_t n = 60'000;
    const Matrix<double> drawn = gmm_sample(sampler, 3, 0, n);
    EXPECT_EQ(gmm_sample(sampler, 3, 7, 1).values, std::vector<double>(drawn.row(7), drawn.row(8)));
    EXPECT_NE(gmm_sample(sampler, 4, 7, 1).values, std::vector<double>(drawn.row(7), drawn.row(8)));
    // Fitted again from the true parameters, they come back.
    GmmParams again = params;
    again.tol = 1e-6;
    const GmmFit back = gmm_fit(source_of(drawn.values, 3), again, {{}, fit.model.means, {}}, ctx);
    near(back.model.weights, fit.model.weights, 0.05, "weights");
    for (size_t i = 0; i < fit.model.means.values.size(); ++i) EXPECT_NEAR(back.model.means.values[i], fit.model.means.values[i], 0.1);
    for (size_t i = 0; i < fit.model.covariances.values.size(); ++i)
      EXPECT_NEAR(back.model.covariances.values[i], fit.model.covariances.values[i], 0.1);
  }
}

TEST(Gmm, SamplesGoToAFileWithTheColumnsNames) {
  MemorySource rows = source_of(groups(100, 2, 2, 4, 6), 2);
  rows.names = {"width", "a,b"};
  GmmParams params;
  params.n_samples = 5000;
  Context ctx = context();
  const Outcome out = gmm_run(rows, params, ctx);
  ASSERT_EQ(out.files.size(), 1U);
  std::string text;
  out.files[0].write([&](std::string_view part) { text += part; });
  EXPECT_TRUE(text.starts_with("width,\"a,b\"\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5001);
}

TEST(Gmm, AModelDoesToNewRowsWhatTheFitDid) {
  for (const auto type : {CovarianceType::kFull, CovarianceType::kTied, CovarianceType::kDiag, CovarianceType::kSpherical}) {
    const MemorySource rows = source_of(groups(500, 3, 3, 2, 6), 3);
    GmmParams params;
    params.n_components = 3;
    params.covariance_type = type;
    params.probabilities = true;
    Context ctx = context();
    const Outcome fit = gmm_run(rows, params, ctx);
    Context other = context(2, 64);
    const Outcome again = gmm_apply(decode_model(encode_model(fit.model), "model"), rows, other);
    EXPECT_TRUE(std::equal(fit.labels->at(0), fit.labels->at(0) + 500, again.labels->at(0)));
    ASSERT_EQ(fit.arrays.size(), 2U);
    ASSERT_EQ(again.arrays.size(), 2U);
    for (size_t i = 0; i < 2; ++i) EXPECT_EQ(fit.arrays[i].values, again.arrays[i].values) << fit.arrays[i].name;
    EXPECT_EQ(fit.arrays[1].cols, 3);
    EXPECT_EQ(fit.covariances.size(), 3U);

    BlockBuffer buffer;
    const MatrixBlock block = rows.read(0, 500, buffer);
    std::vector<double> score(500), density(500), distance(500);
    again.score(block, score.data());
    gmm_log_density(gmm_load(fit.model), block, density.data());
    again.distances(block, again.labels->at(0), distance.data());
    const auto* written = reinterpret_cast<const double*>(fit.arrays[0].values.data());
    const auto* shares = reinterpret_cast<const double*>(fit.arrays[1].values.data());
    for (size_t r = 0; r < 500; ++r) {
      ASSERT_EQ(score[r], -written[r]);
      ASSERT_EQ(density[r], written[r]);
      const double* share = shares + 3 * r;
      EXPECT_NEAR(share[0] + share[1] + share[2], 1, 1e-14);
      EXPECT_EQ(std::max_element(share, share + 3) - share, (*fit.labels)[static_cast<int64_t>(r)]);
      EXPECT_GE(distance[r], 0);
    }
  }
}

// Of one component: its log density is the constant less half the squared distance.
TEST(Gmm, DistancesAreInStandardDeviations) {
  const MemorySource rows = source_of(groups(200, 3, 1, 2, 6), 3);
  GmmParams params;
  Context ctx = context();
  const Outcome out = gmm_run(rows, params, ctx);
  BlockBuffer buffer;
  std::vector<double> distance(200), score(200);
  out.distances(rows.read(0, 200, buffer), out.labels->at(0), distance.data());
  out.score(rows.read(0, 200, buffer), score.data());
  for (size_t r = 1; r < 200; ++r)
    EXPECT_NEAR(score[r] - score[0], (distance[r] * distance[r] - distance[0] * distance[0]) / 2, 1e-10 * (1 + score[r]));
}

}  // namespace
}  // namespace sluice
