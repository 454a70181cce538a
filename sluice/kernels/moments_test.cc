#include "sluice/kernels/moments.h"

#include <gtest/gtest.h>

#include "sluice/kernels/moments_ref.h"
#include "sluice/kernels/sample_rows.h"
#include "sluice/kernels/testing.h"

namespace sluice::kernels {
namespace {

TEST(Moments, SameBitsAsPlainLoopsOnEveryTarget) {
  for (int64_t d : {1, 2, 3, 8, 16, 17, 64, 129}) {
    for (int64_t n : {0, 1, 8, 100}) {
      for (bool is_f64 : {false, true}) {
        const SampleRows rows = make_sample_rows(n, d, is_f64, d + n, 1e6);
        std::vector<double> sum(d, 0.5), square(d, 0.25);
        column_sums_ref(rows.view, rows.center.data(), 0, n, 0, sum.data(), square.data());
        for_each_target([&] {
          std::vector<double> got(d, 0.5), got_square(d, 0.25), alone(d, 0.5);
          column_sums(rows.view, rows.center.data(), got.data(), got_square.data());
          column_sums(rows.view, rows.center.data(), alone.data(), nullptr);
          EXPECT_EQ(got, sum) << target_name() << " d=" << d << " n=" << n;
          EXPECT_EQ(got_square, square) << target_name() << " d=" << d << " n=" << n;
          EXPECT_EQ(alone, sum) << target_name() << " d=" << d << " n=" << n;
        });
      }
    }
  }
}

}  // namespace
}  // namespace sluice::kernels
