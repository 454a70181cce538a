// measure() over rows in memory, one thread: values a second.
#include <benchmark/benchmark.h>

#include "sluice/core/context.h"
#include "sluice/core/random.h"
#include "sluice/core/source.h"
#include "sluice/core/statistics.h"

namespace sluice {
namespace {

template <class T>
void measure_normal(benchmark::State& state) {
  const int64_t rows = state.range(0), cols = state.range(1);
  auto values = std::make_shared<std::vector<T>>(static_cast<size_t>(rows * cols));
  Random random(1, RandomStage::kSubsample, 0);
  for (T& x : *values) x = static_cast<T>(random.uniform() + random.uniform() + random.uniform() - 1.5);
  const MemorySource source(sizeof(T) == 4 ? DType::kF32 : DType::kF64, values->data(), rows, cols, cols, values);
  Context ctx;
  for (auto _ : state) benchmark::DoNotOptimize(measure(source, ctx));
  state.SetItemsProcessed(state.iterations() * rows * cols);
  state.SetBytesProcessed(state.iterations() * rows * cols * static_cast<int64_t>(sizeof(T)));
}

BENCHMARK(measure_normal<float>)->Args({1'000'000, 128})->Args({4'000'000, 2})->Args({100'000, 784})->Unit(benchmark::kMillisecond);
BENCHMARK(measure_normal<double>)->Args({500'000, 128})->Args({4'000'000, 2})->Args({1'000'000, 17})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice
