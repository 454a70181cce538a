// The inside of measure() in statistics.h: one leaf read once, chunk by chunk, while it lies in the first-level cache. Not for other use.
#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "sluice/core/block.h"
#include "sluice/core/statistics.h"
#include "sluice/kernels/column_scan.h"

namespace sluice::detail {

// Bins of binary exponents: one for each exponent from -128 to 127, and beyond them one for every 16.
inline constexpr int kFineBins = 256;
inline constexpr int kLowBins = 60;   // exponents -1088 .. -129
inline constexpr int kHighBins = 56;  // exponents 128 .. 1023
inline constexpr int kBins = kLowBins + kFineBins + kHighBins;
int bin_of(int exponent);
// A bin holds values with 2^low <= |x| < 2^high.
struct BinEdges {
  int low;
  int high;
};
BinEdges edges_of(int bin);

// What one worker has seen of one column.
struct Seen {
  int64_t missing = 0, infinite = 0, first_missing = -1, first_infinite = -1, zeros = 0, finite = 0;
  double min = std::numeric_limits<double>::infinity(), max = -std::numeric_limits<double>::infinity();
  int64_t fraction = 0, wide = 0;  // not 0: some value is no whole number, no float32

  void merge(const Seen& other);
};

// The statistics that a column's values give. bins: kBins of them.
ColumnStatistics column_of(const Seen& seen, const int64_t* bins);

class LeafScanner {
 public:
  explicit LeafScanner(int64_t cols);

  // Adds a leaf's values to seen (one a column) and bins (kBins a column). Returns XXH3-128 of the values as float64, row by row,
  // a NaN being one bit pattern: low half, high half.
  std::array<uint64_t, 2> scan(const MatrixBlock& leaf, std::span<Seen> seen, std::span<int64_t> bins);

 private:
  template <class T>
  struct Lanes {
    using Int = typename kernels::ColumnScan<T>::Int;
    std::vector<T> min, max;
    std::vector<Int> zeros, fraction, wide;
    void reset(size_t count);
    kernels::ColumnScan<T> view() { return {min.data(), max.data(), zeros.data(), fraction.data(), wide.data()}; }
  };
  template <class T>
  kernels::ScanFlags scan_chunk(const T* rows, int64_t count, Lanes<T>& lanes);
  const double* widened(const MatrixBlock& chunk);
  const double* note_not_finite(const double* rows, int64_t count, int64_t first_row, std::span<Seen> seen);
  void count_exponents(const double* rows, int64_t count);
  void count_exponents_slowly(const double* rows, int64_t count, std::span<int64_t> bins);
  template <class T>
  void take_out(Lanes<T>& lanes, std::span<Seen> seen);
  void flush(int64_t rows, std::span<Seen> seen, std::span<int64_t> bins);

  int64_t cols_;
  int64_t group_;  // rows taken together as one wide row, so that narrow data fills vectors and its counters lie apart
  int64_t chunk_;  // rows a chunk, a multiple of group_
  kernels::ScanChecks checks_;
  Lanes<float> narrow_;
  Lanes<double> wide_;
  std::vector<uint16_t> counts_;     // kExponentStride a lane
  std::vector<int64_t> not_finite_;  // a column, since the last flush
  std::vector<double> scratch_;
};

}  // namespace sluice::detail
