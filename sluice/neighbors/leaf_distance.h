// How far the rows of a kd-tree leaf are from one row, and which of them lie within a limit: the inner loops of searches in few columns.
// Distances have the bits of kernels/dist64.h, computed for several rows at once. For many columns see kernels/pairs.h.
#pragma once
#include <cstdint>

#include "sluice/kernels/metric.h"

namespace sluice {

inline constexpr int64_t kLeafRows = 16;

// `point`: d values, `step` doubles apart. `leaf`: d columns of kLeafRows values, 32-byte aligned; NaN where there is no row. Bit v of the
// result: distance64(metric, point, row v) <= limit. Cost: 16 d multiplications and additions in vectors. Never reads beyond.
using LeafMask = uint32_t (*)(const double* point, int64_t step, const double* leaf, int64_t d, double limit);

// The loop for a metric (squared Euclidean or Manhattan) and a number of columns.
LeafMask leaf_mask_for(kernels::Metric metric, int64_t d);

// out[v] = distance64(metric, point, row v) for all kLeafRows rows, NaN where there is no row. Otherwise as above.
using LeafDistances = void (*)(const double* point, int64_t step, const double* leaf, int64_t d, double* out);
LeafDistances leaf_distances_for(kernels::Metric metric, int64_t d);

}  // namespace sluice
