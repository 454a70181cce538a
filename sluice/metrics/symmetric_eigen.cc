#include "sluice/metrics/symmetric_eigen.h"

#include <Eigen/Eigenvalues>
#include <algorithm>

#include "sluice/core/error.h"
#include "sluice/kernels/syrk.h"

namespace sluice {
namespace {

// Eigen cuts its products by the sizes of the caches it finds; a sum cut elsewhere has other bits.
void fix_blocking() {
  [[maybe_unused]] static const bool done = [] {
    Eigen::setCpuCacheSizes(32 << 10, 256 << 10, 8 << 20);
    return true;
  }();
}

}  // namespace

SymmetricEigen symmetric_eigen(const Matrix<double>& symmetric) {
  fix_blocking();
  const int64_t d = symmetric.rows;
  const Eigen::Map<const Eigen::MatrixXd> view(symmetric.values.data(), d, d);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(view);
  if (solver.info() != Eigen::Success)
    fail(ErrorCode::kNumerical, "covariance", "its eigenvalues were not found", "scale the columns to a common size");
  SymmetricEigen out;
  out.vectors = Matrix<double>(d, d);
  for (int64_t a = 0; a < d; ++a) {
    out.values.push_back(solver.eigenvalues()[d - 1 - a]);
    for (int64_t j = 0; j < d; ++j) out.vectors(a, j) = solver.eigenvectors()(j, d - 1 - a);
  }
  return out;
}

Matrix<double> scaled_gram(const Matrix<double>& rows, double scale) {
  const int64_t d = rows.cols;
  Matrix<double> out(d, d);
  const std::vector<double> zero(static_cast<size_t>(d));
  kernels::SyrkScratch scratch;
  kernels::syrk_add({rows.values.data(), true, rows.rows, d, d}, zero.data(), out.values.data(), scratch);
  for (int64_t i = 0; i < d; ++i) {
    for (int64_t j = i; j < d; ++j) out(j, i) = out(i, j) *= scale;
  }
  return out;
}

Matrix<double> transposed(const Matrix<double>& rows) {
  Matrix<double> out(rows.cols, rows.rows);
  for (int64_t i = 0; i < rows.rows; ++i) {
    for (int64_t j = 0; j < rows.cols; ++j) out(j, i) = rows(i, j);
  }
  return out;
}

}  // namespace sluice
