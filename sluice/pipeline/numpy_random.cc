#include "sluice/pipeline/numpy_random.h"

#include <cmath>
#include <utility>

namespace sluice {

double NumpyRandom::uniform() {
  const uint32_t a = next() >> 5;
  const uint32_t b = next() >> 6;
  return (a * 67108864.0 + b) / 9007199254740992.0;
}

double NumpyRandom::normal() {
  if (has_normal_) {
    has_normal_ = false;
    return normal_;
  }
  double x = 0, y = 0, r = 0;
  do {
    x = 2.0 * uniform() - 1.0;
    y = 2.0 * uniform() - 1.0;
    r = x * x + y * y;
  } while (r >= 1.0 || r == 0.0);
  const double f = std::sqrt(-2.0 * std::log(r) / r);
  normal_ = f * x;
  has_normal_ = true;
  return f * y;
}

uint64_t NumpyRandom::below_or_equal(uint64_t most) {
  uint64_t mask = most;
  for (int shift = 1; shift < 64; shift *= 2) mask |= mask >> shift;
  uint64_t value = 0;
  do {
    if (most <= 0xffffffffU) {
      value = next() & mask;
    } else {
      const uint64_t high = next();
      value = ((high << 32) | next()) & mask;
    }
  } while (value > most);
  return value;
}

std::vector<int64_t> NumpyRandom::permutation(int64_t n) {
  std::vector<int64_t> out(static_cast<size_t>(n));
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<int64_t>(i);
  for (size_t i = out.size(); i-- > 1;) std::swap(out[i], out[below_or_equal(i)]);
  return out;
}

}  // namespace sluice
