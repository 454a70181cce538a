// K-means: k centres that minimise the summed distance from each row to its nearest one.
// Use for compact groups of similar spread. For odd shapes or noise see dbscan.h; for overlap a Gaussian mixture.
//
// Three objectives, each with the centre that lowers it:
//   euclidean  sum of squared distances       centre = mean
//   manhattan  sum of absolute differences    centre = lower (weighted) median of each column
//   cosine     sum of 1 - cos                 centre = mean of the rows made unit length, made unit length
// The objective never rises from pass to pass but by the rounding of the centres to double.
//
// Determinism: same bits for any threads, ranks, memory, storage and CPU. Labels, sizes and inertia are those of the stored centres.
// Cost: up to n_init * max_iter passes, each O(n k d) at worst. Memory: 8 bytes a row, 8 k (d + 1) a thread.
// Lloyd 1982, doi:10.1109/TIT.1982.1056489; Arthur and Vassilvitskii 2007; Bahmani et al. 2012, doi:10.14778/2180912.2180915.
#pragma once
#include <optional>
#include <string>

#include "sluice/core/outcome.h"
#include "sluice/core/params.h"
#include "sluice/kernels/metric.h"

namespace sluice {

enum class KMeansMetric { kEuclidean, kManhattan, kCosine };

struct KMeansParams {
  int64_t n_clusters = 8;
  KMeansMetric metric = KMeansMetric::kEuclidean;
  std::string init = "k-means++";
  std::optional<int64_t> n_init;
  int64_t max_iter = 300;
  double tol = 1e-4;
  bool mini_batch = false;
  std::optional<int64_t> batch_size;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(n_clusters, "n_clusters", Range<int64_t>{1, (int64_t{1} << 31) - 1}, "Number of clusters.");
    v(metric, "metric",
      Choices<KMeansMetric>{
          {{"euclidean", KMeansMetric::kEuclidean}, {"manhattan", KMeansMetric::kManhattan}, {"cosine", KMeansMetric::kCosine}}},
      "Distance whose sum is made small.");
    v(init, "init", ChoiceOrFile{{"k-means++", "k-means-parallel", "random"}},
      "How the first centres are chosen; a file holds them, one a row.");
    v(n_init, "n_init", Range<int64_t>{1, 10'000},
      "Starts, of which the best is kept; auto: 32 while the work is small, 1 when it is large.");
    v(max_iter, "max_iter", Range<int64_t>{1, 1'000'000}, "Most passes of one start.");
    v(tol, "tol", Range<double>{0, 1},
      "Stop when the centres' summed squared moves fall to this share of the mean variance of the columns.");
    v(mini_batch, "mini_batch", Flag{}, "Update from small random batches instead of whole passes: quicker, a little worse.");
    v(batch_size, "batch_size", Range<int64_t>{1, int64_t{1} << 30}, "Rows of one batch, with mini_batch; auto: 1024.");
  }
};

struct KMeansFit {
  Matrix<double> cluster_centers;
  KMeansMetric metric = KMeansMetric::kEuclidean;
  RowColumn<int32_t> labels;           // this rank's rows
  std::vector<int64_t> cluster_sizes;  // rows, whatever their weight
  double inertia = 0;                  // the metric's objective
  int64_t n_iter = 0;                  // passes of the best start
  bool converged = false;
  int64_t starts = 0;
  int64_t starts_agreed = 0;  // starts whose inertia is within 0.1 % of the best
};

// `init_centers`: k x d, used when params.init names a file. Rows must be measured (statistics.h).
// Throws Error{kBadInput} if n < k or a value is not finite, Error{kInterrupted} after a checkpoint when asked to stop.
KMeansFit kmeans_fit(const Source& rows, const KMeansParams& params, const Matrix<double>& init_centers, Context& ctx);

// The labels of the nearest centres, ties to the lowest, and the objective.
struct KMeansAssignment {
  RowColumn<int32_t> labels;
  std::vector<int64_t> cluster_sizes;
  double inertia = 0;
};
KMeansAssignment kmeans_assign(const Matrix<double>& centers, KMeansMetric metric, const Source& rows, Context& ctx);

// By name, for the registry.
Outcome kmeans_run(const Source& rows, const KMeansParams& params, Context& ctx);
Outcome kmeans_apply(const ModelFile& model, const Source& rows, Context& ctx);

}  // namespace sluice
