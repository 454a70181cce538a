// What the fit and the placing of new rows share. Inside of umap.h; not for other use.
#pragma once
#include <functional>

#include "sluice/core/context.h"
#include "sluice/core/fold.h"
#include "sluice/core/matrix.h"
#include "sluice/core/source.h"
#include "sluice/reduce/umap.h"

namespace sluice::detail {

inline kernels::Metric umap_kernel_metric(UmapMetric metric) {
  if (metric == UmapMetric::kManhattan) return kernels::Metric::kManhattan;
  return metric == UmapMetric::kCosine ? kernels::Metric::kCosine : kernels::Metric::kSquaredEuclidean;
}

// Work that every rank does alike; an error of one is thrown on all.
void on_each_rank(Context& ctx, const std::function<void()>& work);

// All rows as float64, on every rank.
Matrix<double> all_values(const Source& rows, Context& ctx);

}  // namespace sluice::detail
