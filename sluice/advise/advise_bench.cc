// Measuring 2,000 rows for advice. Run: advise_bench --benchmark_filter=advise
#include <benchmark/benchmark.h>

#include "sluice/advise/advise.h"
#include "sluice/cluster/testing.h"

namespace sluice {
namespace {

void advise_rows(benchmark::State& state) {
  const auto rows = testing::blobs(state.range(0), state.range(1), 5, 0.7);
  for (auto _ : state) {
    Context ctx;
    ctx.threads = 2;
    benchmark::DoNotOptimize(advise(measure_for_advice(*rows, {}, ctx), {}).structure);
  }
}
BENCHMARK(advise_rows)->ArgNames({"rows", "cols"})->Args({500, 2})->Args({2'000, 8})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice
