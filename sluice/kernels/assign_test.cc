#include "sluice/kernels/assign.h"

#include <cstdio>
#include <vector>

#include "gtest/gtest.h"
#include "sluice/kernels/assign_ref.h"
#include "sluice/kernels/testing.h"

namespace sluice::kernels {
namespace {

struct Problem {
  Metric metric = Metric::kSquaredEuclidean;
  int64_t n, k, d;
  std::vector<double> rows, centers, shift;
  int exponent = 0;

  Problem(int64_t n, int64_t k, int64_t d)
      : n(n), k(k), d(d), rows(static_cast<size_t>(n * d)), centers(static_cast<size_t>(k * d)), shift(static_cast<size_t>(d)) {}
  double* row(int64_t i) { return rows.data() + i * d; }
  double* centre(int64_t c) { return centers.data() + c * d; }

  // Shift and scale as statistics would give them.
  void measure() {
    double most = 0;
    for (int64_t j = 0; j < d; ++j) {
      shift[static_cast<size_t>(j)] = 0;
      for (int64_t i = 0; i < n; ++i) shift[static_cast<size_t>(j)] += row(i)[j] / static_cast<double>(n);
      for (int64_t i = 0; i < n; ++i) most = std::max(most, std::fabs(row(i)[j] - shift[static_cast<size_t>(j)]));
    }
    std::frexp(most, &exponent);
    ++exponent;
  }
};

struct Outcome {
  int64_t wrong = 0;
  int64_t rechecked = 0;
};

Outcome run(const Problem& p, const RowsView& view) {
  const AssignPlan plan(p.metric, p.centers.data(), p.k, p.d, p.shift.data(), p.exponent);
  const auto n = static_cast<size_t>(view.rows);
  std::vector<int32_t> truth(n + 1, -7), labels(n + 1, -7), alone(n + 1, -7);
  std::vector<double> truth_distance(n + 1, -7), distances(n + 1, -7);
  assign_ref(p.metric, p.centers.data(), p.k, p.d, view, truth.data(), truth_distance.data());
  AssignScratch scratch;
  plan.assign(view, labels.data(), distances.data(), scratch);
  const int64_t rechecked = scratch.rechecked;
  plan.assign(view, alone.data(), nullptr, scratch);
  EXPECT_EQ(alone, labels);
  Outcome out{0, rechecked};
  for (size_t i = 0; i <= n; ++i) out.wrong += labels[i] != truth[i] || distances[i] != truth_distance[i];
  return out;
}

// All targets, both storage types, with and without padding between rows.
void expect_exact(const Problem& p) {
  for (int64_t pad : {0, 3}) {
    const TestRows rows(p.rows, p.n, p.d, pad);
    for_each_target([&] {
      EXPECT_EQ(run(p, rows.view64).wrong, 0) << "float64 rows, k " << p.k << " d " << p.d << " metric " << static_cast<int>(p.metric);
      EXPECT_EQ(run(p, rows.view32).wrong, 0) << "float32 rows, k " << p.k << " d " << p.d << " metric " << static_cast<int>(p.metric);
    });
  }
}

// Rows around the centres, `spread` wide, all moved by `origin` and multiplied by `size`.
Problem blobs(int64_t n, int64_t k, int64_t d, double spread, double origin, double size, uint64_t seed) {
  Problem p(n, k, d);
  TestRandom random(seed);
  for (double& c : p.centers) c = random.normal();
  for (int64_t i = 0; i < n; ++i) {
    const double* c = p.centre(random.below(k));
    for (int64_t j = 0; j < d; ++j) p.row(i)[j] = (c[j] + spread * random.normal() + origin) * size;
  }
  for (double& c : p.centers) c = (c + origin) * size;
  p.measure();
  return p;
}

void normalise(double* x, int64_t d) {
  double length = 0;
  for (int64_t j = 0; j < d; ++j) length += x[j] * x[j];
  for (int64_t j = 0; j < d && length > 0; ++j) x[j] /= std::sqrt(length);
}

constexpr Metric kMetrics[] = {Metric::kSquaredEuclidean, Metric::kManhattan, Metric::kCosine};

TEST(Assign, RandomShapesAndMetrics) {
  for (Metric metric : kMetrics) {
    for (int64_t d : {1, 2, 3, 16, 17, 64, 129}) {
      for (int64_t k : {1, 2, 9, 33, 100, 129, 200}) {
        Problem p = blobs(97, k, d, 0.7, 0, 1, static_cast<uint64_t>(d * 1000 + k));
        p.metric = metric;
        for (int64_t i = 0; metric == Metric::kCosine && i < p.n; ++i) normalise(p.row(i), d);
        for (int64_t c = 0; metric == Metric::kCosine && c < k; ++c) normalise(p.centre(c), d);
        p.measure();
        expect_exact(p);
      }
    }
  }
}

TEST(Assign, FarFromTheOrigin) {
  for (double origin : {1e4, 1e6, 1e8}) {
    for (int64_t k : {10, 300}) {
      for (Metric metric : {Metric::kSquaredEuclidean, Metric::kManhattan}) {
        Problem p = blobs(200, k, 16, 0.5, origin, 1, 5);
        p.metric = metric;
        expect_exact(p);
        p.shift.assign(p.shift.size(), 0);  // a poor shift costs time only
        p.exponent = static_cast<int>(std::ceil(std::log2(origin))) + 2;
        expect_exact(p);
      }
    }
  }
}

TEST(Assign, DuplicateCentresTakeTheLowerIndex) {
  for (int64_t k : {20, 400}) {
    for (Metric metric : kMetrics) {
      Problem p = blobs(150, k, 17, 0.3, 0, 1, 11);
      p.metric = metric;
      TestRandom random(3);
      for (int64_t c = k / 2; c < k; ++c) std::copy_n(p.centre(random.below(k / 2)), p.d, p.centre(c));
      for (int64_t i = 0; i < 20; ++i) std::copy_n(p.centre(k - 1 - i % (k / 2)), p.d, p.row(i));
      expect_exact(p);
    }
  }
}

TEST(Assign, ExactTiesOnAGrid) {
  for (int64_t k : {64, 256}) {  // unit squares' midpoints: four centres at exactly the same distance
    for (Metric metric : {Metric::kSquaredEuclidean, Metric::kManhattan}) {
      Problem p(300, k, 2);
      p.metric = metric;
      const auto side = static_cast<int64_t>(std::sqrt(static_cast<double>(k)));
      for (int64_t c = 0; c < k; ++c) {
        p.centre(c)[0] = static_cast<double>(c % side);
        p.centre(c)[1] = static_cast<double>(c / side);
      }
      TestRandom random(4);
      for (double& x : p.rows) x = static_cast<double>(random.below(2 * side)) / 2;
      p.measure();
      expect_exact(p);
    }
  }
}

TEST(Assign, NearTiesAtRoundedMidpoints) {
  for (int64_t d : {2, 16, 129}) {
    for (int64_t k : {10, 300}) {
      for (Metric metric : kMetrics) {
        Problem p = blobs(400, k, d, 0.5, 0, 1, 17);
        p.metric = metric;
        TestRandom random(6);
        for (int64_t i = 0; i < p.n; ++i) {
          const double* a = p.centre(random.below(k));
          const double* b = p.centre(random.below(k));
          for (int64_t j = 0; j < d; ++j)
            p.row(i)[j] = i % 2 == 0 ? static_cast<float>((a[j] + b[j]) / 2) : (a[j] + b[j]) / 2 + 1e-9 * random.normal();
        }
        p.measure();
        expect_exact(p);
      }
    }
  }
}

TEST(Assign, CentresThatDifferBelowFloat32) {
  for (int64_t k : {10, 200}) {
    for (Metric metric : kMetrics) {
      Problem p = blobs(200, k, 8, 1.0, 0, 1, 23);
      p.metric = metric;
      TestRandom random(8);
      for (int64_t c = 1; c < k; ++c) {
        for (int64_t j = 0; j < p.d; ++j) p.centre(c)[j] = p.centre(0)[j] * (1 + 1e-12 * random.normal());
      }
      expect_exact(p);
    }
  }
}

TEST(Assign, TinyAndHugeValues) {
  for (double size : {1e-30, 1e-37, 1e-42, 1e-150, 1e30, 1e38, 1e60, 1e140}) {
    for (int64_t k : {10, 200}) {
      for (Metric metric : {Metric::kSquaredEuclidean, Metric::kManhattan}) {
        Problem p = blobs(100, k, 5, 0.5, 0, size, 29);
        p.metric = metric;
        const TestRows rows(p.rows, p.n, p.d, 0);
        for_each_target([&] {
          EXPECT_EQ(run(p, rows.view64).wrong, 0) << size;
          if (size < 1e37) {
            EXPECT_EQ(run(p, rows.view32).wrong, 0) << size;
          }
        });
      }
    }
  }
}

TEST(Assign, ABadShiftOrScaleNeverCostsALabel) {
  for (int64_t k : {10, 200}) {
    for (Metric metric : {Metric::kSquaredEuclidean, Metric::kManhattan}) {
      for (int exponent : {-1000, -119, -60, -30, 30, 100, 126, 130, 1000}) {
        Problem p = blobs(100, k, 6, 0.5, 0, 1, 31);
        p.metric = metric;
        p.exponent = exponent;
        expect_exact(p);
      }
      Problem p = blobs(100, k, 6, 0.5, 0, 1, 37);
      p.metric = metric;
      for (double& m : p.shift) m = 1e20;
      expect_exact(p);
      for (double& m : p.shift) m = 1e300;
      expect_exact(p);
    }
  }
}

TEST(Assign, RowsFarOutsideTheScale) {
  for (int64_t k : {10, 200}) {
    for (Metric metric : {Metric::kSquaredEuclidean, Metric::kManhattan}) {
      Problem p = blobs(120, k, 6, 0.5, 0, 1, 41);
      p.metric = metric;
      for (int64_t i = 0; i < p.n; i += 3) {
        for (int64_t j = 0; j < p.d; ++j) p.row(i)[j] *= i % 2 == 0 ? 1e25 : 3e37;  // scores overflow float32; float64 must decide
      }
      expect_exact(p);
    }
  }
}

TEST(Assign, ZeroRowsUnderCosine) {
  for (int64_t k : {10, 200}) {
    Problem p = blobs(100, k, 6, 0.5, 0, 1, 43);
    p.metric = Metric::kCosine;
    for (int64_t i = 0; i < 50; ++i) std::fill_n(p.row(i), p.d, 0.0);
    expect_exact(p);
  }
}

// A stray value that became a centre must neither cost a label nor send all rows to float64.
TEST(Assign, FarCentres) {
  for (int64_t k : {2, 10, 200}) {
    for (double far : {300.0, 1e4, 1e6, 1e12, 1e30, 1e150}) {
      for (Metric metric : {Metric::kSquaredEuclidean, Metric::kManhattan}) {
        Problem p = blobs(400, k, 6, 0.5, 0, 1, 59);
        p.metric = metric;
        p.centre(k / 2)[3] = far;
        if (k > 100) p.centre(k - 1)[0] = -3 * far;
        TestRandom random(9);
        for (int64_t i = 0; i < 60; ++i) p.row(i)[3] = far * (i < 20 ? 1.0 : random.uniform());  // on it and between
        for (int64_t i = 60; i < 80; ++i) p.row(i)[3] = (far / 2) * (1 + 1e-7 * random.normal());
        expect_exact(p);
        const TestRows rows(p.rows, p.n, p.d, 0);
        if (far < 1e4) continue;  // near enough not to be left out
        for_each_target([&] { EXPECT_LE(run(p, rows.view64).rechecked, 120) << "k " << k << " far " << far; });
      }
    }
  }
}

TEST(Assign, NoRows) {
  Problem p = blobs(1, 10, 4, 0.5, 0, 1, 47);
  const RowsView none{nullptr, true, 0, 4, 4};
  for_each_target([&] { EXPECT_EQ(run(p, none).wrong, 0); });
}

TEST(Assign, FewRowsNeedFloat64) {
  struct Shape {
    int64_t d, k;
  };
  for (Shape s : {Shape{2, 10}, Shape{16, 100}, Shape{64, 256}, Shape{128, 1024}}) {
    const Problem p = blobs(2000, s.k, s.d, 1.0, 0, 1, 53);
    const TestRows rows(p.rows, p.n, p.d, 0);
    for_each_target([&] {
      if (current_target() == Target::kScalar) return;
      const Outcome out = run(p, rows.view32);
      EXPECT_EQ(out.wrong, 0);
      std::printf("[ rechecked ] %-7s d %3d k %4d: %.2f %% of rows\n", std::string(target_name()).c_str(), static_cast<int>(s.d),
                  static_cast<int>(s.k), 100.0 * static_cast<double>(out.rechecked) / static_cast<double>(p.n));
      EXPECT_LT(out.rechecked, p.n / 10);
    });
  }
}

}  // namespace
}  // namespace sluice::kernels
