// Nearest centre of float32 rows on one thread. GFLOP/s counts 2 rows k d a pass, packing and float64 rechecks included in the time.
// Run: kernels_bench --benchmark_filter=assign/; SLUICE_TARGET=avx2 for another instruction set.
#include <benchmark/benchmark.h>

#include <cmath>
#include <vector>

#include "sluice/kernels/assign.h"
#include "sluice/kernels/cpu.h"

namespace sluice::kernels {
namespace {

uint64_t next_random(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

double next_normal(uint64_t& state) {
  double sum = -2;
  for (int i = 0; i < 4; ++i) sum += static_cast<double>(next_random(state) >> 11) * 0x1p-53;
  return sum * std::sqrt(3.0);
}

// Overlapping blobs: rows around k centres that are themselves normal. Arguments: d, k, values between rows.
template <class T>
void assign_rows(benchmark::State& state, Metric metric) {
  const int64_t d = state.range(0), k = state.range(1), stride = d + state.range(2);
  const int64_t n = std::min<int64_t>(1 << 20, (int64_t{1} << 31) / (k * d * 4) / 48 * 48);
  uint64_t random = 1;
  std::vector<double> centers(static_cast<size_t>(k * d));
  for (double& c : centers) c = next_normal(random);
  std::vector<T> rows(static_cast<size_t>(n * stride));
  for (int64_t i = 0; i < n; ++i) {
    const double* c = centers.data() + static_cast<int64_t>(next_random(random) % static_cast<uint64_t>(k)) * d;
    for (int64_t j = 0; j < d; ++j) rows[static_cast<size_t>(i * stride + j)] = static_cast<T>(c[j] + 0.7 * next_normal(random));
  }
  std::vector<int32_t> labels(static_cast<size_t>(n));
  AssignScratch scratch;
  for (auto _ : state) {
    const AssignPlan plan(metric, centers.data(), k, d, nullptr, 4);
    plan.assign({rows.data(), sizeof(T) == 8, n, d, stride}, labels.data(), nullptr, scratch);
    benchmark::DoNotOptimize(labels.data());
  }
  const double passes = static_cast<double>(state.iterations());
  const double flops = 2.0 * static_cast<double>(n) * static_cast<double>(k) * static_cast<double>(d) * passes;
  state.counters["GFLOP/s"] = benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsRate);
  state.counters["Mrow/s"] = benchmark::Counter(static_cast<double>(n) * passes * 1e-6, benchmark::Counter::kIsRate);
  state.counters["rechecked%"] = 100.0 * static_cast<double>(scratch.rechecked) / (static_cast<double>(n) * passes);
  state.SetLabel(std::string(target_name()));
}

void squared_f32(benchmark::State& state) {
  assign_rows<float>(state, Metric::kSquaredEuclidean);
}
void squared_f64(benchmark::State& state) {
  assign_rows<double>(state, Metric::kSquaredEuclidean);
}
void manhattan_f32(benchmark::State& state) {
  assign_rows<float>(state, Metric::kManhattan);
}

void shapes(benchmark::internal::Benchmark* b) {
  for (int64_t pad : {0, 6}) b->Args({2, 10, pad});
  b->Args({16, 100, 0})->Args({16, 1024, 0})->Args({32, 256, 0})->Args({64, 256, 0})->Args({128, 1024, 0})->Args({768, 100, 0});
  b->Unit(benchmark::kMillisecond);
}

BENCHMARK(squared_f32)->Name("assign/squared/f32")->Apply(shapes);
BENCHMARK(squared_f64)->Name("assign/squared/f64")->Apply(shapes);
BENCHMARK(manhattan_f32)->Name("assign/manhattan/f32")->Args({16, 100, 0})->Args({128, 1024, 0})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice::kernels
