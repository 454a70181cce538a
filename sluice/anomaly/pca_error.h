// PCA error: what of a row its leading principal components do not explain.
// Use for many correlated columns (sensors, pictures, embeddings), where usual rows lie near a plane of few dimensions and anomalies stand
// off it; scale columns of different units first (preprocess). Not for anomalies within the plane: they are far out but well explained
// (mahalanobis.h sees both).
//
// The score is the distance from a row to its projection onto the mean and the first n_components components of pca.h: the length of
// x - inverse_transform(transform(x)) of scikit-learn's PCA. With all components kept nothing is left but rounding.
//
// Determinism: that of pca.h; same bits for any threads, ranks, memory, storage and CPU. Jackson and Mudholkar 1979 (the Q statistic),
// doi:10.1080/00401706.1979.10489779.
#pragma once
#include <string>

#include "sluice/core/outcome.h"
#include "sluice/core/params.h"

namespace sluice {

struct PcaErrorParams {
  std::string n_components = "0.9";

  template <class Visitor>
  void describe(Visitor&& v) {
    v(n_components, "n_components", Text{}, "Components to keep: a count, a share of the variance between 0 and 1, mle, or all.");
  }
};

// By name, for the registry. Cost and memory: those of pca_fit (reduce/pca.h); scoring O(k d) a row. A fit on one row explains nothing
// but that row.
Outcome pca_error_run(const Source& rows, const PcaErrorParams& params, Context& ctx);
Outcome pca_error_apply(const ModelFile& file, const Source& rows, Context& ctx);

}  // namespace sluice
