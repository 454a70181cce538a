#include <algorithm>
#include <cmath>
#include <set>

#include "sluice/advise/advise.h"
#include "sluice/cluster/choose_k.h"
#include "sluice/cluster/hdbscan.h"
#include "sluice/cluster/kmeans.h"
#include "sluice/core/fold.h"
#include "sluice/core/random.h"
#include "sluice/metrics/agreement.h"
#include "sluice/metrics/null_reference.h"
#include "sluice/mixture/gmm.h"
#include "sluice/neighbors/knn.h"

namespace sluice {
namespace {

constexpr int64_t kMostColumns = 50;  // more are reduced to so many principal axes
constexpr double kVarianceKept = 0.95;
constexpr double kSameClusters = 0.95;  // of two clusterings, by the adjusted Rand index

// At most `most` rows, drawn by seed without replacement (Floyd's method), in row order; the same on every rank.
Matrix<double> sampled(const Source& rows, int64_t most, const Context& ctx) {
  const int64_t n = rows.rows();
  std::set<int64_t> chosen;
  Random random(ctx.seed, RandomStage::kSubsample, 1);
  for (int64_t j = std::max<int64_t>(0, n - most); j < n; ++j) {
    const auto t = n <= most ? j : static_cast<int64_t>(random.below(static_cast<uint64_t>(j + 1)));
    if (!chosen.insert(t).second) chosen.insert(j);
  }
  Matrix<double> out(static_cast<int64_t>(chosen.size()), rows.cols());
  int64_t i = 0;
  for (const int64_t number : chosen) {
    const std::vector<double> row = read_row(rows, number);
    std::copy(row.begin(), row.end(), out.row(i++));
  }
  return out;
}

// The sample along its principal axes, where it has many columns.
Matrix<double> narrowed(Matrix<double> sample, Measured& found) {
  if (sample.cols <= kMostColumns) return sample;
  const PrincipalAxes axes = principal_axes(sample, std::min(sample.rows, sample.cols));
  double total = 0, kept = 0;
  for (const double variance : axes.variance) total += variance;
  for (const double variance : axes.variance) {
    if (kept >= kVarianceKept * total) break;
    kept += variance;
    ++found.pca_columns;
  }
  found.pca_columns = std::clamp<int64_t>(found.pca_columns, 1, kMostColumns);
  return reduced_columns(sample, found.pca_columns);
}

// How well labels agree with clusters, on the rows that have one.
double agreement_on_clusters(const std::vector<int32_t>& clusters, const std::vector<int32_t>& labels) {
  std::vector<int64_t> truth, other;
  for (size_t i = 0; i < clusters.size() && !labels.empty(); ++i) {
    if (clusters[i] < 0) continue;
    truth.push_back(clusters[i]);
    other.push_back(labels[i]);
  }
  return truth.empty() ? 0 : agreement(contingency(truth, std::span<const int64_t>(other))).ari;
}

// The value that the sorted list lies farthest below its chord at: where the distances to neighbours begin to rise (Satopaa et al. 2011,
// doi:10.1109/ICDCSW.2011.20).
double knee_of(const std::vector<double>& sorted) {
  const double low = sorted.front(), high = sorted.back(), last = static_cast<double>(sorted.size() - 1);
  size_t best = 0;
  double farthest = -1;
  for (size_t i = 0; i < sorted.size(); ++i) {
    const double below = (last > 0 ? static_cast<double>(i) / last : 0) - (high > low ? (sorted[i] - low) / (high - low) : 0);
    if (below > farthest) farthest = below, best = i;
  }
  return sorted[best];
}

void measure_neighbours(const Source& sample, Measured& found, Context& ctx) {
  found.dbscan_min_samples = std::clamp<int64_t>(2 * sample.cols(), 4, 10);
  if (sample.rows() <= found.dbscan_min_samples) return;
  const int64_t k = found.dbscan_min_samples - 1;
  const Neighbors near = knn_graph(sample, k, kernels::Metric::kSquaredEuclidean, ctx);
  std::vector<double> distances;
  for (int64_t i = 0; i < near.rows(); ++i) distances.push_back(near.distance(i)[k - 1]);
  std::sort(distances.begin(), distances.end());
  found.eps = knee_of(distances);
  const auto quantile = [&](double p) { return distances[static_cast<size_t>(p * static_cast<double>(distances.size() - 1))]; };
  found.density_spread = quantile(0.1) > 0 ? quantile(0.9) / quantile(0.1) : 0;
}

// Fewer neighbours in the core distance leave less noise, but may join or break clusters: the fewest that leave them as they are.
int64_t fewest_samples(const Source& sample, HdbscanParams params, const HdbscanFit& fit, Context& ctx) {
  int64_t fewest = *params.min_samples;
  for (const int64_t fewer : {5, 3}) {
    if (fewer >= fewest) continue;
    params.min_samples = fewer;
    const HdbscanFit again = hdbscan_fit(sample, params, ctx);
    std::vector<int32_t> both = fit.labels;
    for (size_t i = 0; i < both.size(); ++i) both[i] = again.labels[i] < 0 ? -1 : both[i];
    if (again.n_clusters != fit.n_clusters || agreement_on_clusters(both, again.labels) < kSameClusters) break;
    fewest = fewer;
  }
  return fewest;
}

std::vector<int32_t> density_labels(const Source& sample, Measured& found, Context& ctx) {
  const auto root = static_cast<int64_t>(std::sqrt(static_cast<double>(sample.rows())) / 2);
  HdbscanParams params;
  params.min_cluster_size = std::max<int64_t>(5, root);
  params.min_samples = found.min_samples = std::min<int64_t>(10, params.min_cluster_size);
  const double share = static_cast<double>(params.min_cluster_size) / static_cast<double>(sample.rows());
  found.min_cluster_size = std::max(params.min_cluster_size, static_cast<int64_t>(share * static_cast<double>(found.rows)));
  const HdbscanFit fit = hdbscan_fit(sample, params, ctx);
  std::vector<int64_t> sizes(static_cast<size_t>(fit.n_clusters));
  for (const int32_t label : fit.labels) {
    if (label >= 0) ++sizes[static_cast<size_t>(label)];
  }
  const auto n = static_cast<double>(sample.rows());
  found.density_clusters = fit.n_clusters;
  found.noise = static_cast<double>(fit.n_noise) / n;
  found.largest = sizes.empty() ? 0 : static_cast<double>(*std::max_element(sizes.begin(), sizes.end())) / n;
  if (fit.n_clusters >= 2) found.min_samples = fewest_samples(sample, params, fit, ctx);
  return fit.labels;
}

std::vector<int32_t> kmeans_labels(const Source& sample, int64_t k, Context& ctx) {
  if (k < 2) return {};
  KMeansParams params;
  params.n_clusters = k;
  params.n_init = 5;
  return gather(kmeans_fit(sample, params, {}, ctx).labels, ctx);
}

std::vector<int32_t> mixture_labels(const Source& sample, Measured& found, Context& ctx) {
  GmmParams params;
  params.n_components.reset();
  params.n_init = 2;
  params.max_components = std::min(std::max<int64_t>(10, std::min<int64_t>(40, 2 * found.k)), std::max<int64_t>(1, sample.rows() / 4));
  try {
    const GmmFit fit = gmm_fit(sample, params, {}, ctx);
    found.components = fit.model.means.rows;
    return gather(fit.labels, ctx);
  } catch (const Error& error) {
    if (error.code != ErrorCode::kNumerical) throw;
    return {};  // no number of components has an answer: then a mixture is not what to advise
  }
}

}  // namespace

Measured measure_for_advice(const Source& rows, const AdviseParams& params, Context& ctx) {
  require_clean(rows);
  Measured found;
  found.rows = rows.rows();
  found.cols = rows.cols();
  if (rows.rows() < 1 || rows.cols() < 1) fail(ErrorCode::kBadInput, "advise", "there are no rows of numbers", "give some");
  ctx.stage("measures", 5);
  Context quiet = ctx;  // many fits would mix up one progress line and one checkpoint
  quiet.progress = nullptr;
  quiet.checkpoints = nullptr;
  Matrix<double> values = narrowed(sampled(rows, params.sample, ctx), found);
  MemorySource sample(values.values, values.rows, values.cols);
  sample.stats = measure(sample, quiet);
  found.sample_rows = sample.rows();
  const ChooseKResult choice = choose_k(sample, {}, quiet);
  ctx.step(1, "number of clusters");
  found.structured = choice.n_clusters.has_value();
  found.k = choice.n_clusters.value_or(0);
  found.excess = choice.excess;
  found.limit = choice.limit;
  found.null = name_of(choice.null);
  found.spread = !choice.nulls.empty();
  for (size_t i = 0; i < choice.k.size(); ++i) {
    if (choice.k[i] == found.k) found.silhouette = choice.silhouette[i];
  }
  if (!found.spread) return found;
  measure_neighbours(sample, found, quiet);
  ctx.step(2, "neighbours");
  const std::vector<int32_t> dense = density_labels(sample, found, quiet);
  ctx.step(3, "dense clusters");
  found.agreement_kmeans = agreement_on_clusters(dense, kmeans_labels(sample, found.k, quiet));
  ctx.step(4, "compact clusters");
  found.agreement_mixture = agreement_on_clusters(dense, mixture_labels(sample, found, quiet));
  ctx.step(5, "mixture");
  return found;
}

}  // namespace sluice
