#include "sluice/io/dense.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "sluice/core/error.h"

namespace sluice {
namespace {

// The place of the first of `count` 64-bit integers past 2^53, or -1.
int64_t first_inexact(Storage storage, bool byte_swap, const uint64_t* values, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t raw = byte_swap ? __builtin_bswap64(values[i]) : values[i];
    const uint64_t size = storage == Storage::kI64 && static_cast<int64_t>(raw) < 0 ? 0 - raw : raw;
    if (size > static_cast<uint64_t>(kMaxExactInteger)) return i;
  }
  return -1;
}

}  // namespace

ColumnType column_type(Storage storage) {
  switch (storage) {
    case Storage::kF64:
    case Storage::kF32:
    case Storage::kF16:
    case Storage::kBF16:
      return ColumnType::kReal;
    default:
      return ColumnType::kInteger;
  }
}

void require_exact_integers(const File& file, Storage storage, bool byte_swap, int64_t offset, int64_t rows, int64_t cols, bool by_column) {
  if (storage != Storage::kI64 && storage != Storage::kU64) return;
  const int64_t total = rows * cols;
  std::vector<uint64_t> chunk(static_cast<size_t>(std::min<int64_t>(total, int64_t{1} << 17)));
  for (int64_t at = 0; at < total;) {
    const int64_t count = std::min<int64_t>(total - at, static_cast<int64_t>(chunk.size()));
    file.read_exact(offset + at * 8, chunk.data(), static_cast<size_t>(count) * 8);
    const int64_t bad = first_inexact(storage, byte_swap, chunk.data(), count);
    if (bad >= 0) {
      const int64_t row = by_column ? (at + bad) % rows : (at + bad) / cols;
      fail(ErrorCode::kBadInput, file.where() + ": row " + std::to_string(row),
           "holds an integer past 2^53, which no float64 holds exactly",
           "store it as float64 if rounding is meant, or leave the column out if it is an id");
    }
    at += count;
  }
}

int64_t checked_product(int64_t a, int64_t b) {
  int64_t product = 0;
  if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &product)) return -1;
  return product;
}

void require_shape(const std::string& where, int64_t rows, int64_t cols) {
  if (rows <= 0) fail(ErrorCode::kBadInput, where, "holds no rows", "give a file with at least one row");
  if (cols <= 0) fail(ErrorCode::kBadInput, where, "holds no columns", "give a file with at least one column");
  if (cols > kMaxColumns) {
    fail(ErrorCode::kBadInput, where, "has " + std::to_string(cols) + " columns",
         "at most " + std::to_string(kMaxColumns) + " are taken: transpose it if rows and columns are exchanged");
  }
}

Table dense_table(std::unique_ptr<Source> numbers, ColumnType type) {
  Table table;
  table.rows = numbers->rows();
  for (int64_t j = 0; j < numbers->cols(); ++j) table.columns.push_back({numbers->name_of(j), type, j, false});
  if (numbers->names.empty()) {
    for (const TableColumn& column : table.columns) numbers->names.push_back(column.name);
  }
  table.numbers = std::move(numbers);
  return table;
}

Table stored_table(const std::shared_ptr<File>& file, Storage storage, bool byte_swap, int64_t offset, int64_t rows, int64_t cols) {
  require_shape(file->where(), rows, cols);
  require_exact_integers(*file, storage, byte_swap, offset, rows, cols, false);
  const int fd = file->duplicate();
  auto source = std::make_unique<FileSource>(fd, file->where(), storage, byte_swap, offset, rows, cols, file->give_up_path());
  return dense_table(std::move(source), column_type(storage));
}

}  // namespace sluice
