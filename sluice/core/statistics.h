// What is known of a source after one pass: enough to refuse what can't be used, to choose the fixed point of its sums
// (limbs.h), and to name its content. Every number here is independent of order, threads, ranks and storage type.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

class Source;
struct Context;

struct ColumnStatistics {
  int64_t missing = 0;         // NaN
  int64_t infinite = 0;        // +inf or -inf
  int64_t first_missing = -1;  // row of the first, or -1
  int64_t first_infinite = -1;
  double min = 0;  // of the finite values; 0 if there are none
  double max = 0;
  int64_t zeros = 0;
  int64_t finite = 0;
  bool integers = true;      // every finite value is a whole number
  bool fits_f32 = true;      // every finite value is a float32
  int median_exponent = 0;   // 2^this <= median of |x| over the finite non-zero values
  int sum_exponent = 0;      // the sum of |x| over the finite values is below 2^this
  int max_exponent() const;  // all finite |x| < 2^this; -1074 if all are zero
};

struct Statistics {
  bool measured = false;
  std::vector<ColumnStatistics> columns;
  std::array<uint64_t, 2> content{};  // XXH3-128 of the leaves' XXH3-128 of the values as little-endian float64, row by row
  bool clean() const;                 // no NaN, no infinity
  bool fits_f32() const;
};

// One pass over the source. Cost: O(n d). Memory: about 4 KiB a column and thread. The content hash does not depend on
// storage type or format (a NaN counts as one bit pattern).
Statistics measure(const Source& source, Context& ctx);

// Throws Error{kBadInput} naming count and first places if a value is NaN or infinite; Error{kNumerical} naming the column
// when squared distances would overflow double.
void require_clean(const Source& source);

// 32 hexadecimal digits of the content hash.
std::string content_hex(const std::array<uint64_t, 2>& content);

}  // namespace sluice
