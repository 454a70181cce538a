// Mahalanobis distance: how far a row is from the mean, each direction measured by how much the rows vary along it.
// Use for one cloud of rows with straight correlations: it sees values that are usual one by one and wrong together. Not for several groups
// (gmm_density.h), and with many anomalies the covariance itself is drawn towards them.
//
// The score is the square (x - mean)^T C^+ (x - mean), C the covariance of the fit (divided by n) and C^+ its pseudo-inverse: directions
// whose variance is at most d 2^-52 of the largest are left out, so constant and repeated columns do no harm, and what a new row does along
// them is not seen. scikit-learn's EmpiricalCovariance().mahalanobis. A fit on one row scores 0.
//
// Determinism: that of pca.h's full solver; same bits for any threads, ranks, memory, storage and CPU. Mahalanobis 1936.
#pragma once
#include "sluice/core/outcome.h"
#include "sluice/core/params.h"

namespace sluice {

struct MahalanobisParams {
  template <class Visitor>
  void describe(Visitor&&) {}
};

// By name, for the registry. Cost and memory: those of pca_fit with svd_solver full (reduce/pca.h); scoring O(d^2) a row.
Outcome mahalanobis_run(const Source& rows, const MahalanobisParams& params, Context& ctx);
Outcome mahalanobis_apply(const ModelFile& file, const Source& rows, Context& ctx);

}  // namespace sluice
