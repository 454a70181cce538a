// Sources made of other sources without a copy: some of the columns, or one below the other.
#pragma once
#include <memory>
#include <vector>

#include "sluice/core/source.h"
#include "sluice/core/table.h"

namespace sluice {

// The columns `cols` of `from`, in that order. Each read copies them out.
class PickedColumns final : public Source {
 public:
  PickedColumns(std::shared_ptr<const Source> from, std::vector<int64_t> cols);
  int64_t rows() const override { return from_->rows(); }
  int64_t cols() const override { return static_cast<int64_t>(cols_.size()); }
  DType dtype() const override { return from_->dtype(); }
  MatrixBlock read(int64_t first, int64_t count, BlockBuffer& buffer) const override;

 private:
  std::shared_ptr<const Source> from_;
  std::vector<int64_t> cols_;
};

// The rows of all parts, one part after the other; parts have equal columns. float32 only when all parts are.
class StackedRows final : public Source {
 public:
  explicit StackedRows(std::vector<std::shared_ptr<const Source>> parts);
  int64_t rows() const override { return ends_.back(); }
  int64_t cols() const override { return parts_[0]->cols(); }
  DType dtype() const override { return dtype_; }
  MatrixBlock read(int64_t first, int64_t count, BlockBuffer& buffer) const override;

 private:
  std::vector<std::shared_ptr<const Source>> parts_;
  std::vector<int64_t> ends_;
  DType dtype_ = DType::kF32;
};

// Tables of equal columns as one, rows in the given order; `where` names each in errors.
// Throws Error{kBadInput} naming the first table whose column names or kinds (number or text) differ from the first one's.
Table stack_tables(std::vector<Table> parts, const std::vector<std::string>& where, int64_t memory);

}  // namespace sluice
