#include "sluice/core/table_rows.h"

#include <algorithm>

#include "sluice/core/fold.h"

namespace sluice {

void each_row(const Table& table, Context& ctx, const std::function<void(int worker, const double* numbers, int64_t row)>& f) {
  each_row(table.numbers.get(), table.rows, ctx, f);
}

void each_row(const Source* numbers, int64_t rows, Context& ctx,
              const std::function<void(int worker, const double* numbers, int64_t row)>& f) {
  if (numbers != nullptr) {
    map(*numbers, ctx, [&](int worker, const MatrixBlock& leaf) {
      std::vector<double> scratch(static_cast<size_t>(leaf.cols));
      for (int64_t i = 0; i < leaf.rows; ++i) f(worker, leaf.row(i, scratch.data()), leaf.first_row + i);
    });
    return;
  }
  const LeafRange range = leaf_range(rows, 1, ctx);
  for_each_leaf(range, ctx, [&](int worker, int64_t leaf) {
    const int64_t end = std::min(range.rows, (leaf + 1) * range.rows_per_leaf);
    for (int64_t row = leaf * range.rows_per_leaf; row < end; ++row) f(worker, nullptr, row);
  });
}

}  // namespace sluice
