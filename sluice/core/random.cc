#include "sluice/core/random.h"

#include "sluice/core/math.h"

namespace sluice {

double Random::normal() {
  // The middle of one of 2^52 equal steps: exact, so never 0 or 1 (of 2^53 steps the last middle would round to 1).
  return inverse_normal((static_cast<double>(bits() >> 12) + 0.5) * 0x1p-52);
}

}  // namespace sluice
