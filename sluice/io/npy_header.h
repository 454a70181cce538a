// The header of a NumPy array file, read and written. NEP 1, numpy.lib.format, versions 1.0 to 3.0.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/source.h"

namespace sluice {

struct NpyHeader {
  Storage storage = Storage::kF64;
  bool byte_swap = false;
  bool fortran_order = false;
  std::vector<int64_t> shape;
  int64_t data_offset = 0;

  int64_t rows() const { return shape.empty() ? 0 : shape[0]; }
  int64_t cols() const;        // product of the dimensions after the first; 1 for a one-dimensional array
  int64_t data_bytes() const;  // both are known not to leave int64
};

inline constexpr int64_t kMaxNpyHeader = int64_t{1} << 16;

// Reads the header at the start of `bytes` (the file's first kMaxNpyHeader + 12 bytes, or all of it when shorter).
// Throws Error{kBadInput} naming `where` and what is wrong; refuses objects (pickles), structures, strings, dates and complex
// numbers by name. Nothing is allocated by what the header claims.
NpyHeader parse_npy_header(std::string_view bytes, const std::string& where);

// The bytes before the data of a little-endian C-order array, version 1.0, padded to 64: `descr` is "<i4", "|u1", "<i8", "<f8", ...;
// `cols` < 0 writes the one-dimensional shape (rows,).
std::string write_npy_header(std::string_view descr, int64_t rows, int64_t cols = -1);

}  // namespace sluice
