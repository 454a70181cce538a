// Data without clusters that is otherwise like given data: what a claim of structure is tested against. For choose_k.h and the decision of
// a pipeline; not a generator of realistic rows.
//
// Four nulls, each keeping something that is not cluster structure:
//   uniform    uniform in the box of the principal axes (Tibshirani, Walther and Hastie 2001, choice b)
//   gaussian   a Gaussian with the data's means and covariance
//   marginals  independent columns, each with the data's own distribution smoothed to one mode
//   copula     the same columns, with the rank correlations of the data (a Gaussian copula, Nelsen 2006)
//
// "Smoothed to one mode": the distribution function that is convex below a mode and concave above it (greatest convex minorant, least
// concave majorant, Grenander 1956), with the mode that stays nearest to the data's (as in the dip, Hartigan and Hartigan 1985). It keeps
// skew, tails and bounds as they are, which a kernel wide enough to leave one mode does not. A column whose values lie on a coarse lattice
// (counts, tenths) gets draws on that lattice.
//
// Determinism: fixed order of arithmetic; draws are counter-based by (seed, index). Same bits everywhere.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sluice/core/matrix.h"

namespace sluice {

enum class NullKind { kUniform, kGaussian, kMarginals, kCopula };
inline constexpr int kNullKinds = 4;
const char* name_of(NullKind kind);

// A column's distribution with one mode: the quantile function by linear pieces.
struct Unimodal {
  std::vector<double> value;  // ascending
  std::vector<double> at;     // the distribution function there, from 0 to 1
  double step = 0;            // of the lattice the values lie on; 0: none
  double origin = 0;          // a point of the lattice
  double quantile(double p) const;
};

// Fits one column. Cost O(n log n). `values` must hold at least one, all finite.
Unimodal unimodal_of(std::vector<double> values);

struct NullModel {
  std::vector<double> mean;
  Matrix<double> axes;            // one principal axis a row
  std::vector<double> deviation;  // along each axis
  std::vector<double> low, high;  // the rows' extent along each axis, from the mean
  std::vector<Unimodal> columns;
  Matrix<double> factor;  // factor * standard normals have the normal-score correlations; d x d
};

// rows: n x d. Cost O(n d^2 + d^3 + d n log n): for samples, not for all rows (at most a few hundred columns, see reduced_columns). Memory
// 3 d^2 values.
NullModel null_model(const Matrix<double>& rows);

// n rows of a null. Draws of different `index` are independent. Cost O(n d^2), marginals O(n d log n).
Matrix<double> draw_null(const NullModel& model, NullKind kind, int64_t n, uint64_t seed, uint64_t index);

// Principal axes of centred rows (n x d), one a row, and the variance along each, largest first; at most min(n, d, most) of them.
// By the covariance, or for d > n by the n x n Gram matrix. A sign is fixed: the entry of largest size is positive.
struct PrincipalAxes {
  std::vector<double> mean;
  Matrix<double> axes;
  std::vector<double> variance;
};
PrincipalAxes principal_axes(const Matrix<double>& rows, int64_t most);

// The rows' coordinates along their first `most` principal axes, when they have more columns than that; else the rows.
Matrix<double> reduced_columns(const Matrix<double>& rows, int64_t most);

}  // namespace sluice
