// Truncated singular value decomposition: the directions that hold most of the rows' length, without centring them first.
// Use where zero means something: counts, TF-IDF and other rows of mostly zeros (latent semantic analysis). For rows of measurements take
// pca.h, which looks at what varies: without centring the first direction mostly points at the mean.
//
// Algorithms:
//   exact       eigenvectors of X^T X (d x d), or with fewer rows than columns of X X^T (n x n); every component is accurate
//   randomized  a random subspace of n_components + n_oversamples directions, refined by n_iter passes over the rows
//   auto        exact; randomized when rows and columns both exceed 1,000 and at most a fifth of the components is asked for
// Agrees with scikit-learn's TruncatedSVD in names and signs (the largest entry of a component is positive).
//
// Weights count as copies of a row. Determinism: same bits for any threads, ranks, memory, storage and CPU.
// Halko, Martinsson and Tropp 2011, doi:10.1137/090771806; Deerwester et al. 1990 (latent semantic analysis).
#pragma once
#include <vector>

#include "sluice/core/outcome.h"
#include "sluice/core/params.h"

namespace sluice {

enum class SvdAlgorithm { kAuto, kExact, kRandomized };

struct SvdParams {
  int64_t n_components = 2;
  SvdAlgorithm algorithm = SvdAlgorithm::kAuto;
  int64_t n_iter = 5;
  int64_t n_oversamples = 10;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(n_components, "n_components", Range<int64_t>{1, int64_t{1} << 31}, "How many components to keep.");
    v(algorithm, "algorithm",
      Choices<SvdAlgorithm>{{{"auto", SvdAlgorithm::kAuto}, {"exact", SvdAlgorithm::kExact}, {"randomized", SvdAlgorithm::kRandomized}}},
      "exact finds every component; randomized is quicker for a few of thousands of columns; auto takes it when both sides exceed 1,000.",
      "randomized");
    v(n_iter, "n_iter", Range<int64_t>{0, 1000}, "Refining passes of the randomized algorithm.");
    v(n_oversamples, "n_oversamples", Range<int64_t>{0, 100'000}, "Further random directions of the randomized algorithm, for accuracy.");
  }
};

struct SvdModel {
  Matrix<double> components;                     // k x d, orthonormal rows, falling singular values
  std::vector<double> explained_variance;        // k, of the embedding's columns about their means, divided by the weight
  std::vector<double> explained_variance_ratio;  // k, of the variance of all columns; 0 where there is none
  std::vector<double> singular_values;           // k, lengths of the embedding's columns
};

struct SvdFit {
  SvdModel model;
  const char* algorithm = "exact";
};

// Cost: exact O(n d^2 + d^3) for n >= d, else O(n^2 d + n^3); randomized n_iter + 2 passes of O(n d l), l = k + n_oversamples; then one pass
// of O(n d k). Sparse rows (core/csr.h) give the same bits, the ratios to rounding; randomized, a pass costs O(non-zeros l).
// Memory: exact 16 d^2 bytes a thread and 32 d^2 once, for n < d 16 n^2 a thread and 16 n d + 32 n^2 once; randomized 8 d (5 l + 300) a
// thread and 32 d l once. Rows must be measured. Throws Error{kBadInput} for fewer than two rows or more components than
// min(n, d), Error{kMemory} naming the bytes.
SvdFit svd_fit(const Source& rows, const SvdParams& params, Context& ctx);

// out: rows x k, row components^T. Cost O(rows d k). Row-local.
void svd_transform(const SvdModel& model, const MatrixBlock& rows, double* out);

// The rows that `embedded` (m x k) stand for: m x d.
Matrix<double> svd_inverse_transform(const SvdModel& model, const Matrix<double>& embedded);

// As a file. svd_load throws Error{kBadModel} where shapes do not agree or a value makes no sense.
ModelFile svd_save(const SvdModel& model);
SvdModel svd_load(const ModelFile& file);

// By name, for the registry.
Outcome svd_run(const Source& rows, const SvdParams& params, Context& ctx);
Outcome svd_apply(const ModelFile& model, const Source& rows, Context& ctx);

}  // namespace sluice
