// A table's rows as preprocessing turns them into numbers, computed when read: chosen rows, gaps filled, limits, levels, scale. The fit
// looks through ever fuller views of its input and apply through the last one, so both give the same bits.
// Not for passes without end: a view costs the work of its steps at each reading; write_rows() keeps the result.
#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/source.h"

namespace sluice {

// One column of a view: from a column of numbers, or from a text column's codes (encode.h).
struct ViewColumn {
  int64_t number = -1;
  double fill = std::numeric_limits<double>::quiet_NaN();  // for a missing value
  double low = -std::numeric_limits<double>::infinity();   // values outside are set to the limit
  double high = std::numeric_limits<double>::infinity();
  std::shared_ptr<const std::vector<int32_t>> codes;  // one an input row
  int32_t level = -1;                                 // one-hot: 1 where the code is this one; -1: the code itself
  int32_t unknown = 0;                                // what a negative code counts as when level is -1
  double center = 0;
  double scale = 1;
};

class RowsView final : public Source {
 public:
  // kept: input row numbers, ascending; null: all `rows`. `numbers` may be null when no column asks for it.
  RowsView(std::shared_ptr<const Source> numbers, int64_t rows, std::shared_ptr<const std::vector<int64_t>> kept,
           std::vector<ViewColumn> columns);

  int64_t rows() const override { return kept_ != nullptr ? static_cast<int64_t>(kept_->size()) : rows_; }
  int64_t cols() const override { return static_cast<int64_t>(columns_.size()); }
  DType dtype() const override { return DType::kF64; }
  MatrixBlock read(int64_t first, int64_t count, BlockBuffer& buffer) const override;
  // The same rows written to `out` (count x cols); `inner` is what the numbers are read through.
  void write(int64_t first, int64_t count, double* out, BlockBuffer& inner) const;

 private:
  int64_t input_row(int64_t row) const { return kept_ != nullptr ? (*kept_)[static_cast<size_t>(row)] : row; }
  void transform(const double* in, int64_t input_row, double* out) const;
  // Where the view is the first columns of numbers in their order, the same as arrays, which the compiler makes vectors of.
  struct Plain {
    std::vector<double> fill, low, high, center, scale;
  };
  void transform_plain(const double* in, double* out) const;
  std::shared_ptr<const Source> numbers_;
  int64_t rows_;
  std::shared_ptr<const std::vector<int64_t>> kept_;
  std::vector<ViewColumn> columns_;
  bool is_plain_ = false;
  Plain plain_;
};

// The view's rows in memory or a spool file (row_store.h), names with them, statistics measured. Every rank writes its own copy;
// collective. Throws Error{kNumerical} naming a column where a value became infinite.
std::shared_ptr<Source> write_rows(const RowsView& view, Context& ctx);

}  // namespace sluice
