// Sums of leaf totals as integers: what a leaf has summed in double is brought by a power of two into a range known beforehand and
// added as fixed point in two limbs (core/limbs.h), so totals add in any order, on any thread or rank, to the same bits.
// Use for arrays of totals (cross products, projections) whose bound is leaf rows times the product of two ranges. For a few sums without
// a bound see core/exact_sum.h.
// Error of a sum: below 2^-90 of the bound, then one rounding.
#pragma once
#include <bit>
#include <cstdint>

#include "sluice/core/fold.h"
#include "sluice/core/limbs.h"

namespace sluice {

class LeafSumFormat {
 public:
  // For the leaves of `range`; every total of a leaf, scaled, is at most range.rows_per_leaf.
  explicit LeafSumFormat(const LeafRange& range);

  // high[j], low[j] += totals[j] * row_scale * col_scale[j], scales being powers of two. Wraps modulo 2^64.
  void add(int64_t* high, int64_t* low, const double* totals, double row_scale, const double* col_scale, int64_t count) const {
    for (int64_t j = 0; j < count; ++j) {
      const double x = totals[j] * row_scale * col_scale[j];
      const double y = x + magic_[0];
      const double rest = x - (y - magic_[0]);
      high[j] = add_wrapping(high[j], std::bit_cast<int64_t>(y));
      low[j] = add_wrapping(low[j], std::bit_cast<int64_t>(rest + magic_[1]));
    }
  }

  // The scaled sum after `leaves` additions.
  double value(int64_t high, int64_t low, int64_t leaves) const;

  static int64_t add_wrapping(int64_t a, int64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b)); }

 private:
  LimbFormat format_;
  double magic_[2] = {};
};

// The context with as many threads as `bytes_per_thread` beside `bytes_once` leave within half of the memory budget, the same on every
// rank. Throws Error{kMemory} naming the bytes, on every rank, when not even one fits; `otherwise` says what else to do than to raise the
// budget.
Context within_memory(const Context& ctx, const char* what, const char* otherwise, double bytes_once, double bytes_per_thread);

}  // namespace sluice
