// kNN distance: how far a row is from its nearest rows. Method word `knn`.
// Use where anomalies are simply far from everything and the columns share one unit (scale them first with preprocess). Not for groups of
// different density, where a sparse group looks anomalous as a whole (lof.h).
//
// The score is the distance to the n_neighbors-th nearest other row, or the mean or median of the distances to all of them (PyOD's KNN). A
// row of the fit is not its own neighbour, its duplicates are; of a new row all rows of the fit may be. With fewer than n_neighbors
// other rows all of them count; a single row scores 0.
//
// Determinism: distances of neighbors/knn.h, so the same bits for any threads, ranks, memory, storage and CPU. Ramaswamy, Rastogi and Shim
// 2000, doi:10.1145/342009.335437; Angiulli and Pizzuti 2002.
#pragma once
#include "sluice/anomaly/fitted_rows.h"
#include "sluice/core/params.h"

namespace sluice {

enum class KnnDistance { kLargest, kMean, kMedian };

struct KnnDistanceParams {
  int64_t n_neighbors = 5;
  NeighborMetric metric = NeighborMetric::kEuclidean;
  KnnDistance distance = KnnDistance::kLargest;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(n_neighbors, "n_neighbors", Range<int64_t>{1, 1'000'000}, "Nearest rows that a row is compared with.");
    v(metric, "metric",
      Choices<NeighborMetric>{
          {{"euclidean", NeighborMetric::kEuclidean}, {"manhattan", NeighborMetric::kManhattan}, {"cosine", NeighborMetric::kCosine}}},
      "Distance of two rows.");
    v(distance, "distance",
      Choices<KnnDistance>{{{"largest", KnnDistance::kLargest}, {"mean", KnnDistance::kMean}, {"median", KnnDistance::kMedian}}},
      "Which of the distances to the n_neighbors nearest is the score.");
  }
};

// The score from k ascending distances; 0 for none.
double knn_distance_of(const double* distances, int64_t k, KnnDistance which);

// By name, for the registry. Cost and memory: those of knn_graph (neighbors/knn.h), and 24 n d bytes for the model.
Outcome knn_distance_run(const Source& rows, const KnnDistanceParams& params, Context& ctx);
Outcome knn_distance_apply(const ModelFile& file, const Source& rows, Context& ctx);

}  // namespace sluice
