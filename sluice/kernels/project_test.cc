#include "sluice/kernels/project.h"

#include <gtest/gtest.h>

#include "sluice/kernels/project_ref.h"
#include "sluice/kernels/sample_rows.h"
#include "sluice/kernels/testing.h"

namespace sluice::kernels {
namespace {

TEST(Project, SameBitsAsPlainLoopsOnEveryTarget) {
  for (int64_t d : {1, 2, 3, 16, 17, 64, 129, 300}) {
    for (int64_t q : {1, 2, 7, 8, 12, 24, 25, 50}) {
      for (int64_t n : {0, 1, 9, 64, 75}) {
        for (bool is_f64 : {false, true}) {
          const SampleRows rows = make_sample_rows(n, d, is_f64, d + q + n, 1e8);
          const SampleRows directions = make_sample_rows(q, d, true, 5);
          std::vector<double> components;
          for (int64_t c = 0; c < q; ++c) components.insert(components.end(), directions.view.f64(c), directions.view.f64(c) + d);
          std::vector<double> truth(n * q, 1);
          project_ref(rows.view, rows.center.data(), components.data(), q, truth.data());
          for_each_target([&] {
            ProjectScratch scratch;
            std::vector<double> got(n * q, 2);
            project(rows.view, rows.center.data(), components.data(), q, got.data(), scratch);
            EXPECT_EQ(got, truth) << target_name() << " d=" << d << " q=" << q << " n=" << n;
          });
        }
      }
    }
  }
}

}  // namespace
}  // namespace sluice::kernels
