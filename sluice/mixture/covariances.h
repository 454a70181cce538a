// The small matrices of a mixture: covariances to the factors that the density needs, and back. Not for other use.
#pragma once
#include <string>
#include <vector>

#include "sluice/mixture/gmm.h"

namespace sluice::mixture {

// Rows and columns of covariances and precisions_cholesky.
struct Shape {
  int64_t rows = 0;
  int64_t cols = 0;
};
Shape shape_of(CovarianceType type, int64_t k, int64_t d);

// Factors beyond this are refused: the mixture would overflow at rows that are allowed.
inline constexpr double kMostFactor = 1e150;

// U with U U^T = inverse of the d x d matrix `covariance`, upper triangular; false when it is not positive definite. Cost O(d^3).
bool precision_factor(const double* covariance, int64_t d, double* upper);

// The same from the precision itself.
bool factor_of_precision(const double* precision, int64_t d, double* upper);

// Sets component c's precisions_cholesky from its covariance (tied: the only one); false when that is not positive definite.
bool set_factor(GmmModel& model, int64_t c);

// One component's covariance as d x d.
Matrix<double> covariance_matrix(const GmmModel& model, int64_t c);

// Component c's covariance becomes diagonal with these variances.
void set_diagonal(GmmModel& model, int64_t c, const std::vector<double>& variances);

}  // namespace sluice::mixture
