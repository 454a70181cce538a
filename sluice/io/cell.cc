#include "sluice/io/cell.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace sluice {
namespace {

bool blank(char c) {
  return c == ' ' || c == '\t';
}
bool digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view trim(std::string_view cell) {
  while (!cell.empty() && blank(cell.front())) cell.remove_prefix(1);
  while (!cell.empty() && blank(cell.back())) cell.remove_suffix(1);
  return cell;
}

bool says_missing(std::string_view cell) {
  return cell == "nan" || cell == "NaN" || cell == "NAN" || cell == "NA" || cell == "null" || cell == "NULL";
}

bool says_infinity(std::string_view cell) {
  return cell == "inf" || cell == "Inf" || cell == "INF" || cell == "infinity" || cell == "Infinity";
}

// A number that from_chars calls out of range: is it too large (not too small)? By the place of its first digit that counts.
bool too_large(std::string_view digits) {
  int64_t place = 0;  // decimal exponent of the first non-zero digit, plus one
  bool point = false;
  bool found = false;
  size_t i = 0;
  for (; i < digits.size() && (digit(digits[i]) || digits[i] == '.'); ++i) {
    if (digits[i] == '.') {
      point = true;
      continue;
    }
    if (!found && digits[i] == '0') {
      if (point) --place;
      continue;
    }
    found = true;
    if (!point) ++place;
  }
  int64_t exponent = 0;
  bool negative = false;
  if (i < digits.size()) {  // an 'e'
    ++i;
    if (i < digits.size() && (digits[i] == '-' || digits[i] == '+')) negative = digits[i++] == '-';
    for (; i < digits.size(); ++i) exponent = std::min<int64_t>(exponent * 10 + (digits[i] - '0'), 1'000'000'000'000);
  }
  return found && place + (negative ? -exponent : exponent) > 0;
}

}  // namespace

Cell parse_cell(std::string_view cell, double& value) {
  if (!cell.empty() && (blank(cell.front()) || blank(cell.back()))) cell = trim(cell);
  if (cell.empty()) {
    value = std::numeric_limits<double>::quiet_NaN();
    return Cell::kMissing;
  }
  const bool negative = cell[0] == '-';
  const std::string_view digits = negative || cell[0] == '+' ? cell.substr(1) : cell;
  if (digits.empty() || !(digit(digits[0]) || digits[0] == '.')) {
    if (says_missing(cell)) {
      value = std::numeric_limits<double>::quiet_NaN();
      return Cell::kMissing;
    }
    if (!says_infinity(digits)) return Cell::kText;
    value = negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    return Cell::kNumber;
  }
  const char* end = digits.data() + digits.size();
  double size = 0;
  const auto [stop, error] = std::from_chars(digits.data(), end, size);
  if (stop != end || error == std::errc::invalid_argument) return Cell::kText;
  if (error == std::errc::result_out_of_range) {
    if (too_large(digits)) return Cell::kOverflow;
    size = 0;
  } else if (std::isinf(size)) {
    return Cell::kOverflow;
  }
  value = negative ? -size : size;
  return Cell::kNumber;
}

bool beyond_exact_integer(std::string_view cell) {
  cell = trim(cell);
  if (!cell.empty() && (cell[0] == '-' || cell[0] == '+')) cell.remove_prefix(1);
  if (cell.empty()) return false;
  for (const char c : cell) {
    if (!digit(c)) return false;
  }
  uint64_t value = 0;
  const auto [stop, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  return error == std::errc::result_out_of_range || value > (uint64_t{1} << 53);
}

}  // namespace sluice
