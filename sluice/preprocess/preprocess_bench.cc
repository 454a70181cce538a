// Standardising 1,000,000 x 16 normal values, in memory: the scaler's fit alone, the fit with its rows written and measured, the
// measuring alone (which both inputs and outputs cost once), exact quartiles.
#include <benchmark/benchmark.h>

#include <array>

#include "sluice/core/quantiles.h"
#include "sluice/core/random.h"
#include "sluice/preprocess/preprocess.h"

namespace {

using namespace sluice;

constexpr int64_t kRows = 1'000'000;
constexpr int64_t kCols = 16;

const Table& normal_table() {
  static const Table table = [] {
    std::vector<double> values(static_cast<size_t>(kRows * kCols));
    for (size_t i = 0; i < values.size(); i += kCols) {
      Random random(1, RandomStage::kSubsample, i);
      for (size_t j = 0; j < kCols; ++j) values[i + j] = random.normal() * static_cast<double>(j * j + 1) + 100;
    }
    Table made;
    made.rows = kRows;
    made.numbers = std::make_shared<MemorySource>(std::move(values), kRows, kCols);
    for (int64_t j = 0; j < kCols; ++j) made.columns.push_back({"c" + std::to_string(j), ColumnType::kReal, j, false});
    Context ctx;
    made.numbers->stats = measure(*made.numbers, ctx);
    return made;
  }();
  return table;
}

Context context(const benchmark::State& state) {
  Context ctx;
  ctx.threads = static_cast<int>(state.range(0));
  return ctx;
}

void scale_alone(benchmark::State& state) {
  const Table& table = normal_table();
  Context ctx = context(state);
  for (auto _ : state) benchmark::DoNotOptimize(scale_fit(*table.numbers, Scale::kStandard, {}, RowsKind::kTable, ctx));
}
BENCHMARK(scale_alone)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

void standardise(benchmark::State& state) {
  const Table& table = normal_table();
  Context ctx = context(state);
  PreprocessParams params;
  params.scale = Scale::kStandard;
  params.impute = Impute::kRefuse;
  for (auto _ : state) benchmark::DoNotOptimize(preprocess_fit(table, params, ctx));
}
BENCHMARK(standardise)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

void measuring(benchmark::State& state) {
  Context ctx = context(state);
  for (auto _ : state) benchmark::DoNotOptimize(measure(*normal_table().numbers, ctx));
}
BENCHMARK(measuring)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

void quartiles(benchmark::State& state) {
  const Table& table = normal_table();
  Context ctx = context(state);
  for (auto _ : state) benchmark::DoNotOptimize(column_quantiles(*table.numbers, std::array{0.25, 0.5, 0.75}, ctx));
}
BENCHMARK(quartiles)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
