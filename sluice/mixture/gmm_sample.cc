#include <algorithm>
#include <cmath>

#include "sluice/core/random.h"
#include "sluice/linalg/linalg.h"
#include "sluice/mixture/covariances.h"
#include "sluice/mixture/gmm.h"

namespace sluice {

GmmSampler gmm_sampler(const GmmModel& model) {
  const int64_t k = model.means.rows, d = model.means.cols;
  const bool dense = model.covariance_type == CovarianceType::kFull || model.covariance_type == CovarianceType::kTied;
  GmmSampler out{model.means, {}, {}};
  double sum = 0;
  for (const double weight : model.weights) out.cumulative.push_back(sum += weight);
  for (int64_t c = 0; c < (model.covariance_type == CovarianceType::kTied ? 1 : k); ++c) {
    if (dense) {
      Matrix<double> root = mixture::covariance_matrix(model, c);
      if (linalg::cholesky(root.values.data(), d) != 0) {
        fail(ErrorCode::kNumerical, "samples", "the covariance of component " + to_text(c) + " is not positive definite",
             "fit again with a larger --reg-covar");
      }
      out.roots.push_back(std::move(root));
    } else {
      Matrix<double> root(1, d);
      for (int64_t j = 0; j < d; ++j) root(0, j) = std::sqrt(model.covariances(c, model.covariances.cols == 1 ? 0 : j));
      out.roots.push_back(std::move(root));
    }
  }
  return out;
}

Matrix<double> gmm_sample(const GmmSampler& sampler, uint64_t seed, int64_t first, int64_t count) {
  const int64_t k = sampler.means.rows, d = sampler.means.cols;
  Matrix<double> out(count, d);
  std::vector<double> normal(static_cast<size_t>(d));
  for (int64_t i = 0; i < count; ++i) {
    Random random(seed, RandomStage::kMixtureSample, static_cast<uint64_t>(first + i));
    const double u = random.uniform() * sampler.cumulative.back();
    const auto above = std::upper_bound(sampler.cumulative.begin(), sampler.cumulative.end(), u);
    const int64_t c = std::min<int64_t>(k - 1, above - sampler.cumulative.begin());
    for (double& x : normal) x = random.normal();
    const Matrix<double>& root = sampler.roots[sampler.roots.size() == 1 ? 0 : static_cast<size_t>(c)];
    double* row = out.row(i);
    std::copy_n(sampler.means.row(c), d, row);
    for (int64_t j = 0; j < d; ++j) {
      if (root.rows == 1 && d > 1) {
        row[j] = std::fma(root(0, j), normal[static_cast<size_t>(j)], row[j]);
        continue;
      }
      for (int64_t to = j; to < d; ++to) row[to] = std::fma(root(j, to), normal[static_cast<size_t>(j)], row[to]);
    }
  }
  return out;
}

}  // namespace sluice
