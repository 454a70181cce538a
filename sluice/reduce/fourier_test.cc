#include "sluice/reduce/fourier.h"

#include <gtest/gtest.h>

#include <random>

namespace sluice {
namespace {

TEST(Fourier, SidesFit) {
  EXPECT_EQ(Fourier::fitting(1), 16);
  EXPECT_EQ(Fourier::fitting(17), 24);
  EXPECT_EQ(Fourier::fitting(25), 32);
  EXPECT_EQ(Fourier::fitting(385), 512);
  EXPECT_EQ(Fourier::fitting(513), 768);
}

ComplexGrid random_grid(int64_t side, int64_t used) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  ComplexGrid grid{std::vector<double>(static_cast<size_t>(side * side)), std::vector<double>(static_cast<size_t>(side * side))};
  for (int64_t i = 0; i < used; ++i) {
    for (int64_t j = 0; j < used; ++j) {
      grid.re[static_cast<size_t>(i * side + j)] = normal(random);
      grid.im[static_cast<size_t>(i * side + j)] = normal(random);
    }
  }
  return grid;
}

TEST(Fourier, BackwardUndoesForward) {
  for (const int64_t side : {16, 24, 32, 48, 64, 96, 128}) {
    for (const int64_t used : {side, side / 2 - 1, int64_t{3}}) {
      const ComplexGrid grid = random_grid(side, used);
      Fourier fourier(side);
      ComplexGrid spectrum, back;
      Context ctx;
      ctx.threads = 2;
      fourier.forward(grid, used, spectrum, ctx);
      fourier.backward(spectrum, used, back, ctx);
      const auto scale = static_cast<double>(side * side);
      for (int64_t i = 0; i < used; ++i) {
        for (int64_t j = 0; j < used; ++j) {
          const auto at = static_cast<size_t>(i * side + j);
          ASSERT_NEAR(back.re[at] / scale, grid.re[at], 1e-14);
          ASSERT_NEAR(back.im[at] / scale, grid.im[at], 1e-14);
        }
      }
    }
  }
}

TEST(Fourier, ProductsOfSpectraAreConvolutions) {
  for (const int64_t side : {16, 24, 64}) {
    const ComplexGrid a = random_grid(side, 5), b = random_grid(side, side);
    Fourier fourier(side);
    ComplexGrid fa, fb, product;
    Context ctx;
    fourier.forward(a, 5, fa, ctx);
    fourier.forward(b, side, fb, ctx);
    for (size_t at = 0; at < fa.re.size(); ++at) {
      const double re = fa.re[at] * fb.re[at] - fa.im[at] * fb.im[at];
      fa.im[at] = fa.re[at] * fb.im[at] + fa.im[at] * fb.re[at];
      fa.re[at] = re;
    }
    fourier.backward(fa, side, product, ctx);
    for (int64_t i = 0; i < side; ++i) {
      for (int64_t j = 0; j < side; ++j) {
        double re = 0, im = 0;
        for (int64_t p = 0; p < 5; ++p) {
          for (int64_t q = 0; q < 5; ++q) {
            const auto x = static_cast<size_t>(p * side + q);
            const auto y = static_cast<size_t>((i - p + side) % side * side + (j - q + side) % side);
            re += a.re[x] * b.re[y] - a.im[x] * b.im[y];
            im += a.re[x] * b.im[y] + a.im[x] * b.re[y];
          }
        }
        const auto at = static_cast<size_t>(i * side + j);
        ASSERT_NEAR(product.re[at] / static_cast<double>(side * side), re, 1e-12);
        ASSERT_NEAR(product.im[at] / static_cast<double>(side * side), im, 1e-12);
      }
    }
  }
}

}  // namespace
}  // namespace sluice
