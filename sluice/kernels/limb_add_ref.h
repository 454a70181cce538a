// limb_add as plain loops: the truth the vector code is tested against.
#pragma once
#include <bit>
#include <cstdint>

namespace sluice::kernels {

template <bool kSubtract, class T>
inline void limb_add_ref(int64_t* sums, const T* row, const double* magic, int64_t begin, int64_t cols, int limbs) noexcept {
  for (int64_t j = begin; j < cols; ++j) {
    double rest = row[j];
    for (int64_t l = 0; l < limbs; ++l) {
      const double m = magic[l * cols + j];
      const double y = rest + m;
      const uint64_t bits = std::bit_cast<uint64_t>(y);
      const uint64_t sum = static_cast<uint64_t>(sums[l * cols + j]);
      sums[l * cols + j] = static_cast<int64_t>(kSubtract ? sum - bits : sum + bits);
      rest -= y - m;
    }
  }
}

}  // namespace sluice::kernels
