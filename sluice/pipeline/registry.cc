#include "sluice/pipeline/registry.h"

#include "sluice/cluster/dbscan.h"
#include "sluice/cluster/kmeans.h"
#include "sluice/reduce/pca.h"

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
      entry<PcaParams, pca_run>("pca", Kind::kReducer, "the orthogonal directions along which the rows vary most", pca_apply,
                                {"n_components", "explained_variance", "explained_variance_ratio", "singular_values", "noise_variance"}),
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
