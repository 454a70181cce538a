// NumPy array files (.npy) as tables. Rows are the first dimension, columns the product of the others; one dimension is one column.
// Types: float16, 32, 64, signed and unsigned integers of 8 to 64 bits, bool; either byte order. No pickles.
#pragma once
#include <memory>

#include "sluice/core/table.h"
#include "sluice/io/file.h"
#include "sluice/io/npy_header.h"  // IWYU pragma: export

namespace sluice {

// A C-order array becomes a source directly over the file: no copy, no memory, whatever the size. A Fortran-order one is
// turned block by block into a row store (8 bytes a value). Throws Error{kBadInput} when the file is shorter or longer than its
// header says, holds no rows, or an integer past 2^53 (one pass over 64-bit integers looks for that).
Table read_npy(const std::shared_ptr<File>& file, const StoreOptions& store);

// The same for the array that fills the bytes [offset, offset + size) of a file.
Table read_npy_at(const std::shared_ptr<File>& file, int64_t offset, int64_t size, const StoreOptions& store);

// The header of such an array, checked against the size.
NpyHeader read_npy_header(const File& file, int64_t offset, int64_t size);

}  // namespace sluice
