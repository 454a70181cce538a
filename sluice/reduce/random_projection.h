// Random projection: fewer columns by a random matrix, distances kept within a factor 1 +- eps for all pairs with high probability.
// Use where d is in the thousands and PCA's d x d matrix is too dear, before neighbours or clustering. Not to see structure or to
// explain columns: the directions mean nothing; see pca.h.
//
// Kinds: gaussian has normal numbers of variance 1 / q; sparse has +-1 / sqrt(density q) with probability density, else 0, and takes that
// share of the time. Johnson and Lindenstrauss 1984; Dasgupta and Gupta 2003, doi:10.1002/rsa.10073; Achlioptas 2003,
// doi:10.1016/S0022-0000(03)00025-4 (density 1/3); Li, Hastie and Church 2006, doi:10.1145/1150402.1150436 (density 1 / sqrt(d), auto).
#pragma once
#include <optional>

#include "sluice/core/outcome.h"
#include "sluice/core/params.h"

namespace sluice {

enum class ProjectionKind { kGaussian, kSparse };

struct RandomProjectionParams {
  std::optional<int64_t> n_components;
  double eps = 0.1;
  ProjectionKind kind = ProjectionKind::kGaussian;
  std::optional<double> density;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(n_components, "n_components", Range<int64_t>{1, int64_t{1} << 31}, "Columns to keep; auto: as many as eps asks for.");
    v(eps, "eps", Range<double>{0.01, 0.99}, "Distortion of squared distances that auto allows.");
    v(kind, "kind", Choices<ProjectionKind>{{{"gaussian", ProjectionKind::kGaussian}, {"sparse", ProjectionKind::kSparse}}},
      "Normal numbers, or few of one size and either sign.");
    v(density, "density", Range<double>{1e-9, 1}, "Share of entries of a sparse matrix that are not 0; auto: 1 / sqrt(columns).");
  }
};

// The columns that keep all squared distances of n rows within 1 +- eps: 4 ln n / (eps^2 / 2 - eps^3 / 3), rounded down.
int64_t random_projection_columns(int64_t n, double eps);

// The matrix, q x d, its numbers named by (seed, component). Cost O(q d); reads no row. Throws Error{kBadInput} when auto asks for more
// columns than there are, Error{kUsage} for a density of gaussian numbers, Error{kMemory} when 16 q d bytes do not fit.
Matrix<double> random_projection_fit(const Source& rows, const RandomProjectionParams& params, Context& ctx);

// By name, for the registry. Cost of the embedding O(n q d), of a sparse matrix O(n q d density). Memory 16 q d. Same bits for any
// threads, ranks, storage and CPU.
Outcome random_projection_run(const Source& rows, const RandomProjectionParams& params, Context& ctx);
Outcome random_projection_apply(const ModelFile& model, const Source& rows, Context& ctx);

}  // namespace sluice
