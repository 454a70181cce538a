#include "sluice/kernels/limb_add.h"

#include <bit>
#include <vector>

#include "gtest/gtest.h"
#include "sluice/kernels/limb_add_ref.h"
#include "sluice/kernels/testing.h"

namespace sluice::kernels {
namespace {

struct Case {
  std::vector<double> rows;
  std::vector<float> rows32;
  std::vector<double> magic;
  int64_t cols;
  int limbs;
  int64_t n = 5;

  Case(int64_t cols, int limbs) : cols(cols), limbs(limbs) {
    TestRandom random(static_cast<uint64_t>(cols * 8 + limbs));
    for (int64_t i = 0; i < n * cols; ++i) {
      rows32.push_back(static_cast<float>(random.normal() * 100));
      rows.push_back(random.normal() * 100);
    }
    for (int l = 0; l < limbs; ++l) {
      for (int64_t j = 0; j < cols; ++j) magic.push_back(std::ldexp(1.5, 52 - 20 * (l + 1) - static_cast<int>(j % 3)));
    }
  }
};

template <class T>
void check_against_reference(const Case& c, const std::vector<T>& rows) {
  std::vector<int64_t> truth(c.magic.size(), INT64_MAX - 3), sums = truth;  // near the top, so that wrapping is met
  const std::vector<int64_t> empty = truth;
  for (int64_t i = 0; i < c.n; ++i) {
    limb_add_ref<false>(truth.data(), rows.data() + i * c.cols, c.magic.data(), 0, c.cols, c.limbs);
    limb_add(sums.data(), rows.data() + i * c.cols, c.magic.data(), c.cols, c.limbs);
  }
  EXPECT_EQ(sums, truth);
  for (int64_t i = c.n - 1; i >= 0; --i) limb_subtract(sums.data(), rows.data() + i * c.cols, c.magic.data(), c.cols, c.limbs);
  EXPECT_EQ(sums, empty);
}

TEST(LimbAdd, EveryTargetGivesTheReferenceAndSubtractUndoesIt) {
  for_each_target([] {
    for (int64_t cols : {1, 2, 3, 7, 8, 9, 16, 33}) {
      for (int limbs : {1, 2, 3, 4}) {
        SCOPED_TRACE(std::to_string(cols) + " columns, " + std::to_string(limbs) + " limbs");
        const Case c(cols, limbs);
        check_against_reference(c, c.rows);
        check_against_reference(c, c.rows32);
      }
    }
  });
}

TEST(LimbAdd, RowsGoToTheirLabels) {
  for_each_target([] {
    for (int64_t cols : {1, 2, 5, 16, 33}) {
      for (int limbs : {1, 2}) {
        const Case c(cols, limbs);
        const TestRows rows(c.rows, c.n, cols, 2);
        const std::vector<int32_t> labels = {2, 0, 2, 3, 0};
        for (const RowsView& view : {rows.view64, rows.view32}) {
          std::vector<int64_t> truth(c.magic.size() * 4, 7), sums = truth;
          for (int64_t i = 0; i < c.n; ++i) {
            int64_t* to = truth.data() + labels[static_cast<size_t>(i)] * limbs * cols;
            view.is_f64 ? limb_add_ref<false>(to, view.f64(i), c.magic.data(), 0, cols, limbs)
                        : limb_add_ref<false>(to, view.f32(i), c.magic.data(), 0, cols, limbs);
          }
          limb_add_rows(sums.data(), view, labels.data(), c.magic.data(), limbs);
          EXPECT_EQ(sums, truth);
        }
      }
    }
  });
}

TEST(LimbAdd, LimbsHoldTheExactSum) {
  // Two limbs of 20 and 50 fraction bits: multiples of 2^-50 sum exactly.
  const double magic[2] = {std::ldexp(1.5, 32), std::ldexp(1.5, 2)};
  int64_t sums[2] = {0, 0};
  const double values[3] = {1.0 + 0x1p-50, -3.25 + 0x1p-49, 0.5};
  for (double v : values) limb_add(sums, &v, magic, 1, 2);
  double total = 0;
  for (int l = 0; l < 2; ++l) {
    const auto whole = static_cast<int64_t>(static_cast<uint64_t>(sums[l]) - 3 * std::bit_cast<uint64_t>(magic[l]));
    total += std::ldexp(static_cast<double>(whole), l == 0 ? -20 : -50);
  }
  EXPECT_EQ(total, -1.75 + 0x1p-50 + 0x1p-49);
}

}  // namespace
}  // namespace sluice::kernels
