// Tables that are one block of numbers: what npy, npz, IDX and pictures give.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "sluice/core/table.h"
#include "sluice/io/file.h"

namespace sluice {

// All columns numeric, of one type, named c0, c1, ... unless the source has names.
Table dense_table(std::unique_ptr<Source> numbers, ColumnType type);

// rows x cols values that lie row by row in the file from byte `offset` on: no copy, whatever the size.
// 64-bit integers are looked through first (one read pass): past 2^53 they have no exact float64, and Error{kBadInput} names the row.
Table stored_table(const std::shared_ptr<File>& file, Storage storage, bool byte_swap, int64_t offset, int64_t rows, int64_t cols);

// Integers and bool are kInteger, floats kReal: by what the file says, not by the values.
ColumnType column_type(Storage storage);

// Throws Error{kBadInput} naming the row of the first 64-bit integer past 2^53; looks at nothing for other storages.
// `by_column`: the values lie column by column.
void require_exact_integers(const File& file, Storage storage, bool byte_swap, int64_t offset, int64_t rows, int64_t cols, bool by_column);

// a * b, or -1 where it leaves int64 or one of them is negative.
int64_t checked_product(int64_t a, int64_t b);

// Refuses a block of rows x cols without rows or columns, and more columns than any reader takes.
void require_shape(const std::string& where, int64_t rows, int64_t cols);

inline constexpr int64_t kMaxColumns = int64_t{1} << 22;    // a column costs about 100 bytes, in a table without rows as well
inline constexpr size_t kMaxTextColumns = size_t{1} << 20;  // of a line of text
inline constexpr int64_t kMaxExactInteger = int64_t{1} << 53;

}  // namespace sluice
