// One fit of given passes on one thread. Run: mixture_bench --benchmark_filter=gmm
#include <benchmark/benchmark.h>

#include "sluice/core/random.h"
#include "sluice/mixture/gmm.h"

namespace sluice {
namespace {

void gmm(benchmark::State& state) {
  const int64_t n = 20'000, d = state.range(0), k = state.range(1);
  Context ctx;
  std::vector<double> values;
  Random random(7, RandomStage::kSubsample, 0);
  for (int64_t i = 0; i < n * d; ++i) values.push_back(random.normal() + static_cast<double>(i / d % k));
  MemorySource rows(std::move(values), n, d);
  rows.stats = measure(rows, ctx);
  GmmParams params;
  params.n_components = k;
  params.covariance_type = state.range(2) != 0 ? CovarianceType::kDiag : CovarianceType::kFull;
  params.init_params = GmmInit::kRandomFromData;
  params.tol = 0;
  params.max_iter = 5;
  for (auto _ : state) benchmark::DoNotOptimize(gmm_fit(rows, params, {}, ctx));
  state.SetItemsProcessed(state.iterations() * n * params.max_iter);
}
BENCHMARK(gmm)->Args({2, 10, 0})->Args({16, 16, 0})->Args({32, 32, 1})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice
