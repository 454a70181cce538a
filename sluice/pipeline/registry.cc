#include "sluice/pipeline/registry.h"

#include "sluice/anomaly/dbscan_noise.h"
#include "sluice/anomaly/ecod.h"
#include "sluice/anomaly/ensemble.h"
#include "sluice/anomaly/gmm_density.h"
#include "sluice/anomaly/hdbscan_outliers.h"
#include "sluice/anomaly/isolation_forest.h"
#include "sluice/anomaly/knn_distance.h"
#include "sluice/anomaly/lof.h"
#include "sluice/anomaly/mahalanobis.h"
#include "sluice/anomaly/pca_error.h"
#include "sluice/cluster/dbscan.h"
#include "sluice/cluster/hdbscan.h"
#include "sluice/cluster/kmeans.h"
#include "sluice/curate/select.h"
#include "sluice/mixture/gmm.h"
#include "sluice/neighbors/neighbors.h"
#include "sluice/patterns/apriori.h"
#include "sluice/patterns/eclat.h"
#include "sluice/patterns/fpgrowth.h"
#include "sluice/reduce/pca.h"
#include "sluice/reduce/random_projection.h"
#include "sluice/reduce/svd.h"
#include "sluice/reduce/tsne.h"
#include "sluice/reduce/umap.h"

namespace sluice {
namespace {

template <class P, Outcome (*Run)(const Source&, const P&, Context&)>
Algorithm entry(const char* name, Kind kind, const char* summary, Outcome (*apply)(const ModelFile&, const Source&, Context&),
                std::vector<std::string> result_keys) {
  return {name,
          kind,
          summary,
          param_infos<P>,
          [](const ParamTexts& given) { return param_values(params_from<P>(given)); },
          [](const Source& rows, const ParamTexts& given, Context& ctx) { return Run(rows, params_from<P>(given), ctx); },
          nullptr,
          apply,
          std::move(result_keys)};
}

template <class P, Outcome (*Mine)(const BasketSet&, const P&, Context&)>
Algorithm miner(const char* name, const char* summary, std::vector<std::string> result_keys) {
  return {name,
          Kind::kMiner,
          summary,
          param_infos<P>,
          [](const ParamTexts& given) { return param_values(params_from<P>(given)); },
          nullptr,
          [](const BasketSet& baskets, const ParamTexts& given, Context& ctx) { return Mine(baskets, params_from<P>(given), ctx); },
          nullptr,
          std::move(result_keys)};
}

const std::vector<Algorithm>& table() {
  static const std::vector<Algorithm> kAll = {
      entry<KMeansParams, kmeans_run>("kmeans", Kind::kClusterer, "k centres that minimise the distance from each row to its nearest",
                                      kmeans_apply, {"inertia", "n_iter", "converged", "n_clusters", "cluster_sizes", "init", "metric"}),
      entry<DbscanParams, dbscan_run>("dbscan", Kind::kClusterer, "clusters of any shape as what dense rows reach, and noise", dbscan_apply,
                                      {"n_clusters", "n_noise", "n_core"}),
      entry<NeighborsParams, neighbors_run>("neighbors", Kind::kNeighbors, "the nearest rows of every row, or all within a radius",
                                            neighbors_apply,
                                            {"metric", "radius", "n_neighbors", "n_alone", "n_pairs", "mean_distance", "recall"}),
      entry<GmmParams, gmm_run>("gmm", Kind::kMixture, "rows as draws from a few normal distributions: overlapping groups, and a density",
                                gmm_apply, {"log_likelihood", "bic", "aic", "n_iter", "converged", "weights"}),
      entry<HdbscanParams, hdbscan_run>("hdbscan", Kind::kClusterer,
                                        "clusters of any shape and density, and noise, without a distance to choose", hdbscan_apply,
                                        {"n_clusters", "n_noise", "n_core"}),
      entry<PcaParams, pca_run>("pca", Kind::kReducer, "the orthogonal directions along which the rows vary most", pca_apply,
                                {"n_components", "explained_variance", "explained_variance_ratio", "singular_values", "noise_variance"}),
      entry<TsneParams, tsne_run>("tsne", Kind::kReducer, "a map of the rows in which each keeps its neighbours", tsne_apply,
                                  {"n_iter", "kl_divergence", "kl_kind", "method", "perplexity"}),
      entry<SvdParams, svd_run>("svd", Kind::kReducer, "the directions that hold most of the rows' length, without centring", svd_apply,
                                {"n_components", "explained_variance", "explained_variance_ratio", "singular_values"}),
      entry<RandomProjectionParams, random_projection_run>("random-projection", Kind::kReducer,
                                                           "fewer columns by a random matrix, distances kept", random_projection_apply,
                                                           {"n_components"}),
      entry<UmapParams, umap_run>("umap", Kind::kReducer, "a map in which near rows stay near", umap_apply, {"n_iter"}),
      miner<MiningParams, apriori_run>("apriori", "frequent item sets and rules, length by length",
                                       {"n_transactions", "n_items", "n_itemsets", "n_rules"}),
      miner<MiningParams, eclat_run>("eclat", "frequent item sets and rules, depth-first by lists of baskets",
                                     {"n_transactions", "n_items", "n_itemsets", "n_rules"}),
      miner<MiningParams, fpgrowth_run>("fpgrowth", "frequent item sets and rules, from a prefix tree of the baskets",
                                        {"n_transactions", "n_items", "n_itemsets", "n_rules"}),
      entry<SelectParams, select_run>("select", Kind::kSelector, "which rows to label first, and what each stands for", select_apply,
                                      {"n_selected", "budget", "inertia", "n_iter", "converged", "metric", "cluster_sizes"}),
      entry<IsolationForestParams, isolation_forest_run>("isolation_forest", Kind::kDetector, "rows that few random cuts set apart",
                                                         isolation_forest_apply, {}),
      entry<EcodParams, ecod_run>("ecod", Kind::kDetector, "rows far out in the tails of their columns", ecod_apply, {}),
      entry<KnnDistanceParams, knn_distance_run>("knn", Kind::kDetector, "rows far from their nearest", knn_distance_apply, {}),
      entry<LofParams, lof_run>("lof", Kind::kDetector, "rows in a place sparse against their neighbours'", lof_apply, {}),
      entry<MahalanobisParams, mahalanobis_run>("mahalanobis", Kind::kDetector, "rows far from the mean by the columns' covariance",
                                                mahalanobis_apply, {}),
      entry<PcaErrorParams, pca_error_run>("pca_error", Kind::kDetector, "rows that the leading components do not explain", pca_error_apply,
                                           {}),
      entry<GmmDensityParams, gmm_density_run>("gmm_density", Kind::kDetector, "rows where a Gaussian mixture is thin", gmm_density_apply,
                                               {}),
      entry<DbscanParams, dbscan_noise_run>("dbscan_noise", Kind::kDetector, "rows far from every dense row", dbscan_noise_apply, {}),
      entry<HdbscanOutlierParams, hdbscan_outliers_run>("hdbscan_outliers", Kind::kDetector, "rows that fall early out of their cluster",
                                                        hdbscan_outliers_apply, {}),
      entry<EnsembleParams, ensemble_run>("ensemble", Kind::kDetector, "the average of the ranks that several detectors give",
                                          ensemble_apply, {}),
  };
  return kAll;
}

}  // namespace

std::span<const Algorithm> algorithms() {
  return table();
}

const Algorithm* find_algorithm(const std::string& name) {
  for (const Algorithm& algorithm : table()) {
    if (name == algorithm.name) return &algorithm;
  }
  return nullptr;
}

}  // namespace sluice
