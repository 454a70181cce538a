// Eigenvalues and eigenvectors of a small symmetric matrix, and the products such matrices come from. For nulls on samples
// (null_reference.h). By Eigen with its cache sizes fixed, so that the order of its sums, and so the bits, do not depend on the CPU's
// caches.
#pragma once
#include <vector>

#include "sluice/core/matrix.h"

namespace sluice {

struct SymmetricEigen {
  std::vector<double> values;  // largest first
  Matrix<double> vectors;      // one a row, unit length, sign as it comes
};
SymmetricEigen symmetric_eigen(const Matrix<double>& symmetric);  // O(d^3)

Matrix<double> scaled_gram(const Matrix<double>& rows, double scale);  // scale * rows^T rows, d x d; O(n d^2 / 2)
Matrix<double> transposed(const Matrix<double>& rows);

}  // namespace sluice
