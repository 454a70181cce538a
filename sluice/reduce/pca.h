// Principal component analysis: the orthogonal directions along which the rows vary most.
// Use to see high-dimensional rows in two or three dimensions, to drop noise before clustering, and to decorrelate. It sees straight
// directions only: scale the columns first where their units differ (preprocess), and for curved structure look at neighbours instead.
//
// Rows are centred first, with exact means, so data far from the origin loses nothing. Solvers:
//   full        eigenvectors of the d x d cross products, or with fewer rows than columns of the n x n ones; every component is accurate
//   randomized  a random subspace of n_components + n_oversamples directions, refined by passes over the rows; the leading components
//   auto        full; randomized when rows and columns both exceed 1,000 and at most a fifth of the components is asked for
// Agrees with scikit-learn's PCA in names, counts and signs (the largest entry of a component is positive); means and sums are more exact.
//
// Weights count as copies of a row. Determinism: same bits for any threads, ranks, memory, storage and CPU.
// Jolliffe 2002, doi:10.1007/b98835; Halko, Martinsson and Tropp 2011, doi:10.1137/090771806; Minka 2000 (mle).
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "sluice/core/outcome.h"
#include "sluice/core/params.h"

namespace sluice {

enum class PcaSolver { kAuto, kFull, kRandomized };

struct PcaParams {
  std::string n_components = "all";
  PcaSolver svd_solver = PcaSolver::kAuto;
  bool whiten = false;
  std::optional<int64_t> iterated_power{};
  int64_t n_oversamples = 10;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(n_components, "n_components", Text{},
      "How many components to keep: a count, a share of the variance between 0 and 1, mle (Minka's guess), or all.");
    v(svd_solver, "svd_solver",
      Choices<PcaSolver>{{{"auto", PcaSolver::kAuto}, {"full", PcaSolver::kFull}, {"randomized", PcaSolver::kRandomized}}},
      "full is exact; randomized is quicker for a few of thousands of columns; auto takes it when both sides exceed 1,000.");
    v(whiten, "whiten", Flag{}, "Scale the embedding's columns to unit variance.");
    v(iterated_power, "iterated_power", Range<int64_t>{0, 1000},
      "Refining passes of the randomized solver; auto: 7 for less than a tenth of the components, else 4.");
    v(n_oversamples, "n_oversamples", Range<int64_t>{0, 100'000}, "Further random directions of the randomized solver, for accuracy.");
  }
};

struct PcaModel {
  std::vector<double> mean;                      // d
  Matrix<double> components;                     // k x d, orthonormal rows, falling variance
  std::vector<double> explained_variance;        // k, divided by the weight less one
  std::vector<double> explained_variance_ratio;  // k, of the variance of all columns; 0 where there is none
  std::vector<double> singular_values;           // k, of the centred rows
  double noise_variance = 0;                     // mean variance of the directions left out (Tipping and Bishop 1999)
  bool whiten = false;
};

struct PcaFit {
  PcaModel model;
  const char* solver = "full";
};

// Cost: full O(n d^2 + d^3) for n >= d, else O(n^2 d + n^3); randomized iterated_power + 2 passes of O(n d l), l = k + n_oversamples.
// Memory: full 16 d^2 bytes a thread and 32 d^2 once, for n < d instead 16 n^2 a thread and 16 n d + 32 n^2 once; randomized 8 d (5 l +
// 300) a thread and 32 d l once. Fewer threads are used where --memory is short. Rows must be measured. Throws Error{kUsage} for
// n_components that says nothing, Error{kBadInput} for fewer than two rows or more components than min(n, d), Error{kMemory} naming the
// bytes.
PcaFit pca_fit(const Source& rows, const PcaParams& params, Context& ctx);

// out: rows x k, (row - mean) components^T, divided by sqrt(explained_variance) with whiten. Cost O(rows d k). Row-local.
void pca_transform(const PcaModel& model, const MatrixBlock& rows, double* out);

// The rows that `embedded` (m x k) stand for: m x d. Exact up to what the components left out.
Matrix<double> pca_inverse_transform(const PcaModel& model, const Matrix<double>& embedded);

// As a file. pca_load throws Error{kBadModel} where shapes do not agree or a value makes no sense.
ModelFile pca_save(const PcaModel& model);
PcaModel pca_load(const ModelFile& file);

// By name, for the registry.
Outcome pca_run(const Source& rows, const PcaParams& params, Context& ctx);
Outcome pca_apply(const ModelFile& model, const Source& rows, Context& ctx);

}  // namespace sluice
