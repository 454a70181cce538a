// The first centres of k-means. All draws are counter-based, keyed by (seed, start, centre, trial), through prefix sums of integers: no
// rounding can push a draw past the last row, and threads or ranks change nothing.
#pragma once
#include <functional>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/matrix.h"
#include "sluice/core/source.h"
#include "sluice/kernels/metric.h"

namespace sluice {

// What every pass over the rows needs to filter fast (kernels/assign.h): a point near the data and the size of what is left.
struct Geometry {
  kernels::Metric metric = kernels::Metric::kSquaredEuclidean;
  std::vector<double> shift;
  int scale_exponent = 0;
  bool sparse = false;  // the rows are read as their non-zeros
};

// Work that each rank does for itself, without messages, as one leaf a rank: all end alike when one of them fails or is stopped.
void on_every_rank(Context& ctx, const std::function<void()>& work);

// Greedy k-means++: each centre is the best of 2 + ln k rows drawn with probability proportional to the metric's distance
// to the nearest centre so far (as scikit-learn does). Cost: O(n k d ln k). Memory: 8 bytes a row.
// Rows that coincide with a centre are drawn only when all do. Arthur and Vassilvitskii 2007.
Matrix<double> init_plus_plus(const Source& rows, int64_t k, const Geometry& geometry, int64_t start, Context& ctx);

// Five rounds that each draw about 2 k rows at once, then k-means++ and k-means on the drawn rows weighted by the rows they stand for.
// For large k: 5 passes instead of k. Bahmani et al. 2012, doi:10.14778/2180912.2180915.
Matrix<double> init_parallel(const Source& rows, int64_t k, const Geometry& geometry, int64_t start, Context& ctx);

// k different rows, uniformly, or in proportion to their weights.
Matrix<double> init_random(const Source& rows, int64_t k, const Geometry& geometry, int64_t start, Context& ctx);

}  // namespace sluice
