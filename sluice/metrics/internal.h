// How good a clustering is by the rows themselves, without a truth: compactness against separation. For comparing clusterings of the same
// rows, numbers of clusters above all. Not a proof that clusters exist (choose_k.h asks that) and unfair to chains and rings.
// For agreement with known labels see agreement.h.
//
// Rows labelled -1 are noise: left out of every measure and counted. Weights are not used. Numbers equal scikit-learn's to rounding.
// Same bits for any threads, ranks, leaves and storage: means are exact sums, row terms add in exact sums.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sluice/core/outcome.h"
#include "sluice/metrics/silhouette.h"

namespace sluice {

struct InternalMeasures {
  double silhouette = 0;  // NaN (null in a summary) with fewer than 2 clusters or as many clusters as rows; see silhouette.h
  SilhouetteKind silhouette_kind = SilhouetteKind::kEuclidean;
  int64_t silhouette_rows = 0;  // rows it was computed on
  double davies_bouldin =
      0;  // mean over clusters of the largest (s_i + s_j) / |m_i - m_j|, s the mean distance to the mean m; lower is better. NaN as above
  double calinski_harabasz = 0;  // (B / (k - 1)) / (W / (n - k)), B and W the squares between and within; higher is better. NaN as above
  double wcss = 0;               // W: summed squared distances of the rows to their cluster's mean
  int64_t n_rows = 0;            // not noise
  int64_t n_noise = 0;
  std::vector<int32_t> labels;  // the clusters, ascending
  std::vector<int64_t> cluster_sizes;
  std::vector<double> cluster_silhouettes;
};

// Cost: three passes O(n d), Davies-Bouldin O(k^2 d), and the silhouette's (silhouette.h). Memory: 4 bytes a row, 8 k d limbs a thread.
// Davies and Bouldin 1979, doi:10.1109/TPAMI.1979.4766909; Calinski and Harabasz 1974, doi:10.1080/03610927408827101.
// `labels`: this rank's rows. Rows must be measured. Throws Error{kBadInput} when a value is not finite or a label is below -1. Collective.
InternalMeasures internal_measures(const Source& rows, const RowColumn<int32_t>& labels, SilhouetteKind kind, Context& ctx);
// The same from the labels of all rows, known to every rank.
InternalMeasures internal_measures(const Source& rows, std::span<const int32_t> labels, SilhouetteKind kind, Context& ctx);

// Adds silhouette, silhouette_kind, silhouette_rows, davies_bouldin, calinski_harabasz, wcss, n_noise, cluster_silhouettes to a result.
void put_measures(const InternalMeasures& measures, ResultKeys& result);

}  // namespace sluice
