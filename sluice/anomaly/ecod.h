// ECOD: how far out in the tails of its columns a row lies, by each column's own empirical distribution. No parameter, nothing random.
// Use on tables whose anomalies are extreme in some columns; each column counts the same whatever its unit. Not for rows whose values
// are usual one by one and wrong together (mahalanobis.h, lof.h).
//
// With F(x) the share of the fit's rows at most x and G(x) the share at least x, the tails are l = -ln F and r = -ln G. A column adds
// max(l, r, s), where s is r if the column is skewed to the right, l if to the left, l + r if to neither side; a row's score is the sum:
// PyOD's ECOD. A new value beyond all of the fit has the share 1 / (n + 1).
//
// Determinism: counts and one fixed order of sums; same bits for any threads, ranks, storage and CPU. Li, Zhao, Hu, Botta, Ionescu and Chen
// 2022, doi:10.1109/TKDE.2022.3159580.
#pragma once
#include <vector>

#include "sluice/core/outcome.h"
#include "sluice/core/params.h"

namespace sluice {

struct EcodParams {
  template <class Visitor>
  void describe(Visitor&&) {}
};

struct EcodModel {
  Matrix<double> sorted;          // d x n: every column's values, ascending
  std::vector<int64_t> skewness;  // of each column: -1, 0 or 1
};

struct EcodFit {
  EcodModel model;
  std::vector<double> scores;  // of all rows, on every rank
};

// Cost O(d n log n). Memory: 8 n d bytes, twice while the model is made, and 24 n a thread. Throws Error{kMemory} where that does not
// fit.
EcodFit ecod_fit(const Source& rows, Context& ctx);

// out[r] = score of row r. Cost O(d log n) a row. Row-local, any thread.
void ecod_score(const EcodModel& model, const MatrixBlock& rows, double* out);

// By name, for the registry.
Outcome ecod_run(const Source& rows, const EcodParams& params, Context& ctx);
Outcome ecod_apply(const ModelFile& file, const Source& rows, Context& ctx);

}  // namespace sluice
