// Centred cross products of all pairs of columns: what covariance, correlation, PCA and Gaussian models start from.
// Use for up to a few thousand columns. For more, pca.h's randomised solver never makes the d x d matrix.
#pragma once
#include <vector>

#include "sluice/core/exact_sum.h"
#include "sluice/core/fold.h"
#include "sluice/core/matrix.h"
#include "sluice/kernels/syrk.h"
#include "sluice/reduce/leaf_sums.h"

namespace sluice {

// The mean of every column; of a constant column its value, exactly.
std::vector<double> centers_of(const Source& rows, Context& ctx);

// The smallest e with |x - center| < 2^e for all values of each column, from the statistics.
std::vector<int> deviation_exponents(const Source& rows, const std::vector<double>& center);

// sum(i, j) * 2^(exponents[i] + exponents[j] + weight_exponent) = sum over rows of weight (x_i - center_i) (x_j - center_j), both triangles
// filled; the powers of two keep columns of any units inside double.
struct CrossProducts {
  Matrix<double> sum;
  std::vector<int> exponents;
  int weight_exponent = 0;
  double weight = 0;  // rows, or the sum of their weights

  double at(int64_t i, int64_t j) const;  // the product sum itself
};

// Brings all entries to one power of two, that of the largest column, and returns it: values are sum(i, j) * 2^result then. What is below
// the largest by more than double's range becomes 0.
int to_one_scale(CrossProducts& products);

// One pass. `exponents` as deviation_exponents gives them. Cost n d (d + 1) / 2 fma. Memory: 16 d^2 bytes a thread and 8 d^2 a rank; fewer
// threads are used where memory is short. Determinism: products within a leaf are summed in row order, leaf totals exactly: same bits for
// any threads, ranks, memory, storage and CPU. Throws Error{kMemory} when one thread's sums do not fit.
CrossProducts cross_products(const Source& rows, const std::vector<double>& center, const std::vector<int>& exponents, Context& ctx);

// The same as a state of the executor (core/fold.h); shared parts are prepared once.
struct CovariancePlan {
  CovariancePlan(const Source& rows, const std::vector<double>& center, const std::vector<int>& exponents, const Context& ctx);
  int64_t cols;
  const std::vector<double>* center;
  LeafSumFormat format;
  std::vector<double> left;  // scales of a product's two sides; the left one takes the weight's range too
  std::vector<double> right;
};

class CovarianceState {
 public:
  explicit CovarianceState(const CovariancePlan& plan);
  void accumulate(const MatrixBlock& leaf);
  void merge(CovarianceState&& other);
  void save(ByteWriter& out) const;
  void load(ByteReader& in);
  int64_t bytes() const;

  double weight() const { return static_cast<double>(rows_) + weight_.value(); }
  // The scaled sum of products of columns i <= j.
  double scaled(int64_t i, int64_t j) const;

 private:
  const CovariancePlan* plan_;
  std::vector<int64_t> sums_;  // row i of the triangle: d - i high limbs, then d - i low ones
  ExactSum weight_;
  int64_t rows_ = 0;  // rows without weights
  int64_t leaves_ = 0;
  std::vector<double> upper_;  // one leaf's sums
  kernels::SyrkScratch scratch_;
};

}  // namespace sluice
