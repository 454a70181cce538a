#include "sluice/kernels/power.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sluice::kernels {
namespace {

// That the bits are those of core/math.h is tested in reduce/umap_parts_test.cc, where both may be seen.
TEST(Power, IsThePowerOfTheLibrary) {
  for (const double x : {1e-200, 1e-9, 0.5, 0.70710678118654752, 1.0, 3.0, 1e30}) {
    for (const double b : {0.3, 0.895, 1.0, 2.0}) {
      const double wanted = std::pow(x, b);
      if (wanted <= 1e-300) continue;
      EXPECT_NEAR(power4(four(x), b)[2], wanted, 3e-13 * wanted) << x << " " << b;
    }
  }
}

}  // namespace
}  // namespace sluice::kernels
