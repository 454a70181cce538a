// GFLOP/s of syrk_add (useful flops: d (d + 1) a row) and project, and GB/s of column_sums, on one thread.
#include <benchmark/benchmark.h>

#include "sluice/kernels/cpu.h"
#include "sluice/kernels/moments.h"
#include "sluice/kernels/project.h"
#include "sluice/kernels/sample_rows.h"
#include "sluice/kernels/syrk.h"

namespace sluice::kernels {
namespace {

void Syrk(benchmark::State& state) {
  const int64_t d = state.range(0), n = 4096;
  const SampleRows rows = make_sample_rows(n, d, state.range(1) != 0, 1);
  const std::vector<double> weights(n, 0.5);
  std::vector<double> upper(d * d);
  SyrkScratch scratch;
  for (auto _ : state) {
    if (state.range(2) != 0) {
      syrk_add_weighted(rows.view, rows.center.data(), weights.data(), upper.data(), scratch);
    } else {
      syrk_add(rows.view, rows.center.data(), upper.data(), scratch);
    }
    benchmark::DoNotOptimize(upper.data());
  }
  state.counters["GFLOPs"] =
      benchmark::Counter(1e-9 * static_cast<double>(n * d * (d + 1) * state.iterations()), benchmark::Counter::kIsRate);
  state.SetLabel(std::string(target_name()));
}
BENCHMARK(Syrk)->ArgsProduct({{16, 64, 256, 784}, {0, 1}, {0}})->Args({256, 1, 1});

void Project(benchmark::State& state) {
  const int64_t d = state.range(0), q = state.range(1), n = 4096;
  const SampleRows rows = make_sample_rows(n, d, true, 1);
  const std::vector<double> components(q * d, 0.5);
  std::vector<double> out(n * q);
  ProjectScratch scratch;
  for (auto _ : state) {
    project(rows.view, rows.center.data(), components.data(), q, out.data(), scratch);
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["GFLOPs"] = benchmark::Counter(2e-9 * static_cast<double>(n * d * q * state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(Project)->ArgsProduct({{64, 256}, {2, 16, 64}});

void ColumnSums(benchmark::State& state) {
  const int64_t d = state.range(0), n = 4096;
  const SampleRows rows = make_sample_rows(n, d, state.range(1) != 0, 1);
  std::vector<double> sum(d), square(d);
  for (auto _ : state) {
    column_sums(rows.view, rows.center.data(), sum.data(), square.data());
    benchmark::DoNotOptimize(sum.data());
  }
  state.SetBytesProcessed(n * d * (state.range(1) != 0 ? 8 : 4) * state.iterations());
}
BENCHMARK(ColumnSums)->ArgsProduct({{16, 256}, {0, 1}});

}  // namespace
}  // namespace sluice::kernels
