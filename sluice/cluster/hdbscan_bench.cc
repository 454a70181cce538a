// HDBSCAN of a whole set. Run: cluster_bench --benchmark_filter=hdbscan
#include <benchmark/benchmark.h>

#include "sluice/cluster/hdbscan.h"
#include "sluice/cluster/testing.h"

namespace sluice {
namespace {

// Clear blobs flatter boxes: `spread` ones run into each other.
std::unique_ptr<MemorySource> rows_for(int64_t n, int64_t d, bool spread) {
  const auto blobs = testing::blobs(n, d, 20, spread ? 6.0 : 0.5);
  return load(*blobs);
}

void hdbscan(benchmark::State& state) {
  const auto rows = rows_for(state.range(0), state.range(1), state.range(2) != 0);
  Context ctx;
  ctx.threads = 2;
  HdbscanParams params;
  params.min_cluster_size = 10;
  for (auto _ : state) benchmark::DoNotOptimize(hdbscan_fit(*rows, params, ctx).n_clusters);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(hdbscan)
    ->ArgNames({"rows", "cols", "spread"})
    ->Args({50'000, 2, 0})
    ->Args({50'000, 2, 1})
    ->Args({20'000, 10, 0})
    ->Args({4'000, 100, 0})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice
