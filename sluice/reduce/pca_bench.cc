// The covariance of 1,000,000 x 256 float32 in memory beside the bare syrk kernel over the same leaves, and one randomised fit.
#include <benchmark/benchmark.h>

#include "sluice/core/random.h"
#include "sluice/kernels/syrk.h"
#include "sluice/reduce/covariance.h"
#include "sluice/reduce/pca.h"

namespace {

using namespace sluice;

constexpr int64_t kRows = 1'000'000;
constexpr int64_t kCols = 256;

// One leaf of normal values again and again: the values do not matter to the time, and are made in a moment.
const MemorySource& rows_of_bench() {
  static const MemorySource source = [] {
    auto values = std::make_shared<std::vector<float>>(static_cast<size_t>(kRows * kCols));
    const int64_t leaf = 4096 * kCols;
    for (int64_t i = 0; i < kRows * kCols; ++i) {
      float& x = (*values)[static_cast<size_t>(i)];
      x = i < leaf
              ? static_cast<float>(Random(1, RandomStage::kSubsample, static_cast<uint64_t>(i)).normal() * static_cast<double>(1 + i % 7))
              : (*values)[static_cast<size_t>(i - leaf)];
    }
    MemorySource made(DType::kF32, values->data(), kRows, kCols, kCols, values);
    Context ctx;
    made.stats = measure(made, ctx);
    return made;
  }();
  return source;
}

Context context(int64_t threads) {
  Context ctx;
  ctx.threads = static_cast<int>(threads);
  return ctx;
}

void count(benchmark::State& state) {
  state.counters["GFLOPs"] =
      benchmark::Counter(1e-9 * static_cast<double>(kRows * kCols * (kCols + 1) * state.iterations()), benchmark::Counter::kIsRate);
}

void bare_syrk(benchmark::State& state) {
  const MemorySource& rows = rows_of_bench();
  BlockBuffer buffer;
  kernels::SyrkScratch scratch;
  const std::vector<double> center(kCols);
  std::vector<double> upper(kCols * kCols);
  for (auto _ : state) {
    for (int64_t first = 0; first < kRows; first += 4096) {
      kernels::syrk_add(rows.read(first, std::min<int64_t>(4096, kRows - first), buffer).view(), center.data(), upper.data(), scratch);
    }
    benchmark::DoNotOptimize(upper.data());
  }
  count(state);
}
BENCHMARK(bare_syrk)->Unit(benchmark::kMillisecond)->UseRealTime();

void covariance(benchmark::State& state) {
  const MemorySource& rows = rows_of_bench();
  Context ctx = context(state.range(0));
  const std::vector<double> center(kCols);
  const std::vector<int> exponents = deviation_exponents(rows, center);
  for (auto _ : state) benchmark::DoNotOptimize(cross_products(rows, center, exponents, ctx));
  count(state);
}
BENCHMARK(covariance)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

void fit(benchmark::State& state, PcaSolver solver) {
  const MemorySource& rows = rows_of_bench();
  Context ctx = context(2);
  for (auto _ : state) benchmark::DoNotOptimize(pca_fit(rows, {.n_components = "10", .svd_solver = solver}, ctx));
}
BENCHMARK_CAPTURE(fit, full, PcaSolver::kFull)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(fit, randomized, PcaSolver::kRandomized)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
