// What one cell of text means: a number, nothing, or text. The same in every locale.
#pragma once
#include <cstdint>
#include <string_view>

namespace sluice {

enum class Cell : uint8_t {
  kNumber,
  kMissing,   // empty, blank, or one of nan NaN NAN NA null NULL
  kText,      // anything else
  kOverflow,  // written as a number, but past the largest double
};

// Spaces and tabs around the cell don't count. Numbers: [+-]digits[.digits][e[+-]digits], digits on one side of the point are enough;
// [+-] inf, Inf, INF, infinity, Infinity. `value` is set for numbers (the nearest double; what is too small is zero or subnormal) and NaN
// for missing cells.
Cell parse_cell(std::string_view cell, double& value);

// The cell is a whole number written with digits only, and larger in size than 2^53.
bool beyond_exact_integer(std::string_view cell);

// A value that int64 holds exactly.
inline bool is_int64(double value) {
  return value >= -9223372036854775808.0 && value < 9223372036854775808.0 && static_cast<double>(static_cast<int64_t>(value)) == value;
}

}  // namespace sluice
