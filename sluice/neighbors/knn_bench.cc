// Neighbour graphs, k = 15. Run: neighbors_bench --benchmark_filter=knn
#include <benchmark/benchmark.h>

#include "sluice/core/random.h"
#include "sluice/neighbors/knn.h"

namespace sluice {
namespace {

MemorySource normal_rows(int64_t n, int64_t d) {
  std::vector<float> values(static_cast<size_t>(n * d));
  Random random(1, RandomStage::kSubsample, 0);
  for (float& x : values) x = static_cast<float>(random.normal());
  auto keep = std::make_shared<std::vector<float>>(std::move(values));
  MemorySource rows(DType::kF32, keep->data(), n, d, d, keep);
  Context ctx;
  rows.stats = measure(rows, ctx);
  return rows;
}

void knn(benchmark::State& state, NeighborWay way) {
  const MemorySource rows = normal_rows(state.range(0), state.range(1));
  Context ctx;
  ctx.threads = static_cast<int>(state.range(2));
  for (auto _ : state) benchmark::DoNotOptimize(knn_graph(rows, 15, kernels::Metric::kSquaredEuclidean, ctx, way).indices.data());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(knn, brute, NeighborWay::kBrute)
    ->Args({20000, 128, 1})
    ->Args({20000, 128, 2})
    ->Args({20000, 8, 1})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(knn, kd_tree, NeighborWay::kKdTree)
    ->Args({20000, 2, 1})
    ->Args({20000, 8, 1})
    ->Args({20000, 12, 1})
    ->Args({200000, 2, 2})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace sluice
