// Exact sums of columns: a value becomes one or more 64-bit integers (limbs), and integers add in any order to the same bits, can be
// subtracted again, and need no merge tree.
//
// For |x| < 2^e and fraction bits F, y = x + 1.5 * 2^(52 - F) in double rounds x to a multiple of 2^-F, and the bit patterns of
// such y differ as integers exactly as the rounded values do: so patterns are added (modulo 2^64) and count * pattern(magic) is taken off
// at the end. What limb 0 rounded away is an exact double again and goes to limb 1, with F about 43 bits finer, and so on.
// F = min(62 - s, 51 - e, 1074) where the sum of |x| over all rows is below 2^s, so no sum of rows can overflow.
//
// The number of limbs is the fewest of 1, 2, 4, 8, ... that leave a quantum <= 2^-40 of the column's median |x|.
// Error of a sum: at most count * 2^-(F_last + 1) (count halves of the last quantum), then one rounding to double.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sluice/core/bytes.h"
#include "sluice/core/statistics.h"

namespace sluice {

class LimbFormat {
 public:
  struct Range {
    int max_exponent = 0;     // every |x| < 2^max_exponent
    int median_exponent = 0;  // typical |x| >= 2^median_exponent
    int sum_exponent = 0;     // the |x| of one sum add up to less than 2^sum_exponent
  };
  LimbFormat() = default;
  // `count`: the most values that one sum will take in. Throws Error{kNumerical} when a sum might leave the range of double.
  LimbFormat(std::span<const Range> columns, int64_t count);

  int limbs() const { return limbs_; }
  int64_t cols() const { return cols_; }
  int64_t size() const { return limbs_ * cols_; }        // integers a sum of one row of columns takes
  const double* magic() const { return magic_.data(); }  // limbs x cols
  int fraction_bits(int limb, int64_t col) const { return fraction_[static_cast<size_t>(limb * cols_ + col)]; }

  struct Total {  // value = high + low, |low| <= ulp(high) / 2
    double high = 0;
    double low = 0;
  };
  // The sum that `sums` (limbs x cols) holds for column `col` after `count` additions (less subtractions).
  Total total(const int64_t* sums, int64_t count, int64_t col) const;
  double value(const int64_t* sums, int64_t count, int64_t col) const { return total(sums, count, col).high; }
  // total / divisor, within one unit in the last place.
  double mean(const int64_t* sums, int64_t count, int64_t col, double divisor) const;

 private:
  int limbs_ = 0;
  int64_t cols_ = 0;
  std::vector<double> magic_;
  std::vector<int> fraction_;
};

// The ranges of a source's columns, from its statistics.
std::vector<LimbFormat::Range> ranges_of(const Statistics& stats);

}  // namespace sluice
