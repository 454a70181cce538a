#include "sluice/anomaly/detector.h"

#include <algorithm>

namespace sluice {

void require_rows(const Source& rows) {
  require_clean(rows);
  if (rows.rows() < 1) fail(ErrorCode::kBadInput, "rows", "there is no row to score", "give at least one");
  if (rows.cols() < 1) fail(ErrorCode::kBadInput, "columns", "there is no numeric column to score by", "name some with --columns");
}

void require_columns(const Source& rows, int64_t fitted) {
  require_clean(rows);
  if (rows.cols() == fitted) return;
  fail(ErrorCode::kBadInput, "columns", "the model was fitted on " + to_text(fitted) + " columns and there are " + to_text(rows.cols()),
       "choose the same columns with --columns");
}

void score_rows(Outcome& out, const Source& rows, Context& ctx) {
  out.scores.emplace(leaf_range(rows.rows(), rows.cols(), ctx), 0.0);
  map(rows, ctx, [&](int, const MatrixBlock& leaf) { out.score(leaf, out.scores->at(leaf.first_row)); });
}

std::function<void(const MatrixBlock&, double*)> in_blocks(int64_t block, std::function<void(const MatrixBlock&, double*)> f) {
  return [block, f = std::move(f)](const MatrixBlock& rows, double* to) {
    for (int64_t first = 0; first < rows.rows; first += block) f(rows.slice(first, std::min(block, rows.rows - first)), to + first);
  };
}

}  // namespace sluice
