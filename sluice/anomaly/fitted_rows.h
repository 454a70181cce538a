// The rows of a fit that neighbour detectors keep (lof.h, knn_distance.h, dbscan_noise.h): in memory, in the model file, and searched.
#pragma once
#include <memory>
#include <string>

#include "sluice/anomaly/detector.h"
#include "sluice/neighbors/knn.h"

namespace sluice {

enum class NeighborMetric { kEuclidean, kManhattan, kCosine };

kernels::Metric kernel_metric(NeighborMetric metric);
const char* metric_name(kernels::Metric metric);

struct FittedRows {
  std::shared_ptr<const MemorySource> rows;  // float64, measured
  kernels::Metric metric = kernels::Metric::kSquaredEuclidean;
  int64_t k = 0;  // neighbours asked of a search; 0 where there is no other row
};

// Bytes of a detector that keeps its rows: the rows and the k nearest of each, beside them a tree, or the model's copy of the rows and what
// is said of each.
double kept_bytes(const Source& rows, int64_t k);

// Brings the rows to every rank. k as asked, at most n - 1. Error{kMemory} where the rows and the model do not fit.
FittedRows keep_rows(const Source& rows, int64_t k, NeighborMetric metric, const std::string& who, Context& ctx);

// The k nearest of the kept rows to every row of a block, on this thread alone.
Neighbors nearest_of(const FittedRows& fitted, const MatrixBlock& block);

// To and from a model: "fit_x", "n_neighbors", "metric". Damage is Error{kBadModel}.
void put_rows(ModelFile& file, const FittedRows& fitted);
FittedRows load_rows(const ModelFile& file);

// out.scores from neighbours that were found for all rows at once: f(row, neighbours of it) for the rows of this rank.
template <class F>
void score_found(Outcome& out, const Source& rows, Context& ctx, const F& f) {
  out.scores.emplace(leaf_range(rows.rows(), rows.cols(), ctx), 0.0);
  for (int64_t i = out.scores->first_row(); i < out.scores->last_row(); ++i) (*out.scores)[i] = f(i);
}

}  // namespace sluice
