// Whole passes of Lloyd's method and greedy seeding on clustered rows in memory.
#include <benchmark/benchmark.h>

#include "sluice/cluster/kmeans.h"
#include "sluice/cluster/testing.h"

namespace sluice {
namespace {

void bm_passes(benchmark::State& state) {
  const auto source = testing::blobs(state.range(0), state.range(1), state.range(2), 1);
  KMeansParams params;
  params.n_clusters = state.range(2);
  params.max_iter = 10;
  params.tol = 0;
  std::vector<int64_t> first;
  for (int64_t i = 0; i < params.n_clusters; ++i) first.push_back(i);
  const Matrix<double> start = testing::rows_of(*source, first);
  Context ctx;
  ctx.threads = 2;
  for (auto _ : state) benchmark::DoNotOptimize(kmeans_fit(*source, params, start, ctx).inertia);
}
BENCHMARK(bm_passes)->Args({1'000'000, 2, 10})->Args({200'000, 16, 100})->Args({100'000, 64, 256})->Unit(benchmark::kMillisecond);

void bm_seeding(benchmark::State& state) {
  const auto source = testing::blobs(state.range(0), state.range(1), state.range(2), 1);
  KMeansParams params;
  params.n_clusters = state.range(2);
  params.max_iter = 1;
  params.n_init = 1;
  Context ctx;
  ctx.threads = 2;
  for (auto _ : state) benchmark::DoNotOptimize(kmeans_fit(*source, params, {}, ctx).inertia);
}
BENCHMARK(bm_seeding)->Args({50'000, 32, 64})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice
