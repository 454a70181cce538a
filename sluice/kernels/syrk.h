// Upper triangle of the centred cross-product matrix of a block of rows: the heart of covariance, PCA and Gaussian mixtures.
// Use for one leaf at a time; leaf totals are added exactly elsewhere. For n < d pass the transposed block. Not for x^T y of two sets.
#pragma once
#include "sluice/kernels/aligned.h"
#include "sluice/kernels/rows.h"

namespace sluice::kernels {

// Working memory of one thread, 128 (d + 24) doubles, twice that with weights; grows at need.
struct SyrkScratch {
  AlignedBuffer<double> panel;
  AlignedBuffer<double> weighted;
};

// upper[i * d + j] for i <= j becomes fma(y_i, y_j, upper[i * d + j]) for every row in row order, y = x - center in double.
// upper: d x d row-major, d = rows.cols; entries below the diagonal are neither read nor written. center: d values.
// Cost rows d (d + 1) / 2 fma. Determinism: each entry is one chain over the rows, so bits depend neither on the CPU, nor on blocking,
// nor on how the rows are cut into calls, nor on float32 or float64 storage of equal values.
void syrk_add(const RowsView& rows, const double* center, double* upper, SyrkScratch& scratch) noexcept;

// The same with fma(w_r * y_i, y_j, upper[i * d + j]), w_r * y_i rounded to double first. weights: rows.rows values.
void syrk_add_weighted(const RowsView& rows, const double* center, const double* weights, double* upper, SyrkScratch& scratch) noexcept;

}  // namespace sluice::kernels
