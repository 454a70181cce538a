// One step of greedy k-means++ (7 candidates, 64 centres so far) and the k-means update, float32 rows on one thread.
#include <benchmark/benchmark.h>

#include <cmath>
#include <limits>
#include <vector>

#include "sluice/kernels/cpu.h"
#include "sluice/kernels/limb_add.h"
#include "sluice/kernels/seed_update.h"
#include "sluice/kernels/seed_update_ref.h"

namespace sluice::kernels {
namespace {

struct Data {
  int64_t n, d;
  std::vector<float> rows;
  RowsView view;
  Data(int64_t n, int64_t d) : n(n), d(d), rows(static_cast<size_t>(n * d)) {
    uint64_t s = 1;
    for (float& x : rows) {
      double sum = -2;
      for (int i = 0; i < 4; ++i) sum += static_cast<double>((s = s * 6364136223846793005ull + 1442695040888963407ull) >> 11) * 0x1p-53;
      x = static_cast<float>(sum * 1.7);
    }
    view = {rows.data(), false, n, d, d};
  }
};

void seed_step(benchmark::State& state) {
  const int64_t d = state.range(0), n = 4096, l = 7;
  const bool plain = state.range(1) == 0;
  const Data data(n, d);
  std::vector<double> centres(data.rows.begin(), data.rows.begin() + 64 * d);
  std::vector<double> candidates(data.rows.begin() + 64 * d, data.rows.begin() + (64 + l) * d);
  std::vector<double> current(static_cast<size_t>(n), std::numeric_limits<double>::infinity()), out(static_cast<size_t>(n * l));
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t c = 0; c < 64; ++c) {
      double& now = current[static_cast<size_t>(i)];
      now = std::min(now, row_distance64(Metric::kSquaredEuclidean, data.view, i, centres.data() + c * d));
    }
  }
  SeedScratch scratch;
  for (auto _ : state) {
    if (plain) {
      seed_distances_ref(data.view, Metric::kSquaredEuclidean, candidates.data(), l, current.data(), out.data());
    } else {
      seed_distances(data.view, Metric::kSquaredEuclidean, candidates.data(), l, current.data(), out.data(), scratch, nullptr, 3);
    }
    benchmark::DoNotOptimize(out.data());
  }
  const double rows = static_cast<double>(n) * static_cast<double>(state.iterations());
  state.counters["Mrow/s"] = benchmark::Counter(rows * 1e-6, benchmark::Counter::kIsRate);
  state.counters["evaluated%"] = 100.0 * static_cast<double>(scratch.evaluated) / (rows * static_cast<double>(l));
  state.SetLabel(plain ? "plain float64" : std::string(target_name()));
}

void grouped_sums(benchmark::State& state) {
  const int64_t d = state.range(0), k = state.range(1), n = 1 << 14;
  const Data data(n, d);
  std::vector<int32_t> labels(static_cast<size_t>(n));
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int32_t>((i * 2654435761u >> 7) % static_cast<size_t>(k));
  std::vector<int64_t> sums(static_cast<size_t>(k * d));
  const std::vector<double> magic(static_cast<size_t>(d), 0x1.8p20);
  for (auto _ : state) limb_add_rows(sums.data(), data.view, labels.data(), magic.data(), 1);
  state.counters["Mrow/s"] =
      benchmark::Counter(static_cast<double>(n) * static_cast<double>(state.iterations()) * 1e-6, benchmark::Counter::kIsRate);
}

BENCHMARK(seed_step)->ArgsProduct({{2, 16, 128}, {0, 1}})->Unit(benchmark::kMicrosecond);
BENCHMARK(grouped_sums)->Args({2, 10})->Args({16, 100})->Args({128, 1024})->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sluice::kernels
