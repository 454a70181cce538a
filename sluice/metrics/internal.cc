#include "sluice/metrics/internal.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sluice/kernels/dist64.h"

namespace sluice {
namespace {

double davies_bouldin(const Clusters& clusters, const Matrix<double>& means, const std::vector<double>& distances) {
  const int64_t k = clusters.count();
  std::vector<double> spread(distances.size());
  for (size_t c = 0; c < spread.size(); ++c) spread[c] = distances[c] / static_cast<double>(clusters.sizes[c]);
  std::vector<double> worst(spread.size());
  for (int64_t i = 0; i < k; ++i) {
    for (int64_t j = i + 1; j < k; ++j) {
      const double apart = std::sqrt(kernels::squared_distance(means.row(i), means.row(j), means.cols));
      if (apart == 0) continue;  // as scikit-learn: two clusters on one mean say nothing of each other
      const double ratio = (spread[static_cast<size_t>(i)] + spread[static_cast<size_t>(j)]) / apart;
      worst[static_cast<size_t>(i)] = std::max(worst[static_cast<size_t>(i)], ratio);
      worst[static_cast<size_t>(j)] = std::max(worst[static_cast<size_t>(j)], ratio);
    }
  }
  ExactSum sum;
  for (const double ratio : worst) sum.add(ratio);
  return sum.value() / static_cast<double>(k);
}

double calinski_harabasz(const Clusters& clusters, const ClusterMeans& means, double within) {
  const auto k = static_cast<double>(clusters.count());
  const auto n = static_cast<double>(clusters.rows());
  if (within == 0) return 1;  // scikit-learn's answer
  ExactSum between;
  for (int64_t c = 0; c < clusters.count(); ++c) {
    between.add(static_cast<double>(clusters.sizes[static_cast<size_t>(c)]) *
                kernels::squared_distance(means.mean.row(c), means.overall.data(), means.mean.cols));
  }
  return between.value() * (n - k) / (within * (k - 1));
}

}  // namespace

InternalMeasures internal_measures(const Source& rows, const RowColumn<int32_t>& labels, SilhouetteKind kind, Context& ctx) {
  require_clean(rows);
  const Clusters clusters = clusters_of(labels, ctx);
  InternalMeasures out;
  out.labels = clusters.labels;
  out.cluster_sizes = clusters.sizes;
  out.n_rows = clusters.rows();
  out.n_noise = clusters.n_noise;
  const ClusterMeans means = cluster_means(rows, clusters, ctx);
  const Scatter scatter = cluster_scatter(rows, clusters, means.mean, ctx);
  out.wcss = scatter.wcss;
  const Silhouette s = silhouette(rows, clusters, kind, kSilhouetteRows, ctx);
  out.silhouette = s.value;
  out.silhouette_kind = kind;
  out.silhouette_rows = s.rows;
  out.cluster_silhouettes = s.clusters;
  const bool defined = clusters.count() >= 2 && clusters.count() < out.n_rows;
  out.davies_bouldin = defined ? davies_bouldin(clusters, means.mean, scatter.distances) : std::numeric_limits<double>::quiet_NaN();
  out.calinski_harabasz = defined ? calinski_harabasz(clusters, means, scatter.wcss) : std::numeric_limits<double>::quiet_NaN();
  return out;
}

InternalMeasures internal_measures(const Source& rows, std::span<const int32_t> labels, SilhouetteKind kind, Context& ctx) {
  return internal_measures(rows, own_labels(labels, rows, ctx), kind, ctx);
}

void put_measures(const InternalMeasures& measures, ResultKeys& result) {
  result.put("silhouette", measures.silhouette);
  result.put("silhouette_kind", name_of(measures.silhouette_kind));
  result.put("silhouette_rows", measures.silhouette_rows);
  result.put("davies_bouldin", measures.davies_bouldin);
  result.put("calinski_harabasz", measures.calinski_harabasz);
  result.put("wcss", measures.wcss);
  result.put("n_noise", measures.n_noise);
  result.put("cluster_silhouettes", measures.cluster_silhouettes);
}

}  // namespace sluice
