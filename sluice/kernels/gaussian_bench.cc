// Rows a second of the mixture kernels on one thread: log densities of k components, then responsibilities.
#include <benchmark/benchmark.h>

#include "sluice/kernels/cpu.h"
#include "sluice/kernels/gaussian.h"
#include "sluice/kernels/sample_rows.h"

namespace sluice::kernels {
namespace {

void Gaussian(benchmark::State& state) {
  const int64_t d = state.range(0), k = state.range(1), n = 512;
  const SampleRows rows = make_sample_rows(n, d, false, 1);
  GaussianPlan plan;
  plan.components = k;
  plan.cols = d;
  plan.diagonal = state.range(2) != 0;
  plan.factor_size = plan.diagonal ? d : packed_factor_size(d);
  plan.means.assign(static_cast<size_t>(k * d), 0.1);
  plan.factors.assign(static_cast<size_t>(k * plan.factor_size), 0.2);
  plan.constants.assign(static_cast<size_t>(k), -1.0);
  std::vector<double> claims(static_cast<size_t>(k * n)), peak(n), sum(n);
  GaussianScratch scratch;
  for (auto _ : state) {
    gaussian_logs(rows.view, plan, claims.data(), n, scratch);
    responsibilities(claims.data(), n, k, n, nullptr, peak.data(), sum.data());
    benchmark::DoNotOptimize(sum.data());
  }
  state.SetItemsProcessed(state.iterations() * n);
  state.SetLabel(std::string(target_name()));
}
BENCHMARK(Gaussian)->Args({2, 10, 0})->Args({16, 16, 0})->Args({64, 10, 0})->Args({32, 32, 1});

}  // namespace
}  // namespace sluice::kernels
