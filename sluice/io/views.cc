#include "sluice/io/views.h"

#include <algorithm>
#include <cstring>

#include "sluice/core/error.h"

namespace sluice {
namespace {

template <class T>
void pick(const MatrixBlock& from, const std::vector<int64_t>& cols, T* to) {
  for (int64_t i = 0; i < from.rows; ++i) {
    const T* row = static_cast<const T*>(from.data) + i * from.stride;
    for (const int64_t j : cols) *to++ = row[j];
  }
}

// Rows of a block, packed, as float64 or as the float32 they are.
void append_rows(const MatrixBlock& from, DType to_type, std::byte* to) {
  for (int64_t i = 0; i < from.rows; ++i) {
    if (to_type == from.dtype) {
      const MatrixBlock row = from.slice(i, 1);
      std::memcpy(to, row.data, static_cast<size_t>(from.cols) * size_of(to_type));
    } else {
      from.row(i, reinterpret_cast<double*>(to));
    }
    to += static_cast<size_t>(from.cols) * size_of(to_type);
  }
}

void require_equal_columns(const Table& first, const Table& other, const std::string& where) {
  if (first.columns.size() != other.columns.size()) {
    fail(ErrorCode::kBadInput, where,
         "has " + std::to_string(other.columns.size()) + " columns where the first file has " + std::to_string(first.columns.size()),
         "read files of equal columns together");
  }
  for (size_t j = 0; j < first.columns.size(); ++j) {
    const TableColumn& a = first.columns[j];
    const TableColumn& b = other.columns[j];
    if (a.name != b.name) {
      fail(ErrorCode::kBadInput, where, "has the column '" + b.name + "' where the first file has '" + a.name + "'",
           "read files of equal columns together");
    }
    if ((a.type == ColumnType::kText) != (b.type == ColumnType::kText) || a.index != b.index) {
      fail(ErrorCode::kBadInput, where, "has text in column '" + a.name + "' where another file has numbers, or the reverse",
           "make the column one kind in all files");
    }
  }
}

void append_texts(const TextColumn& from, TextColumn& to) {
  for (int64_t i = 0; i < from.rows(); ++i) {
    if (from.missing(i))
      to.append_missing();
    else
      to.append(from.at(i));
  }
}

}  // namespace

PickedColumns::PickedColumns(std::shared_ptr<const Source> from, std::vector<int64_t> cols)
    : from_(std::move(from)), cols_(std::move(cols)) {}

MatrixBlock PickedColumns::read(int64_t first, int64_t count, BlockBuffer& buffer) const {
  BlockBuffer whole;
  const MatrixBlock all = from_->read(first, count, whole);
  std::byte* to = buffer.reserve(static_cast<size_t>(std::max<int64_t>(1, count * cols())) * size_of(dtype()));
  if (dtype() == DType::kF32)
    pick(all, cols_, reinterpret_cast<float*>(to));
  else
    pick(all, cols_, reinterpret_cast<double*>(to));
  return {dtype(), to, count, cols(), cols(), first, all.weights};
}

StackedRows::StackedRows(std::vector<std::shared_ptr<const Source>> parts) : parts_(std::move(parts)) {
  int64_t end = 0;
  for (const auto& part : parts_) {
    end += part->rows();
    ends_.push_back(end);
    if (part->dtype() == DType::kF64) dtype_ = DType::kF64;
  }
}

MatrixBlock StackedRows::read(int64_t first, int64_t count, BlockBuffer& buffer) const {
  size_t part = static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), first) - ends_.begin());
  part = std::min(part, parts_.size() - 1);
  const auto begin = [&](size_t i) { return i == 0 ? 0 : ends_[i - 1]; };
  if (first + count <= ends_[part] && parts_[part]->dtype() == dtype_) {
    MatrixBlock block = parts_[part]->read(first - begin(part), count, buffer);
    block.first_row = first;
    return block;
  }
  const size_t row_bytes = static_cast<size_t>(cols()) * size_of(dtype_);
  std::byte* to = buffer.reserve(std::max<size_t>(1, static_cast<size_t>(count) * row_bytes));
  BlockBuffer piece;
  for (int64_t at = first; at < first + count; ++part) {
    const int64_t rows = std::min(first + count, ends_[part]) - at;
    if (rows <= 0) continue;
    append_rows(parts_[part]->read(at - begin(part), rows, piece), dtype_, to + static_cast<size_t>(at - first) * row_bytes);
    at += rows;
  }
  return {dtype_, to, count, cols(), cols(), first, nullptr};
}

Table stack_tables(std::vector<Table> parts, const std::vector<std::string>& where, int64_t memory) {
  if (parts.size() == 1) return std::move(parts[0]);
  Table all;
  all.columns = parts[0].columns;
  std::vector<std::shared_ptr<const Source>> numbers;
  for (size_t i = 0; i < parts[0].texts.size(); ++i) all.texts.push_back(std::make_shared<TextColumn>(memory));
  for (size_t p = 0; p < parts.size(); ++p) {
    Table& part = parts[p];
    require_equal_columns(parts[0], part, where[p]);
    all.rows += part.rows;
    all.rejected.insert(all.rejected.end(), part.rejected.begin(), part.rejected.end());
    for (size_t j = 0; j < all.columns.size(); ++j) {
      if (part.columns[j].type == ColumnType::kReal) all.columns[j].type = ColumnType::kReal;
      all.columns[j].beyond_double |= part.columns[j].beyond_double;
    }
    for (size_t i = 0; i < part.texts.size(); ++i) append_texts(*part.texts[i], *all.texts[i]);
    if (part.numbers != nullptr) numbers.push_back(part.numbers);
  }
  if (!numbers.empty()) {
    const std::vector<std::string> names = numbers[0]->names;
    all.numbers = std::make_shared<StackedRows>(std::move(numbers));
    all.numbers->names = names;
  }
  return all;
}

}  // namespace sluice
