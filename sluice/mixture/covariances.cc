#include "sluice/mixture/covariances.h"

#include <algorithm>
#include <cmath>

#include "sluice/core/math.h"
#include "sluice/linalg/linalg.h"

namespace sluice::mixture {
namespace {

// to = inverse of the upper triangular r (d x d, below its diagonal anything); zero below the diagonal.
void invert_upper(const double* r, int64_t d, double* to) {
  std::fill_n(to, d * d, 0.0);
  for (int64_t i = d - 1; i >= 0; --i) {
    double* row = to + i * d;
    for (int64_t m = i + 1; m < d; ++m) {
      const double left = r[i * d + m];
      const double* other = to + m * d;
      for (int64_t j = m; j < d; ++j) row[j] += left * other[j];
    }
    const double scale = 1 / r[i * d + i];
    for (int64_t j = i + 1; j < d; ++j) row[j] *= -scale;
    row[i] = scale;
  }
}

// Finite, and with room left for products with rows, whose squares do not overflow.
bool all_usable(const double* values, int64_t count) {
  return std::all_of(values, values + count, [](double x) { return std::fabs(x) <= kMostFactor; });
}

// The inverse standard deviation; a variance so small that it has none is refused.
bool inverse_root(double variance, double* to) {
  *to = 1 / std::sqrt(variance);
  return variance > 0 && *to <= kMostFactor && *to > 0;
}

}  // namespace

Shape shape_of(CovarianceType type, int64_t k, int64_t d) {
  switch (type) {
    case CovarianceType::kFull:
      return {k * d, d};
    case CovarianceType::kTied:
      return {d, d};
    case CovarianceType::kDiag:
      return {k, d};
    default:
      return {k, 1};
  }
}

bool precision_factor(const double* covariance, int64_t d, double* upper) {
  std::vector<double> root(covariance, covariance + d * d);
  if (linalg::cholesky(root.data(), d) != 0) return false;
  invert_upper(root.data(), d, upper);
  return all_usable(upper, d * d);
}

bool factor_of_precision(const double* precision, int64_t d, double* upper) {
  // Turned by 180 degrees, the lower factor of P becomes an upper one.
  std::vector<double> turned(static_cast<size_t>(d * d));
  std::reverse_copy(precision, precision + d * d, turned.begin());
  if (linalg::cholesky(turned.data(), d) != 0) return false;
  for (int64_t i = 0; i < d; ++i) {
    for (int64_t j = 0; j < d; ++j) upper[i * d + j] = j < i ? 0 : turned[static_cast<size_t>((d - 1 - j) * d + (d - 1 - i))];
  }
  return true;
}

bool set_factor(GmmModel& model, int64_t c) {
  const int64_t d = model.means.cols;
  Matrix<double>& to = model.precisions_cholesky;
  switch (model.covariance_type) {
    case CovarianceType::kFull:
      return precision_factor(model.covariances.row(c * d), d, to.row(c * d));
    case CovarianceType::kTied:
      return precision_factor(model.covariances.row(0), d, to.row(0));
    default: {
      bool good = true;
      for (int64_t j = 0; j < to.cols; ++j) good &= inverse_root(model.covariances(c, j), &to(c, j));
      return good;
    }
  }
}

Matrix<double> covariance_matrix(const GmmModel& model, int64_t c) {
  const int64_t d = model.means.cols;
  Matrix<double> out(d, d);
  for (int64_t i = 0; i < d; ++i) {
    if (model.covariance_type == CovarianceType::kFull || model.covariance_type == CovarianceType::kTied) {
      const int64_t row = model.covariance_type == CovarianceType::kFull ? c * d + i : i;
      std::copy_n(model.covariances.row(row), d, out.row(i));
    } else {
      out(i, i) = model.covariances(c, model.covariances.cols == 1 ? 0 : i);
    }
  }
  return out;
}

void set_diagonal(GmmModel& model, int64_t c, const std::vector<double>& variances) {
  const auto d = static_cast<int64_t>(variances.size());
  switch (model.covariance_type) {
    case CovarianceType::kFull:
      std::fill_n(model.covariances.row(c * d), d * d, 0.0);
      for (int64_t j = 0; j < d; ++j) model.covariances(c * d + j, j) = variances[static_cast<size_t>(j)];
      return;
    case CovarianceType::kTied:
      return;  // shared with the others
    case CovarianceType::kDiag:
      std::copy(variances.begin(), variances.end(), model.covariances.row(c));
      return;
    default: {
      double sum = 0;
      for (const double variance : variances) sum += variance;
      model.covariances(c, 0) = sum / static_cast<double>(d);
    }
  }
}

}  // namespace sluice::mixture

namespace sluice {

int64_t gmm_parameters(CovarianceType type, int64_t k, int64_t d) {
  const int64_t triangle = d * (d + 1) / 2;
  const int64_t shape = type == CovarianceType::kFull   ? k * triangle
                        : type == CovarianceType::kTied ? triangle
                        : type == CovarianceType::kDiag ? k * d
                                                        : k;
  return shape + k * d + k - 1;
}

kernels::GaussianPlan gmm_plan(const GmmModel& model) {
  static constexpr double kLog2Pi = 1.83787706640934548356;
  const int64_t k = model.means.rows, d = model.means.cols;
  const bool dense = model.covariance_type == CovarianceType::kFull || model.covariance_type == CovarianceType::kTied;
  const bool shared = model.covariance_type == CovarianceType::kTied;
  kernels::GaussianPlan plan;
  plan.components = k;
  plan.cols = d;
  plan.diagonal = !dense;
  plan.shared = shared;
  plan.means = model.means.values;
  plan.factor_size = dense ? kernels::packed_factor_size(d) : d;
  plan.factors.resize(static_cast<size_t>((shared ? 1 : k) * plan.factor_size));
  double log_det = 0;
  for (int64_t c = 0; c < k; ++c) {
    if (!shared || c == 0) {
      double* to = plan.factors.data() + c * plan.factor_size;
      const Matrix<double>& factors = model.precisions_cholesky;
      const int64_t first = model.covariance_type == CovarianceType::kFull ? c * d : 0;
      log_det = 0;
      if (dense) kernels::pack_factor(factors.row(first), d, to);
      for (int64_t j = 0; j < d; ++j) {
        const double one = dense ? factors(first + j, j) : factors(c, factors.cols == 1 ? 0 : j);
        if (!dense) to[j] = one;
        log_det += log64(one);
      }
    }
    const double log_weight = std::max(log64(model.weights[static_cast<size_t>(c)]), kernels::kLeastLog);
    plan.constants.push_back(log_weight + (log_det - 0.5 * static_cast<double>(d) * kLog2Pi));
  }
  return plan;
}

}  // namespace sluice
