// Local outlier factor: a row whose neighbourhood is sparse against those of its neighbours.
// Use where groups differ in density and an anomaly is one by the measure of its own group; scale the columns first (preprocess). Not where
// anomalies come in groups of more than n_neighbors, which are neighbours of each other, nor where most rows are duplicates.
//
// With k-distance(o) the distance from o to its n_neighbors-th nearest other row, the reachability of x from o is max(k-distance(o),
// distance(x, o)); the local density of x is 1 / (its mean reachability + 1e-10); the score is the mean density of x's neighbours over its
// own: about 1 within a group. scikit-learn's LocalOutlierFactor with its sign turned round; new rows as its novelty=True. The 1e-10 keeps
// duplicates finite: more than n_neighbors equal rows have the density 1e10 and score 1, and what lies just beside them scores very high;
// choose n_neighbors above the usual number of copies. With fewer than n_neighbors other rows all of them count; a single row scores 1.
//
// Determinism: neighbours of neighbors/knn.h (ties to the lowest row) and sums in their order, so the same bits for any threads, ranks,
// memory, storage and CPU. Breunig, Kriegel, Ng and Sander 2000, doi:10.1145/342009.335388.
#pragma once
#include "sluice/anomaly/fitted_rows.h"
#include "sluice/core/params.h"

namespace sluice {

struct LofParams {
  int64_t n_neighbors = 20;
  NeighborMetric metric = NeighborMetric::kEuclidean;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(n_neighbors, "n_neighbors", Range<int64_t>{1, 1'000'000}, "Nearest rows that a row is compared with.");
    v(metric, "metric",
      Choices<NeighborMetric>{
          {{"euclidean", NeighborMetric::kEuclidean}, {"manhattan", NeighborMetric::kManhattan}, {"cosine", NeighborMetric::kCosine}}},
      "Distance of two rows.");
  }
};

struct LofModel {
  FittedRows fitted;
  std::vector<double> k_distance;  // of the fit's rows
  std::vector<double> density;     // local reachability density of the fit's rows
};

// The score of a row with these neighbours among the fit's rows.
double lof_of(const LofModel& model, const int64_t* neighbors, const double* distances);

// By name, for the registry. Cost and memory: those of knn_graph (neighbors/knn.h), and 24 n d bytes for the model.
Outcome lof_run(const Source& rows, const LofParams& params, Context& ctx);
Outcome lof_apply(const ModelFile& file, const Source& rows, Context& ctx);

}  // namespace sluice
