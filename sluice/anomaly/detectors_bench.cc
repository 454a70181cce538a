// Fits of the other detectors with the scores of their rows, on one thread. Run: anomaly_bench --benchmark_filter=fit
#include <benchmark/benchmark.h>

#include "sluice/anomaly/ecod.h"
#include "sluice/anomaly/knn_distance.h"
#include "sluice/anomaly/lof.h"
#include "sluice/anomaly/mahalanobis.h"
#include "sluice/anomaly/pca_error.h"
#include "sluice/core/random.h"

namespace sluice {
namespace {

template <class P, Outcome (*Run)(const Source&, const P&, Context&)>
void fit(benchmark::State& state) {
  const int64_t n = state.range(0), d = state.range(1);
  std::vector<double> values;
  Random random(1, RandomStage::kMakeData, 0);
  for (int64_t i = 0; i < n * d; ++i) values.push_back(random.normal());
  MemorySource rows(std::move(values), n, d);
  Context ctx;
  rows.stats = measure(rows, ctx);
  for (auto _ : state) benchmark::DoNotOptimize(Run(rows, P{}, ctx));
  state.SetItemsProcessed(state.iterations() * n);
}
BENCHMARK(fit<EcodParams, ecod_run>)->Name("fit_ecod")->Args({50'000, 32});
BENCHMARK(fit<MahalanobisParams, mahalanobis_run>)->Name("fit_mahalanobis")->Args({50'000, 32});
BENCHMARK(fit<PcaErrorParams, pca_error_run>)->Name("fit_pca_error")->Args({50'000, 32});
BENCHMARK(fit<KnnDistanceParams, knn_distance_run>)->Name("fit_knn")->Args({10'000, 16});
BENCHMARK(fit<LofParams, lof_run>)->Name("fit_lof")->Args({10'000, 16});

}  // namespace
}  // namespace sluice
