#include "sluice/kernels/syrk.h"

#include <gtest/gtest.h>

#include "sluice/kernels/sample_rows.h"
#include "sluice/kernels/syrk_ref.h"
#include "sluice/kernels/testing.h"

namespace sluice::kernels {
namespace {

constexpr int64_t kCols[] = {1, 2, 3, 7, 8, 13, 16, 17, 24, 25, 40, 64, 129};

std::vector<double> filled(int64_t d) {
  std::vector<double> upper(d * d);
  for (size_t i = 0; i < upper.size(); ++i) upper[i] = 0.25 * static_cast<double>(i % 11);
  return upper;
}

TEST(Syrk, SameBitsAsPlainLoopsOnEveryTarget) {
  for (int64_t d : kCols) {
    for (int64_t n : {0, 1, 5, 128, 131, 300}) {
      for (bool is_f64 : {false, true}) {
        const SampleRows rows = make_sample_rows(n, d, is_f64, 7 * d + n, 1e6);
        std::vector<double> weights(n);
        for (int64_t r = 0; r < n; ++r) weights[r] = 0.1 * static_cast<double>(r % 7);
        std::vector<double> truth = filled(d), weighted_truth = filled(d);
        syrk_ref(rows.view, rows.center.data(), nullptr, truth.data());
        syrk_ref(rows.view, rows.center.data(), weights.data(), weighted_truth.data());
        for_each_target([&] {
          SyrkScratch scratch;
          std::vector<double> got = filled(d), weighted = filled(d);
          syrk_add(rows.view, rows.center.data(), got.data(), scratch);
          syrk_add_weighted(rows.view, rows.center.data(), weights.data(), weighted.data(), scratch);
          EXPECT_EQ(got, truth) << target_name() << " d=" << d << " n=" << n;
          EXPECT_EQ(weighted, weighted_truth) << target_name() << " d=" << d << " n=" << n;
        });
      }
    }
  }
}

TEST(Syrk, SeveralCallsAreOneChainAndScratchIsReusable) {
  const SampleRows rows = make_sample_rows(301, 37, true, 3, -20, 1e5);
  std::vector<double> truth(37 * 37);
  syrk_ref(rows.view, rows.center.data(), nullptr, truth.data());
  for_each_target([&] {
    SyrkScratch scratch;
    std::vector<double> got(37 * 37), other(90 * 90);
    const SampleRows wide = make_sample_rows(130, 90, false, 4);
    syrk_add(wide.view, wide.center.data(), other.data(), scratch);
    RowsView part = rows.view;
    for (int64_t first = 0; first < 301; first += 77) {
      part.data = rows.view.f64(first);
      part.rows = std::min<int64_t>(77, 301 - first);
      syrk_add(part, rows.center.data(), got.data(), scratch);
    }
    EXPECT_EQ(got, truth) << target_name();
  });
}

}  // namespace
}  // namespace sluice::kernels
