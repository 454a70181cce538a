// HDBSCAN's outlier scores (GLOSH): how early a row falls out of the cluster it is nearest to. Method word `hdbscan_outliers`.
// Use where groups have odd shapes and different densities and no distance is known to choose. Not on millions of rows in many columns,
// where it compares all pairs.
//
// The score is 1 - lambda / lambda_max: lambda = 1 / distance at which the row leaves its cluster, lambda_max that of the cluster's densest
// row; 0 in the densest places, towards 1 far out. See cluster/hdbscan.h, also for rows that coincide.
//
// Determinism: that of hdbscan.h; same bits for any threads, ranks, storage and CPU. Campello, Moulavi, Zimek and Sander 2015,
// doi:10.1145/2733381.
#pragma once
#include <optional>

#include "sluice/cluster/hdbscan.h"

namespace sluice {

// Those of HDBSCAN's parameters that the scores depend on.
struct HdbscanOutlierParams {
  int64_t min_cluster_size = 5;
  std::optional<int64_t> min_samples;
  double alpha = 1;
  HdbscanMetric metric = HdbscanMetric::kEuclidean;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(min_cluster_size, "min_cluster_size", Range<int64_t>{2, (int64_t{1} << 31) - 1}, "Fewest rows that are a cluster.");
    v(min_samples, "min_samples", Range<int64_t>{1, (int64_t{1} << 31) - 1},
      "The core distance is that to the so many-th nearest row, itself counted. auto: min_cluster_size.");
    v(alpha, "alpha", Range<double>{1e-6, 1e6}, "Distances are divided by it, core distances are not.");
    v(metric, "metric",
      Choices<HdbscanMetric>{
          {{"euclidean", HdbscanMetric::kEuclidean}, {"manhattan", HdbscanMetric::kManhattan}, {"cosine", HdbscanMetric::kCosine}}},
      "Distance between rows.");
  }
};

// By name, for the registry. Cost and memory: those of hdbscan_fit; the model holds all rows.
Outcome hdbscan_outliers_run(const Source& rows, const HdbscanOutlierParams& params, Context& ctx);
Outcome hdbscan_outliers_apply(const ModelFile& file, const Source& rows, Context& ctx);

}  // namespace sluice
