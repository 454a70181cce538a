// Where a UMAP map starts. Inside of umap.h; not for other use.
#pragma once
#include "sluice/core/context.h"
#include "sluice/core/matrix.h"
#include "sluice/reduce/umap_graph.h"

namespace sluice::detail {

// n x dims: the eigenvectors of the largest eigenvalues but the first of D^-1/2 W D^-1/2 (the smallest of the normalised Laplacian), one a
// column, of length 1, the largest entry positive. For a connected graph with n > dims + 1. Chebyshev-filtered subspace iteration (Zhou, Saad,
// Tiago and Chelikowsky 2006, doi:10.1016/j.jcp.2006.03.017) until residuals are below 1e-4 or for 60 rounds. Sums over rows are taken in
// pieces of fixed size: same bits for any threads. Memory 32 n (dims + 6).
Matrix<double> umap_spectral(const UmapGraph& graph, int64_t dims, Context& ctx);

// The rows' first principal components, n x dims, on every rank; columns beyond min(n, d) are 0. `all` are the values of `rows`.
Matrix<double> umap_pca(const Source& rows, const Matrix<double>& all, int64_t dims, Context& ctx);

// Uniform in [-10, 10), named by (seed, row).
Matrix<double> umap_random(int64_t n, int64_t dims, const Context& ctx);

// As umap-learn: the largest coordinate becomes 10, a little noise parts equal rows.
void umap_spread(Matrix<double>& start, const Context& ctx);

// Every column brought to [0, 10]; a constant one to 0.
void umap_to_box(Matrix<double>& start);

}  // namespace sluice::detail
