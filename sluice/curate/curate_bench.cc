// Near duplicates in few and in many columns, a third to a half of the rows dropped; and the rows to label first.
#include <benchmark/benchmark.h>

#include "sluice/core/random.h"
#include "sluice/curate/curate.h"
#include "sluice/curate/select.h"

namespace sluice {
namespace {

// Pairs of rows 0.1 apart a column, in one label.
MemorySource pairs(int64_t rows, int64_t cols) {
  std::vector<double> values;
  Random random(3, RandomStage::kSubsample, 0);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) {
      const double before = i % 2 == 1 ? values[values.size() - static_cast<size_t>(cols)] : 0;
      values.push_back(i % 2 == 1 ? before + 0.1 * random.normal() : 10 * random.normal());
    }
  }
  MemorySource out(std::move(values), rows, cols);
  Context ctx;
  out.stats = measure(out, ctx);
  return out;
}

void bm_near_duplicates(benchmark::State& state) {
  const MemorySource rows = pairs(state.range(0), state.range(1));
  const std::vector<int32_t> labels(static_cast<size_t>(rows.rows()), 0);
  Context ctx;
  ctx.threads = 2;
  for (auto _ : state) benchmark::DoNotOptimize(duplicate_witnesses(rows, labels, 0.1 * static_cast<double>(rows.cols()), ctx).kept());
}
BENCHMARK(bm_near_duplicates)->Args({100'000, 3})->Args({20'000, 64})->Args({10'000, 784})->Unit(benchmark::kMillisecond);

void bm_select(benchmark::State& state) {
  const MemorySource rows = pairs(state.range(0), state.range(1));
  Context ctx;
  ctx.threads = 2;
  for (auto _ : state) benchmark::DoNotOptimize(select_rows(rows, {.budget = 100, .n_init = 1}, ctx).row.size());
}
BENCHMARK(bm_select)->Args({20'000, 64})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice
