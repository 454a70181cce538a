// Truncated SVD of 20,000 rows of 512 columns on two threads. Run: reduce_bench --benchmark_filter=truncated_svd
#include <benchmark/benchmark.h>

#include "sluice/core/random.h"
#include "sluice/reduce/svd.h"

namespace sluice {
namespace {

void truncated_svd(benchmark::State& state, SvdAlgorithm algorithm) {
  std::vector<double> values(20'000 * 512);
  for (size_t i = 0; i < values.size(); ++i) values[i] = Random(1, RandomStage::kSubsample, i).normal() / static_cast<double>(1 + i % 512);
  MemorySource rows(std::move(values), 20'000, 512);
  Context ctx;
  ctx.threads = 2;
  rows.stats = measure(rows, ctx);
  for (auto _ : state) benchmark::DoNotOptimize(svd_fit(rows, {.n_components = 20, .algorithm = algorithm}, ctx));
  state.SetItemsProcessed(state.iterations() * rows.rows());
}
BENCHMARK_CAPTURE(truncated_svd, exact, SvdAlgorithm::kExact)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(truncated_svd, randomized, SvdAlgorithm::kRandomized)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace sluice
