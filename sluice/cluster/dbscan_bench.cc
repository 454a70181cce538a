// Seconds of a fit, labels of all rows, in memory. Arguments: rows, columns, neighbours a row (about), of blobs (0) or of unclustered
// rows (1); `all` says all rows are within eps of each other.
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>

#include "sluice/cluster/dbscan.h"
#include "sluice/core/statistics.h"

namespace sluice {
namespace {

MemorySource blobs(int64_t rows, int64_t cols, bool clustered) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform(-10, 10);
  std::vector<double> centers(static_cast<size_t>(20 * cols));
  for (double& x : centers) x = uniform(random);
  std::vector<double> values;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j)
      values.push_back(clustered ? centers[static_cast<size_t>(i % 20 * cols + j)] + normal(random) * 0.5 : uniform(random));
  }
  MemorySource source(std::move(values), rows, cols);
  Context ctx;
  source.stats = measure(source, ctx);
  return source;
}

void fit(benchmark::State& state, DbscanAlgorithm algorithm) {
  const MemorySource source = blobs(state.range(0), state.range(1), state.range(3) == 0);
  DbscanParams params;
  params.eps = static_cast<double>(state.range(2)) / 1000;
  params.min_samples = 10;
  params.algorithm = algorithm;
  Context ctx;
  ctx.threads = 2;
  DbscanFit result;
  for (auto _ : state) result = dbscan_fit(source, params, ctx);
  state.counters["clusters"] = static_cast<double>(result.n_clusters);
  state.counters["core"] = static_cast<double>(result.n_core);
}

void Tree(benchmark::State& state) {
  fit(state, DbscanAlgorithm::kKdTree);
}
BENCHMARK(Tree)
    ->ArgNames({"rows", "cols", "eps/1000", "flat"})
    ->Args({200'000, 2, 50, 0})
    ->Args({200'000, 2, 300, 0})
    ->Args({200'000, 2, 100, 1})
    ->Args({200'000, 2, 5'000, 1})
    ->Args({1'000'000, 3, 200, 0})
    ->Args({50'000, 8, 1'000, 0})
    ->Args({50'000, 16, 2'500, 0})
    ->Args({20'000, 8, 5'000, 1})
    ->Args({20'000, 16, 16'000, 1})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void Auto(benchmark::State& state) {
  fit(state, DbscanAlgorithm::kAuto);
}
BENCHMARK(Auto)
    ->ArgNames({"rows", "cols", "eps/1000", "flat"})
    ->Args({50'000, 8, 1'000, 0})
    ->Args({20'000, 8, 5'000, 1})
    ->Args({20'000, 16, 16'000, 1})
    ->Args({50'000, 32, 3'500, 0})
    ->Args({50'000, 64, 5'000, 0})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void Pairs(benchmark::State& state) {
  fit(state, DbscanAlgorithm::kBrute);
}
BENCHMARK(Pairs)
    ->ArgNames({"rows", "cols", "eps/1000", "flat"})
    ->Args({50'000, 8, 1'000, 0})
    ->Args({50'000, 16, 2'500, 0})
    ->Args({20'000, 8, 5'000, 1})
    ->Args({20'000, 16, 16'000, 1})
    ->Args({50'000, 32, 3'500, 0})
    ->Args({50'000, 64, 5'000, 0})
    ->Args({20'000, 256, 11'000, 0})
    ->Args({20'000, 256, 100'000, 0})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace sluice
