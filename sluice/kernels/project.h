// Coordinates of centred rows along given directions: PCA and random projection transforms, and any small dense product x W^T.
// Use for up to a few thousand directions. For distances see pairs.h and assign.h.
#pragma once
#include "sluice/kernels/aligned.h"
#include "sluice/kernels/rows.h"

namespace sluice::kernels {

// Working memory of one thread, (q + 24) d + 8192 doubles; grows at need.
struct ProjectScratch {
  AlignedBuffer<double> rows;
  AlignedBuffer<double> components;
};

// out[r * q + c] = sum over columns j in ascending order of (x_rj - center_j) * components[c * d + j]: one chain of fma from +0,
// each difference rounded to double. components: q x d row-major, out: rows x q row-major, center: d values.
// Cost rows q d fma, and q d to lay the components out: pass hundreds of rows a call. Determinism: bits depend neither on the CPU, nor on
// the other rows or components of the call, nor on float32 or float64 storage of equal values.
void project(const RowsView& rows, const double* center, const double* components, int64_t q, double* out,
             ProjectScratch& scratch) noexcept;

}  // namespace sluice::kernels
