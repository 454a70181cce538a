// Gaussian mixture: rows as draws from a few normal distributions, fitted by expectation maximisation (EM).
// Use where groups overlap, have different spreads or slanted shapes, and where a density is wanted (anomalies, new samples). For compact
// groups of one size kmeans.h is quicker; for odd shapes or noise see dbscan.h. Scale columns whose units differ.
//
// Agrees with scikit-learn's GaussianMixture in names, defaults and, from equal starts, in numbers. Unlike it: second moments are summed
// about provisional means, so no variance is negative and data far from the origin loses nothing; a component that no row belongs to, or
// whose covariance is singular, is started again at the row that the mixture explains worst; weights of rows count as copies.
//
// Determinism: same bits for any threads, ranks, memory, storage and CPU: sums are leaf sums in integers (reduce/leaf_sums.h).
// Dempster, Laird and Rubin 1977; McLachlan and Peel 2000, doi:10.1002/0471721182; Schwarz 1978, doi:10.1214/aos/1176344136 (BIC).
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "sluice/core/outcome.h"
#include "sluice/core/params.h"
#include "sluice/kernels/gaussian.h"

namespace sluice {

enum class CovarianceType { kFull, kTied, kDiag, kSpherical };
enum class GmmInit { kKMeans, kPlusPlus, kRandom, kRandomFromData };

struct GmmParams {
  std::optional<int64_t> n_components = 1;
  int64_t max_components = 10;
  CovarianceType covariance_type = CovarianceType::kFull;
  double tol = 1e-3;
  double reg_covar = 1e-6;
  double reg_covar_relative = 0;
  int64_t max_iter = 100;
  int64_t n_init = 1;
  GmmInit init_params = GmmInit::kKMeans;
  std::string weights_init, means_init, precisions_init;
  int64_t n_samples = 0;
  bool probabilities = false;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(n_components, "n_components", Range<int64_t>{1, 1'000'000},
      "Number of components; auto: the one up to max_components with the lowest BIC.");
    v(max_components, "max_components", Range<int64_t>{1, 1000}, "Most components that auto tries.");
    v(covariance_type, "covariance_type",
      Choices<CovarianceType>{{{"full", CovarianceType::kFull},
                               {"tied", CovarianceType::kTied},
                               {"diag", CovarianceType::kDiag},
                               {"spherical", CovarianceType::kSpherical}}},
      "Shape of the components: any, any but shared by all, along the axes, round.");
    v(tol, "tol", Range<double>{0, 1e6}, "Stop when the mean log-likelihood of a row changes by less than this.");
    v(reg_covar, "reg_covar", Range<double>{0, 1e300}, "Added to every variance, in squared units of the columns.");
    v(reg_covar_relative, "reg_covar_relative", Range<double>{0, 1}, "Added to every variance, as a share of the column's own variance.");
    v(max_iter, "max_iter", Range<int64_t>{1, 1'000'000}, "Most EM steps of one start.");
    v(n_init, "n_init", Range<int64_t>{1, 10'000},
      "Starts, of which the likeliest is kept; on small data, where they cost nothing, four times as many.");
    v(init_params, "init_params",
      Choices<GmmInit>{{{"kmeans", GmmInit::kKMeans},
                        {"k-means++", GmmInit::kPlusPlus},
                        {"random", GmmInit::kRandom},
                        {"random_from_data", GmmInit::kRandomFromData}}},
      "First groups: k-means; one pass of it from spread or from random rows; or random memberships.");
    v(weights_init, "weights_init", FilePath{}, "A file with the first weights, one a component.");
    v(means_init, "means_init", FilePath{}, "A file with the first means, one a row; groups are then the rows nearest to each.");
    v(precisions_init, "precisions_init", FilePath{},
      "A file with the first inverse covariances: full, the d x d matrices one below the other; tied, one; diag, a row a component; "
      "spherical, a number a component.");
    v(n_samples, "n_samples", Range<int64_t>{0, int64_t{1} << 40}, "New rows to draw from the mixture, written to samples.csv.");
    v(probabilities, "probabilities", Flag{}, "Write responsibilities.npy: how much each component claims each row.");
  }
};

// Shapes of covariances and precisions_cholesky: full (k d) x d, the matrices one below the other; tied d x d; diag k x d; spherical k x 1.
struct GmmModel {
  CovarianceType covariance_type = CovarianceType::kFull;
  std::vector<double> weights;         // k, sum 1
  Matrix<double> means;                // k x d
  Matrix<double> covariances;          // empty in a start that was given by its precisions
  Matrix<double> precisions_cholesky;  // upper triangular U with U U^T = inverse covariance; diag, spherical: 1 / standard deviation
};

// The starts a fit may be given; each may be empty. precisions: shaped as covariances.
struct GmmStart {
  std::vector<double> weights;
  Matrix<double> means;
  Matrix<double> precisions;
};

struct GmmFit {
  GmmModel model;
  double lower_bound = 0;  // mean log-likelihood before the last M-step, by which starts are compared
  int64_t n_iter = 0;      // EM steps of the best start
  bool converged = false;
  int64_t restarted = 0;                 // components started again in it
  std::vector<double> bics, aics;        // auto: of 1, 2, ... components; infinite where every start ended singular
  RowColumn<int32_t> labels;             // this rank's rows: the likeliest component, ties to the lowest
  RowColumn<double> log_density;         // this rank's rows
  std::vector<double> responsibilities;  // with params.probabilities: this rank's rows x k
  std::vector<int64_t> cluster_sizes;    // rows by label
  double log_likelihood = 0;             // mean of a row (by weight) under the model
  double weight = 0;                     // rows, or the sum of their weights
};

// Cost: up to n_init * max_iter passes (four times that on small data, up to a million of rows * columns * components) of O(n k d^2) (diag, spherical: O(n k d)). Memory: 8 bytes a row while fitting, 12 at the end (8 k
// more with probabilities); 24 k d^2 bytes a thread and 32 k d^2 once (tied: d^2, diag: d). Fewer threads are used where memory is short.
// Rows must be measured. Throws Error{kBadInput} if n < k or a value is not finite, Error{kNumerical} where no covariance of positive
// definite shape exists (reg_covar 0 on constant or collinear columns), Error{kMemory}, Error{kInterrupted} after a checkpoint.
GmmFit gmm_fit(const Source& rows, const GmmParams& params, const GmmStart& start, Context& ctx);

// Fills labels, log_density, responsibilities (if asked), sizes, weight and likelihood of `rows` under fit.model. One pass.
void gmm_score(const Source& rows, bool probabilities, GmmFit& fit, Context& ctx);

// Free parameters of a mixture; BIC = -2 L + parameters * log(weight), AIC = -2 L + 2 parameters, L the summed log-likelihood.
int64_t gmm_parameters(CovarianceType type, int64_t k, int64_t d);

// The model laid out for the kernels. Cost O(k d^2).
kernels::GaussianPlan gmm_plan(const GmmModel& model);
// out[r] = log density of the mixture at row r. Row-local; any thread. Cost O(rows k d^2). The second form lays the model out each time.
void gmm_log_density(const kernels::GaussianPlan& plan, const MatrixBlock& rows, double* out);
void gmm_log_density(const GmmModel& model, const MatrixBlock& rows, double* out);

// What drawing needs: the model's covariances, factored. Cost O(k d^3). Rows [first, first + count) of the endless sample that `seed`
// names: count x d; each row is a function of (seed, its number) alone.
struct GmmSampler {
  Matrix<double> means;
  std::vector<double> cumulative;     // weights added up
  std::vector<Matrix<double>> roots;  // a component (tied: one for all): upper triangular R with R^T R = covariance; diag, spherical: 1 x d
};
GmmSampler gmm_sampler(const GmmModel& model);
Matrix<double> gmm_sample(const GmmSampler& sampler, uint64_t seed, int64_t first, int64_t count);

// As a file; gmm_load throws Error{kBadModel} where shapes do not agree or a value makes no sense.
ModelFile gmm_save(const GmmModel& model);
GmmModel gmm_load(const ModelFile& file);

// By name, for the registry.
Outcome gmm_run(const Source& rows, const GmmParams& params, Context& ctx);
Outcome gmm_apply(const ModelFile& model, const Source& rows, Context& ctx);

}  // namespace sluice
