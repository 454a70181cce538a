// Why a row is anomalous: what its score would be if one value at a time were a usual one. Knows nothing of the detector.
// Use for the few rows that were flagged. The contributions say what the detector looked at, not what caused the anomaly; of two columns that
// say the same neither may count, since replacing one of them changes nothing.
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/matrix.h"
#include "sluice/core/source.h"

namespace sluice {

// The 5 %, 50 % and 95 % quantiles of every column (3 x d), exact: what is usual.
Matrix<double> usual_values(const Source& rows, Context& ctx);

// rows.size() x d: the score of a row less its score with column j set to the column's median (`usual` row 1). Above 0: that value made the
// row more anomalous. `score` is a detector's row-local score. Cost d + 1 scores a row. Memory: 8 d a row, and blocks of rows. Every rank
// computes all of them, on its threads.
Matrix<double> contributions(const Source& source, std::span<const int64_t> rows, const Matrix<double>& usual,
                             const std::function<void(const MatrixBlock&, double*)>& score, Context& ctx);

// How many rows of d columns may be explained at a bearable cost: about 2^33 values are scored at most.
int64_t most_explained(int64_t d);

}  // namespace sluice
