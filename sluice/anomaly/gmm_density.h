// Gaussian mixture density: rows where a fitted mixture of normal distributions has little density. Method word `gmm_density`.
// Use for rows that come in a few groups of slanted or different shapes; scale the columns first where their units differ. With one
// component it ranks as mahalanobis.h does. Not with more columns than rows to fit them, where every row is its own group.
//
// The score is minus the log density of the row under the mixture of mixture/gmm.h: scikit-learn's GaussianMixture, -score_samples.
// A density depends on the columns' units, its ranking does not but for reg_covar.
//
// Determinism: that of gmm.h; same bits for any threads, ranks, memory, storage and CPU. McLachlan and Peel 2000, doi:10.1002/0471721182.
#pragma once
#include <optional>

#include "sluice/mixture/gmm.h"

namespace sluice {

struct GmmDensityParams {
  std::optional<int64_t> n_components = 1;
  CovarianceType covariance_type = CovarianceType::kFull;
  double tol = 1e-3;
  double reg_covar = 1e-6;
  int64_t max_iter = 100;
  int64_t n_init = 1;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(n_components, "n_components", Range<int64_t>{1, 1'000'000}, "Number of components; auto: the one up to 10 with the lowest BIC.");
    v(covariance_type, "covariance_type",
      Choices<CovarianceType>{{{"full", CovarianceType::kFull},
                               {"tied", CovarianceType::kTied},
                               {"diag", CovarianceType::kDiag},
                               {"spherical", CovarianceType::kSpherical}}},
      "Shape of the components: any, any but shared by all, along the axes, round.");
    v(tol, "tol", Range<double>{0, 1e6}, "Stop when the mean log-likelihood of a row changes by less than this.");
    v(reg_covar, "reg_covar", Range<double>{0, 1e300}, "Added to every variance, in squared units of the columns.");
    v(max_iter, "max_iter", Range<int64_t>{1, 1'000'000}, "Most EM steps of one start.");
    v(n_init, "n_init", Range<int64_t>{1, 10'000}, "Starts, of which the one with the highest likelihood is kept.");
  }
};

// By name, for the registry. Cost and memory: those of gmm_fit; scoring O(k d^2) a row.
Outcome gmm_density_run(const Source& rows, const GmmDensityParams& params, Context& ctx);
Outcome gmm_density_apply(const ModelFile& file, const Source& rows, Context& ctx);

}  // namespace sluice
