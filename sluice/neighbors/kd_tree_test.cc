#include "sluice/neighbors/kd_tree.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <set>

#include "sluice/kernels/dist64.h"

namespace sluice {
namespace {

constexpr kernels::Metric kMetrics[] = {kernels::Metric::kSquaredEuclidean, kernels::Metric::kManhattan};

std::vector<double> values_of(int64_t rows, int64_t cols, uint64_t seed, int kind) {
  std::mt19937_64 random(seed);
  std::vector<double> values(static_cast<size_t>(rows * cols));
  for (double& x : values) {
    x = kind == 0   ? std::normal_distribution<double>()(random)
        : kind == 1 ? static_cast<double>(random() % 3)
                    : std::ldexp(1.0, static_cast<int>(random() % 900) - 450);
  }
  return values;
}

// In each node: the box is the smallest around its rows; the leaves hold every row once.
void check_node(const KdTree& tree, const KdNode& node, const std::vector<double>& values) {
  for (int64_t j = 0; j < tree.cols; ++j) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (int64_t p = node.leaf * kLeafRows; p < std::min(tree.rows, (node.leaf + node.leaves) * kLeafRows); ++p) {
      const double x = values[static_cast<size_t>(tree.row_of[static_cast<size_t>(p)] * tree.cols + j)];
      EXPECT_EQ(tree.leaf(p / kLeafRows)[j * kLeafRows + p % kLeafRows], x);
      low = std::min(low, x);
      high = std::max(high, x);
    }
    EXPECT_EQ(tree.low(node.id)[j], low);
    EXPECT_EQ(tree.high(node.id)[j], high);
  }
  if (node.is_leaf()) return;
  EXPECT_EQ(node.left().leaves + node.right().leaves, node.leaves);
  check_node(tree, node.left(), values);
  check_node(tree, node.right(), values);
}

TEST(KdTree, BoxesAndLeavesHoldTheRows) {
  for (const int64_t cols : {1, 2, 3, 4, 5, 9}) {
    for (const int64_t rows : {1, 15, 16, 17, 33, 500}) {
      for (const int kind : {0, 1, 2}) {
        const std::vector<double> values = values_of(rows, cols, 5, kind);
        const MemorySource source(values, rows, cols);
        Context ctx;
        ctx.threads = 2;
        const KdTree tree = build_kd_tree(source, ctx);
        check_node(tree, tree.root(), values);
        EXPECT_EQ(std::set<int64_t>(tree.row_of.begin(), tree.row_of.end()).size(), static_cast<size_t>(rows));
      }
    }
  }
}

TEST(KdTree, ManyThreadsGiveTheSameTree) {
  const std::vector<double> values = values_of(70'000, 2, 9, 0);
  const MemorySource source(values, 70'000, 2);
  Context one, three;
  three.threads = 3;
  EXPECT_EQ(build_kd_tree(source, one).row_of, build_kd_tree(source, three).row_of);
}

TEST(LeafMask, HasTheBitsOfDist64) {
  for (const kernels::Metric metric : kMetrics) {
    for (int64_t d = 1; d <= 20; ++d) {
      const LeafMask mask = leaf_mask_for(metric, d);
      const std::vector<double> rows = values_of(kLeafRows, d, 3, 0), points = values_of(20, d, 4, 0);
      std::vector<double> leaf(static_cast<size_t>(d * kLeafRows));
      for (int64_t v = 0; v < kLeafRows; ++v) {
        for (int64_t j = 0; j < d; ++j) leaf[static_cast<size_t>(j * kLeafRows + v)] = rows[static_cast<size_t>(v * d + j)];
      }
      for (int64_t p = 0; p < 20; ++p) {
        for (int64_t v = 0; v < kLeafRows; ++v) {  // at each row's own distance, and just below it
          const double at = kernels::distance64(metric, points.data() + p * d, rows.data() + v * d, d);
          for (const double limit : {at, std::nextafter(at, 0.0)}) {
            uint32_t truth = 0;
            for (int64_t w = 0; w < kLeafRows; ++w)
              truth |= static_cast<uint32_t>(kernels::distance64(metric, points.data() + p * d, rows.data() + w * d, d) <= limit) << w;
            EXPECT_EQ(mask(points.data() + p * d, 1, leaf.data(), d, limit), truth) << d;
          }
        }
      }
      leaf[0] = std::numeric_limits<double>::quiet_NaN();
      EXPECT_EQ(mask(points.data(), 1, leaf.data(), d, std::numeric_limits<double>::max()), 0xfffeu);
    }
  }
}

TEST(BoxReach, NeverContradictsADistance) {
  std::mt19937_64 random(17);
  int64_t beyond = 0, within = 0;
  for (const kernels::Metric metric : kMetrics) {
    for (int round = 0; round < 4000; ++round) {
      const int64_t d = 1 + static_cast<int64_t>(random() % 6);
      const double scale = std::ldexp(1.0, static_cast<int>(random() % 3) * -260);
      std::vector<double> rows = values_of(2 * kLeafRows, d, random(), static_cast<int>(random() % 2));
      for (size_t i = 0; i < rows.size(); ++i)
        rows[i] = scale * (i < rows.size() / 2 ? rows[i] * 0.25 : rows[i] * 0.25 + static_cast<double>(round % 3));
      const MemorySource first({rows.begin(), rows.begin() + kLeafRows * d}, kLeafRows, d),
          second({rows.begin() + kLeafRows * d, rows.end()}, kLeafRows, d);
      Context ctx;
      const KdTree a = build_kd_tree(first, ctx), b = build_kd_tree(second, ctx);
      const double* one = rows.data() + (random() % kLeafRows) * static_cast<uint64_t>(d);
      const double* two = rows.data() + (kLeafRows + random() % kLeafRows) * static_cast<uint64_t>(d);
      const double limit = kernels::distance64(metric, one, two, d) * (round % 4 == 0   ? 1
                                                                       : round % 4 == 1 ? 1.5
                                                                       : round % 4 == 2 ? 0.25
                                                                                        : 3);
      const BoxReach reach(metric, d, limit);
      double least = std::numeric_limits<double>::infinity(), most = 0;
      const uint32_t near = reach.near(a.leaf(0), b.low(0), b.high(0));
      for (int64_t i = 0; i < kLeafRows; ++i) {
        for (int64_t j = 0; j < kLeafRows; ++j) {
          const double value =
              kernels::distance64(metric, rows.data() + a.row_of[static_cast<size_t>(i)] * d, rows.data() + (kLeafRows + j) * d, d);
          least = std::min(least, value);
          most = std::max(most, value);
          if (value <= limit) {
            EXPECT_TRUE((near >> i) & 1);
          }
        }
      }
      if (reach.beyond(a.low(0), a.high(0), b.low(0), b.high(0))) {
        ++beyond;
        EXPECT_GT(least, limit);
      }
      if (reach.within(a.low(0), a.high(0), b.low(0), b.high(0))) {
        ++within;
        EXPECT_LE(most, limit);
      }
    }
  }
  EXPECT_GT(within, 100);
  EXPECT_GT(beyond, 100);
}

}  // namespace
}  // namespace sluice
