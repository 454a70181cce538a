// DBSCAN: clusters are what dense rows reach step by step; rows that no dense row reaches are noise.
// Use for clusters of any shape, with noise, when one distance `eps` says what near means. The number of clusters is found, not given. Not
// for clusters of very different density (hdbscan.h), nor for data without gaps, which becomes one cluster (kmeans.h).
//
// A row is core when at least min_samples rows, itself among them, lie within eps of it (with weights: when theirs sum to it). Core rows
// within eps of each other share a cluster. A row that is not core but within eps of a core row is border: it joins the lowest-numbered
// cluster that has such a core row. All others are noise, label -1. Clusters are numbered by their first core row. These are scikit-learn's
// labels.
//
// Within eps means distance <= eps, exactly, by the distances of kernels/dist64.h:
//   euclidean  the correctly rounded square root of the sum of squared differences (differences below 1e-162 count as 0)
//   manhattan  the sum of absolute differences
//   cosine     1 - cos; an eps below the rounding of a cosine, (d + 128) 2^-53, counts as that. A zero row has no direction: it is
//              at distance 1 from every other row, zero rows too; but with eps < 1 zero rows that are core by themselves share one cluster.
//
// Determinism: labels are integers decided on those distances, so they are the same for any threads, ranks, memory, storage, CPU and
// `algorithm`. Memory: O(n) whatever eps is, no lists of neighbours that grow with it; the model holds the core rows. Ester, Kriegel,
// Sander and Xu 1996; Schubert et al. 2017, doi:10.1145/3068335.
#pragma once
#include <limits>

#include "sluice/core/outcome.h"
#include "sluice/core/params.h"

namespace sluice {

enum class DbscanMetric { kEuclidean, kManhattan, kCosine };
enum class DbscanAlgorithm { kAuto, kBrute, kKdTree };

struct DbscanParams {
  double eps = 0.5;
  int64_t min_samples = 5;
  DbscanMetric metric = DbscanMetric::kEuclidean;
  DbscanAlgorithm algorithm = DbscanAlgorithm::kAuto;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(eps, "eps", Range<double>{std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max()},
      "Largest distance of two neighbours.");
    v(min_samples, "min_samples", Range<int64_t>{1, (int64_t{1} << 31) - 1}, "Rows within eps, itself among them, that make a row core.");
    v(metric, "metric",
      Choices<DbscanMetric>{
          {{"euclidean", DbscanMetric::kEuclidean}, {"manhattan", DbscanMetric::kManhattan}, {"cosine", DbscanMetric::kCosine}}},
      "Distance that eps bounds.");
    v(algorithm, "algorithm",
      Choices<DbscanAlgorithm>{
          {{"auto", DbscanAlgorithm::kAuto}, {"brute", DbscanAlgorithm::kBrute}, {"kd_tree", DbscanAlgorithm::kKdTree}}},
      "How neighbours are found; never changes the result. auto: a tree for few columns, all pairs for many.");
  }
};

struct DbscanFit {
  RowColumn<int32_t> labels;  // this rank's rows; -1: noise
  RowColumn<uint8_t> core;    // this rank's rows; 1: core
  int64_t n_clusters = 0;
  int64_t n_noise = 0;
  int64_t n_core = 0;
};

// Rows must be measured (statistics.h). Cost: kd_tree (euclidean or manhattan, up to 16 columns by itself): O(n log n) typically, memory
// 16 n (d + 1) + 40 n bytes; brute: at most O(n^2 d) float32 operations, memory at most 400 n bytes beside blocks of rows, streams the
// rows. Throws Error{kBadInput} if a value is not finite, Error{kUsage} for kd_tree with cosine, Error{kMemory} when kd_tree is asked for
// and does not fit ctx.memory, Error{kInterrupted} when asked to stop.
DbscanFit dbscan_fit(const Source& rows, const DbscanParams& params, Context& ctx);

// The core rows of a fit, all that is needed to label rows.
struct DbscanModel {
  Matrix<double> components;  // the core rows, in row order
  std::vector<int64_t> core_sample_indices;
  std::vector<int64_t> labels;     // of the core rows
  Matrix<double> cluster_centers;  // the mean of each cluster's rows, for people; may be empty
  int64_t n_clusters = 0;
  double eps = 0.5;
  int64_t min_samples = 5;
  DbscanMetric metric = DbscanMetric::kEuclidean;
};

// The lowest-numbered cluster with a core row within eps, or -1: training rows get their training labels. Cost: O(n log m) in few columns,
// else at most O(n m d), for m core rows. Streams the rows.
RowColumn<int32_t> dbscan_assign(const DbscanModel& model, const Source& rows, Context& ctx);

// By name, for the registry. Throws Error{kMemory} when the core rows, which the model holds as float64, do not fit ctx.memory.
Outcome dbscan_run(const Source& rows, const DbscanParams& params, Context& ctx);
Outcome dbscan_apply(const ModelFile& model, const Source& rows, Context& ctx);

}  // namespace sluice
