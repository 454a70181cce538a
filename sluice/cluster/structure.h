// Has data cluster structure at all? Its k-means curve, log of the within-cluster squares against k, is held against the curves of data
// that have none (metrics/null_reference.h); it must fall faster than under every null. The inside of choose_k.h, on a sample of rows.
//
// For one null: D(k) = log W(1) - log W(k). z(k) is the data's D(k) less the references' mean, over their deviation; the statistic is the
// largest z over k; what it would be without structure is known from each reference held against the others. `excess` is how many of that
// spread's deviations the statistic lies above its mean. With Gumbel's law for a largest value the excess passes `limit` in a share `level`
// of data from that null. The null with the least excess decides: data is called structured only when no null explains it, so the true rate
// of false calls is well below the level whenever more than one null fits.
//
// Determinism: references are drawn by (seed, null, number), spread over threads and ranks, and put together as integers of their bits.
#pragma once
#include <string>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/metrics/null_reference.h"

namespace sluice {

// log W of the best of `starts` k-means partitions of the rows for each k; not below log of 1e-12 of the rows' total squares (so that
// exact partitions of repeated rows stay finite), and for k >= rows that floor. One thread.
std::vector<double> log_wcss(const Matrix<double>& rows, const std::vector<int64_t>& ks, int64_t starts, uint64_t seed, const Context& ctx);

struct NullVerdict {
  NullKind kind = NullKind::kUniform;
  double excess = 0;
  std::vector<double> mean, deviation;  // of the references' log W, one a k
  int64_t references = 0;
};

struct StructureTest {
  std::vector<int64_t> k;        // 1, 2, ...
  std::vector<double> log_wcss;  // of the rows, one start, as for the references
  std::vector<NullVerdict> nulls;
  size_t decisive = 0;  // which null has the least excess
  double limit = 0;
  bool structured = false;
};

// `references` of each null, twice as many when it is close. Cost: 4 nulls * references * k_max k-means fits of one start. Rows with no
// spread have no structure. Collective: the same rows on every rank.
StructureTest structure_test(const Matrix<double>& rows, int64_t k_max, int64_t references, double level, Context& ctx);

// Would more clusters than k be found in Gaussian clusters too? z of log W(k) - log W(k') against mixtures: each of the k clusters of
// `labels` replaced by a Gaussian of its size, mean and covariance, the largest over k' in `beyond`. `curve` holds the data's log W at k,
// then at each k'.
double split_excess(const Matrix<double>& rows, const std::vector<int32_t>& labels, int64_t k, const std::vector<int64_t>& beyond,
                    const std::vector<double>& curve, int64_t references, int64_t starts, Context& ctx);

}  // namespace sluice
