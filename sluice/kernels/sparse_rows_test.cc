#include "sluice/kernels/sparse_rows.h"

#include <bit>
#include <vector>

#include "gtest/gtest.h"
#include "sluice/kernels/assign_ref.h"
#include "sluice/kernels/limb_add_ref.h"
#include "sluice/kernels/project_ref.h"
#include "sluice/kernels/testing.h"

namespace sluice::kernels {
namespace {

// Rows with about `share` of their values, and the same written out.
struct Data {
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> indices;
  std::vector<double> values;
  std::vector<double> dense;
  int64_t n, d;

  Data(int64_t n, int64_t d, double share, uint64_t seed = 1) : dense(static_cast<size_t>(n * d)), n(n), d(d) {
    TestRandom random(seed);
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < d; ++j) {
        if (random.uniform() >= share) continue;
        indices.push_back(static_cast<int32_t>(j));
        values.push_back(random.normal() * (j % 5 == 0 ? 100 : 1));
        dense[static_cast<size_t>(i * d + j)] = values.back();
      }
      offsets.push_back(static_cast<int64_t>(values.size()));
    }
  }
  SparseRows rows() const { return {n, d, offsets.data(), indices.data(), values.data()}; }
  const double* row(int64_t i) const { return dense.data() + i * d; }
};

std::vector<double> points(int64_t k, int64_t d, uint64_t seed) {
  TestRandom random(seed);
  std::vector<double> out;
  for (int64_t i = 0; i < k * d; ++i) out.push_back(random.uniform() < 0.3 ? random.normal() : 0.0);
  return out;
}

TEST(SparseRows, ProductsHaveTheBitsOfDenseOnes) {
  for (const int64_t d : {1, 7, 8, 9, 63, 200}) {
    const Data data(40, d, 0.3, static_cast<uint64_t>(d));
    const std::vector<double> b = points(1, d, 5);
    for (int64_t i = 0; i < data.n; ++i) {
      const int64_t at = data.offsets[static_cast<size_t>(i)];
      const int64_t count = data.offsets[static_cast<size_t>(i) + 1] - at;
      EXPECT_EQ(sparse_dot(&data.indices[static_cast<size_t>(at)], &data.values[static_cast<size_t>(at)], count, b.data()),
                dot(data.row(i), b.data(), d));
      EXPECT_EQ(sparse_square(&data.indices[static_cast<size_t>(at)], &data.values[static_cast<size_t>(at)], count),
                dot(data.row(i), data.row(i), d));
    }
  }
}

TEST(SparseRows, LabelsAndDistancesAreThoseOfTheScan) {
  for (const Metric metric : {Metric::kSquaredEuclidean, Metric::kCosine}) {
    for (const int64_t k : {1, 2, 15, 16, 17, 70}) {
      for (const double share : {0.0, 0.05, 0.6}) {
        const Data data(60, 123, share, static_cast<uint64_t>(k));
        std::vector<double> centers = points(k, 123, 3);
        if (k > 2) std::copy(centers.begin(), centers.begin() + 123, centers.begin() + 2 * 123);  // a tie goes to the lower one
        std::vector<int32_t> truth(60), labels(60), alone(60);
        std::vector<double> distances(60), there(60);
        assign_ref(metric, centers.data(), k, 123, {data.dense.data(), true, 60, 123, 123}, truth.data(), there.data());
        const SparseCentres plan(metric, centers.data(), k, 123);
        SparseScratch scratch;
        plan.assign(centers.data(), data.rows(), labels.data(), distances.data(), scratch);
        plan.assign(centers.data(), data.rows(), alone.data(), nullptr, scratch);
        EXPECT_EQ(labels, truth);
        EXPECT_EQ(alone, truth);
        EXPECT_EQ(distances, there);
      }
    }
  }
}

TEST(SparseRows, NearTiesFarFromTheOriginAreDecidedAsTheScanDoes) {
  // Centres that differ by a few units in the last place, where products alone could not tell.
  std::vector<double> centers;
  for (int64_t c = 0; c < 20; ++c) {
    for (int64_t j = 0; j < 30; ++j) centers.push_back(j == 3 ? 1e6 + static_cast<double>((c * 7) % 20) * 0x1p-32 : 5);
  }
  Data data(50, 30, 0.2, 9);
  std::vector<int32_t> truth(50), labels(50);
  assign_ref(Metric::kSquaredEuclidean, centers.data(), 20, 30, {data.dense.data(), true, 50, 30, 30}, truth.data(), nullptr);
  const SparseCentres plan(Metric::kSquaredEuclidean, centers.data(), 20, 30);
  SparseScratch scratch;
  plan.assign(centers.data(), data.rows(), labels.data(), nullptr, scratch);
  EXPECT_EQ(labels, truth);
  EXPECT_GT(scratch.rechecked, 40);
}

TEST(SparseRows, SeedDistancesAreThoseOfPlainLoops) {
  for (const Metric metric : {Metric::kSquaredEuclidean, Metric::kCosine}) {
    const Data data(80, 50, 0.1, 4);
    const std::vector<double> candidates = points(5, 50, 8);
    std::vector<double> current(80), out(400);
    TestRandom random(2);
    for (double& x : current) x = random.uniform() * 20;
    SparseScratch scratch;
    for (const bool first : {true, false}) {
      sparse_seed_distances(data.rows(), metric, candidates.data(), 5, first ? nullptr : current.data(), out.data(), scratch);
      for (int64_t i = 0; i < 80; ++i) {
        for (int64_t l = 0; l < 5; ++l) {
          const double there = distance64(metric, data.row(i), candidates.data() + l * 50, 50);
          EXPECT_EQ(out[static_cast<size_t>(i * 5 + l)], first ? there : std::min(there, current[static_cast<size_t>(i)]));
        }
      }
    }
  }
}

TEST(SparseRows, SeedsAtRowsOfHardlyAnyValues) {
  const Data data(60, 400, 0.01, 4), points(4, 400, 0.01, 5);
  std::vector<double> out(240);
  SparseScratch scratch;
  sparse_seed_distances(data.rows(), Metric::kSquaredEuclidean, points.dense.data(), 4, nullptr, out.data(), scratch);
  for (int64_t i = 0; i < 60; ++i) {
    for (int64_t l = 0; l < 4; ++l) EXPECT_EQ(out[static_cast<size_t>(i * 4 + l)], squared_distance(data.row(i), points.row(l), 400));
  }
}

TEST(SparseRows, DistancesOfTwoRowsHaveTheBitsOfDenseOnes) {
  for (const Metric metric : {Metric::kSquaredEuclidean, Metric::kManhattan, Metric::kCosine}) {
    for (const double share : {0.0, 0.03, 0.5}) {
      const Data a(30, 131, share, 3), b(20, 131, 0.2, 4);
      for (int64_t i = 0; i < a.n; ++i) {
        for (int64_t j = 0; j < b.n; ++j) {
          const SparseRows x = a.rows(), y = b.rows();
          EXPECT_EQ(sparse_distance64(metric, x.indices + x.begin(i), x.values + x.begin(i), x.count(i), y.indices + y.begin(j),
                                      y.values + y.begin(j), y.count(j)),
                    distance64(metric, a.row(i), b.row(j), 131));
        }
      }
    }
  }
}

TEST(SparseRows, ProjectionsHaveTheBitsOfDenseOnes) {
  for (const int64_t q : {1, 5, 40}) {
    const Data data(25, 70, 0.2, 3);
    const std::vector<double> components = points(q, 70, 6), origin(70);
    std::vector<double> by_column(components.size()), out(static_cast<size_t>(25 * q)), truth(out.size());
    for (int64_t c = 0; c < q; ++c) {
      for (int64_t j = 0; j < 70; ++j) by_column[static_cast<size_t>(j * q + c)] = components[static_cast<size_t>(c * 70 + j)];
    }
    project_ref({data.dense.data(), true, 25, 70, 70}, origin.data(), components.data(), q, truth.data());
    sparse_project(data.rows(), by_column.data(), q, out.data());
    EXPECT_EQ(out, truth);
  }
}

TEST(SparseRows, SumsAreThoseOfDenseRowsLessTheirPatterns) {
  const Data data(30, 17, 0.4, 6);
  std::vector<double> magic;
  for (int l = 0; l < 2; ++l) {
    for (int64_t j = 0; j < 17; ++j) magic.push_back(std::ldexp(1.5, 52 - 20 * (l + 1) - static_cast<int>(j % 3)));
  }
  std::vector<int64_t> truth(34), sums(34);
  for (int64_t i = 0; i < 30; ++i) {
    limb_add_ref<false>(truth.data(), data.row(i), magic.data(), 0, 17, 2);
    const auto at = static_cast<size_t>(data.offsets[static_cast<size_t>(i)]);
    sparse_limb_add(sums.data(), &data.indices[at], &data.values[at], data.offsets[static_cast<size_t>(i) + 1] - static_cast<int64_t>(at),
                    magic.data(), 17, 2, +1);
  }
  for (size_t p = 0; p < 34; ++p) truth[p] = static_cast<int64_t>(static_cast<uint64_t>(truth[p]) - 30 * std::bit_cast<uint64_t>(magic[p]));
  EXPECT_EQ(sums, truth);
  sparse_limb_add(sums.data(), data.indices.data(), data.values.data(), static_cast<int64_t>(data.values.size()), magic.data(), 17, 2, -1);
  EXPECT_EQ(sums, std::vector<int64_t>(34));
}

}  // namespace
}  // namespace sluice::kernels
