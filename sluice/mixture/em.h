// One step of expectation maximisation as a state: how much each component claims each row, and the sums its new parameters come of.
// What a leaf adds up in double goes into integers (reduce/leaf_sums.h), so the state has no word on threads, ranks or disks.
#pragma once
#include <functional>
#include <vector>

#include "sluice/core/exact_sum.h"
#include "sluice/core/fold.h"
#include "sluice/kernels/syrk.h"
#include "sluice/mixture/gmm.h"
#include "sluice/reduce/leaf_sums.h"

namespace sluice::mixture {

// A number for every row and component, in [0, 1]: to[c * stride + r] of a block's rows. Any thread.
using Claims = std::function<void(const MatrixBlock& rows, double* to, int64_t stride)>;

// What a step needs and all threads share.
struct EmPlan {
  // Ranges are those of the rows and of `about`. Borrows everything.
  EmPlan(const Source& rows, CovarianceType type, const Matrix<double>& about, const Context& ctx);

  int64_t k = 0, d = 0;
  CovarianceType type = CovarianceType::kFull;
  const Matrix<double>* about = nullptr;           // k x d: the provisional means
  const kernels::GaussianPlan* density = nullptr;  // claims by the model ...
  const Claims* claims = nullptr;                  // ... or, at the start, as given
  RowColumn<double>* log_density = nullptr;        // where the model's go, or null
  LeafSumFormat format;
  std::vector<double> left, right;  // powers of two that bring products of columns into the format's range; left takes the weight's too
  double weight_scale = 1;

  bool narrow() const { return d <= kernels::kNarrow; }
  bool dense() const { return type == CovarianceType::kFull || type == CovarianceType::kTied; }
  int64_t seconds() const;  // second moments a component: d x d, or d
  int64_t second_sets() const { return type == CovarianceType::kTied ? 1 : k; }
  int64_t totals() const { return k * (1 + d) + second_sets() * kept_seconds(); }
  int64_t kept_seconds() const;  // without the lower triangle
};

// The sums over rows of claims: weight (k), claim * (x - about) (k x d), and claim * (x - about)(x - about)^T: full (k d) x d, tied d x d;
// diag and spherical k x d, the diagonals.
struct ClaimSums {
  std::vector<double> weight;
  Matrix<double> first;
  Matrix<double> second;
};

class EmState {
 public:
  explicit EmState(const EmPlan& plan);
  void accumulate(const MatrixBlock& leaf);
  void merge(EmState&& other);
  void save(ByteWriter& out) const;
  void load(ByteReader& in);
  int64_t bytes() const;

  ClaimSums sums() const;
  double log_likelihood() const { return log_likelihood_.value(); }  // of all rows, by weight
  double weight() const { return static_cast<double>(rows_) + weight_.value(); }

 private:
  void claim(const MatrixBlock& block);
  void add_claimed(const MatrixBlock& block, int64_t c);
  void add_narrow(const MatrixBlock& block);
  void total_narrow();
  void add_totals();

  const EmPlan* plan_;
  std::vector<int64_t> high_, low_;  // per component weight, first moments; then the kept second moments
  ExactSum log_likelihood_, weight_;
  int64_t rows_ = 0;  // rows without weights
  int64_t leaves_ = 0;

  // One leaf's totals, and a block's working memory.
  std::vector<double> weights_, first_, second_;
  double leaf_log_likelihood_ = 0;
  std::vector<double> claims_, peak_, sum_, picked_, picked_claims_, columns_, lanes_;
  kernels::GaussianScratch gaussian_;
  kernels::SyrkScratch syrk_;
};

// Labels, log densities and, when asked, responsibilities under a finished model.
class ScoreState {
 public:
  ScoreState(const kernels::GaussianPlan& density, RowColumn<int32_t>& labels, RowColumn<double>& log_density, double* responsibilities);
  void accumulate(const MatrixBlock& leaf);
  void merge(ScoreState&& other);
  void save(ByteWriter& out) const;
  void load(ByteReader& in);
  int64_t bytes() const;

  ExactSum log_likelihood, weight;
  int64_t rows = 0;             // without weights
  std::vector<int64_t> counts;  // by label

 private:
  const kernels::GaussianPlan* density_;
  RowColumn<int32_t>* labels_;
  RowColumn<double>* log_density_;
  double* responsibilities_;  // of the rank's first row, or null
  std::vector<double> claims_, peak_, sum_;
  kernels::GaussianScratch scratch_;
};

// Bytes of an EmState, for who chooses the number of threads.
double em_bytes(CovarianceType type, int64_t k, int64_t d);

}  // namespace sluice::mixture
