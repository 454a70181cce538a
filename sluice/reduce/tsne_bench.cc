// Fifty steps of t-SNE, the neighbours found before left in. Run: reduce_bench --benchmark_filter=tsne
#include <benchmark/benchmark.h>

#include "sluice/core/random.h"
#include "sluice/reduce/tsne.h"

namespace sluice {
namespace {

void tsne(benchmark::State& state, TsneMethod method) {
  const int64_t n = state.range(0), d = 10;
  std::vector<double> values;
  for (int64_t i = 0; i < n; ++i) {
    Random random(1, RandomStage::kSubsample, static_cast<uint64_t>(i));
    for (int64_t j = 0; j < d; ++j) values.push_back(random.normal() + (i % 10 == j ? 10 : 0));
  }
  MemorySource rows(std::move(values), n, d);
  Context ctx;
  ctx.threads = static_cast<int>(state.range(1));
  rows.stats = measure(rows, ctx);
  TsneParams params;
  params.max_iter = 50;
  params.method = method;
  for (auto _ : state) benchmark::DoNotOptimize(tsne_fit(rows, params, ctx).kl_divergence);
}
BENCHMARK_CAPTURE(tsne, exact, TsneMethod::kExact)->Args({2000, 1})->Args({4000, 1})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(tsne, fft, TsneMethod::kFft)->Args({4000, 1})->Args({20000, 2})->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace sluice
