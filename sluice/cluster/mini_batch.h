// Mini-batch k-means: centres follow running means of small random batches. For data too large for whole passes, where a few per cent
// of inertia may be given for speed. Sculley 2010, doi:10.1145/1772690.1772862.
// Its own driver, not a fold: batches come one after another, and rows of a batch are taken in row order; every rank computes the same.
#pragma once
#include "sluice/cluster/kmeans_init.h"

namespace sluice {

struct KMeansParams;

struct MiniBatchResult {
  int64_t n_iter = 0;  // passes' worth of rows, rounded up
  bool converged = false;
};

// Moves `centers` until the smoothed moves fall to `tolerance` or max_iter * n rows have been drawn. Each batch costs O(batch k d).
MiniBatchResult mini_batch(const Source& rows, const KMeansParams& params, const Geometry& geometry, double tolerance, int64_t start,
                           Matrix<double>& centers, Context& ctx);

}  // namespace sluice
