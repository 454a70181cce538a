// Growing 100 trees, and scoring 4,096 rows on one thread. Run: anomaly_bench --benchmark_filter=isolation_forest
#include <benchmark/benchmark.h>

#include "sluice/anomaly/isolation_forest.h"
#include "sluice/core/random.h"

namespace sluice {
namespace {

MemorySource normal_rows(int64_t n, int64_t d) {
  std::vector<double> values;
  Random random(1, RandomStage::kMakeData, 0);
  for (int64_t i = 0; i < n * d; ++i) values.push_back(random.normal());
  MemorySource rows(std::move(values), n, d);
  Context ctx;
  rows.stats = measure(rows, ctx);
  return rows;
}

void isolation_forest_grow(benchmark::State& state) {
  const MemorySource rows = normal_rows(20'000, state.range(0));
  Context ctx;
  for (auto _ : state) benchmark::DoNotOptimize(isolation_forest_fit(rows, {}, ctx));
}
BENCHMARK(isolation_forest_grow)->Arg(16)->Arg(100);

void isolation_forest_score(benchmark::State& state) {
  const MemorySource rows = normal_rows(4096, state.range(0));
  Context ctx;
  const IsolationScorer scorer(isolation_forest_fit(rows, {}, ctx));
  std::vector<double> out(4096);
  BlockBuffer buffer;
  const MatrixBlock block = rows.read(0, 4096, buffer);
  for (auto _ : state) scorer.score(block, out.data());
  state.SetItemsProcessed(state.iterations() * 4096);
}
BENCHMARK(isolation_forest_score)->Arg(16)->Arg(100);

}  // namespace
}  // namespace sluice
