// What comparisons alone say of each column of some rows: least and greatest value, zeros, whether all are whole numbers or float32.
// The inner loop of core's statistics. Infinite and NaN values are left out of everything and only reported.
// Cost: one read of the rows; meant for chunks that lie in the first-level cache. Same results on every CPU.
#pragma once
#include <cstdint>
#include <limits>
#include <type_traits>

namespace sluice::kernels {

// One array of `cols` each, added to by every call; `fraction` and `wide` become -1 (all bits) once seen.
template <class T>
struct ColumnScan {
  using Int = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
  T* min;         // starts at +infinity
  T* max;         // starts at -infinity
  Int* zeros;     // at most 2^31 - 1 rows before they are taken out
  Int* fraction;  // some value is not a whole number
  Int* wide;      // some value is not a float32
};

// Which of the dearer checks are wanted.
struct ScanChecks {
  bool fraction = true;
  bool wide = true;
};

// The window of sizes that count_exponents tells apart: 2^-126 up to 2^128 (all normal floats lie in it).
template <class T>
inline constexpr T kScanLow = static_cast<T>(0x1p-126);
template <class T>
inline constexpr T kScanHigh = sizeof(T) == 4 ? std::numeric_limits<T>::infinity() : T(0x1p64) * T(0x1p64);

struct ScanFlags {
  bool not_finite = false;     // some value is infinite or NaN
  bool beyond_window = false;  // some finite non-zero |x| is outside the window
  ScanFlags& operator|=(const ScanFlags& other) {
    not_finite |= other.not_finite;
    beyond_window |= other.beyond_window;
    return *this;
  }
};

// Row i starts at rows + i * stride.
ScanFlags column_scan(const float* rows, int64_t count, int64_t cols, int64_t stride, const ColumnScan<float>& scan,
                      ScanChecks checks) noexcept;
ScanFlags column_scan(const double* rows, int64_t count, int64_t cols, int64_t stride, const ColumnScan<double>& scan,
                      ScanChecks checks) noexcept;

// Adds 1 to counts[j * kExponentStride + low 8 bits of the biased exponent of x] for every value x of column j. Rows lie contiguous,
// at most 65,535 of them before the counts are taken out. Inside the window the 8 bits name the exponent e of 2^e <= |x| < 2^(e+1):
// they are (e + 1023) mod 256. Zeros are counted at 0, infinite and NaN values at 255: the caller knows their number and takes it off.
inline constexpr int64_t kExponentStride = 256 + 32;  // not a power of two, so that columns lie in different cache sets
void count_exponents(const double* rows, int64_t count, int64_t cols, uint16_t* counts) noexcept;

}  // namespace sluice::kernels
