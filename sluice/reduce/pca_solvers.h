// The three ways to the leading directions of variance. Inside of pca.h; not for other use.
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/matrix.h"
#include "sluice/core/source.h"

namespace sluice::detail {

struct Spectrum {
  std::vector<double> variances;  // falling: of all min(n, d) directions, or of those a randomised solver was asked for
  Matrix<double> directions;      // the first of them, one a row, orthonormal; signs are arbitrary
  double total = 0;               // the variance of all columns
  double weight = 0;              // rows, or the sum of their weights
};

// How many directions are wanted, once all variances are known.
using HowMany = std::function<int64_t(std::span<const double> variances, double total, double weight)>;

// From the d x d cross products. n >= d.
Spectrum covariance_spectrum(const Source& rows, const std::vector<double>& center, const HowMany& how_many, Context& ctx);

// From the n x n cross products of the rows. n < d. The rows are loaded on every rank.
Spectrum gram_spectrum(const Source& rows, const std::vector<double>& center, const HowMany& how_many, Context& ctx);

// `wanted` directions by a random subspace of `width` >= wanted directions, refined `power` times.
Spectrum randomized_spectrum(const Source& rows, const std::vector<double>& center, int64_t wanted, int64_t width, int64_t power,
                             Context& ctx);

// a (n x n, symmetric) -> eigenvalues, falling, none below 0; row i of a is the eigenvector of value i. Error{kNumerical} if there is no
// answer.
std::vector<double> falling_eigen(Matrix<double>& a);

// Takes the earlier rows' directions out of row i, twice; returns the length left (Giraud, Langou and Rozloznik 2005).
double make_orthogonal(Matrix<double>& rows, int64_t i);

// scikit-learn's svd_flip: the largest entry of a row becomes positive, of equal ones the first.
void fix_signs(Matrix<double>& components);

// Rows first to last, which hold nothing of use, become unit vectors at right angles to all before them.
void complete_basis(Matrix<double>& rows, int64_t first);

// weight - 1, or Error{kBadInput} when the rows weigh no more than one.
double degrees_of_freedom(double weight);

}  // namespace sluice::detail
