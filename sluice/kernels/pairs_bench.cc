// GFLOP/s (2 rows rows d) of the pair kernels on one thread, 4096 x 4096 rows, packing and float64 decisions included.
// `rechecked` is the share of pairs that were decided in float64.
#include <benchmark/benchmark.h>

#include <cmath>
#include <limits>

#include "sluice/kernels/cpu.h"
#include "sluice/kernels/pairs.h"
#include "sluice/kernels/sample_rows.h"

namespace sluice::kernels {
namespace {

constexpr int64_t kRows = 4096;

Metric metric_of(int64_t code) {
  return code == 0 ? Metric::kSquaredEuclidean : Metric::kManhattan;
}

void report(benchmark::State& state, int64_t d, const PairScratch& scratch) {
  const double pairs = static_cast<double>(kRows * kRows * state.iterations());
  state.counters["GFLOPs"] = benchmark::Counter(2e-9 * pairs * static_cast<double>(d), benchmark::Counter::kIsRate);
  state.counters["rechecked"] = static_cast<double>(scratch.rechecked) / pairs;
  state.SetLabel(std::string(target_name()));
}

// The share of pairs within the limit is small at half of the usual distance, about a half at the usual distance.
void Count(benchmark::State& state) {
  const int64_t d = state.range(0);
  const Metric metric = metric_of(state.range(1));
  const SampleRows a = make_sample_rows(kRows, d, false, 1), b = make_sample_rows(kRows, d, false, 2);
  const PairPlan plan(metric, d, a.center.data(), 3);
  const double usual = metric == Metric::kManhattan ? 1.128 * static_cast<double>(d) : 2.0 * static_cast<double>(d);
  const double limit = usual * 0.01 * static_cast<double>(state.range(2));
  std::vector<int64_t> counts(kRows);
  PairScratch scratch;
  for (auto _ : state) plan.count_within(a.view, b.view, limit, counts.data(), scratch);
  report(state, d, scratch);
}
BENCHMARK(Count)
    ->ArgsProduct({{2, 3, 16, 64, 128, 768}, {0}, {25}})
    ->Args({128, 0, 100})
    ->Args({2, 0, 100})
    ->ArgsProduct({{16, 128}, {1}, {50}})
    ->Unit(benchmark::kMillisecond);

void Visit(benchmark::State& state) {
  const int64_t d = state.range(0);
  const SampleRows a = make_sample_rows(kRows, d, false, 1), b = make_sample_rows(kRows, d, false, 2);
  const PairPlan plan(Metric::kSquaredEuclidean, d, a.center.data(), 3);
  PairScratch scratch;
  int64_t sum = 0;
  for (auto _ : state)
    plan.visit_within(a.view, b.view, static_cast<double>(d) * 0.5, [&](int64_t i, int64_t j) { sum += i ^ j; }, scratch);
  benchmark::DoNotOptimize(sum);
  report(state, d, scratch);
}
BENCHMARK(Visit)->Arg(2)->Arg(16)->Arg(128)->Unit(benchmark::kMillisecond);

// The first block of a search; `later` blocks find lists that are full already.
void Nearest(benchmark::State& state) {
  const int64_t d = state.range(0), k = 15;
  const bool later = state.range(1) != 0;
  const SampleRows a = make_sample_rows(kRows, d, false, 1), b = make_sample_rows(kRows, d, false, 2);
  const PairPlan plan(Metric::kSquaredEuclidean, d, a.center.data(), 3);
  std::vector<double> distance(kRows * k, std::numeric_limits<double>::infinity());
  std::vector<int64_t> index(kRows * k, -1);
  PairScratch scratch;
  if (later) plan.nearest(a.view, a.view, kRows, -1, k, distance.data(), index.data(), scratch);
  scratch.rechecked = 0;
  for (auto _ : state) {
    std::vector<double> value = distance;
    std::vector<int64_t> row = index;
    plan.nearest(a.view, b.view, 0, -1, k, value.data(), row.data(), scratch);
    benchmark::DoNotOptimize(row.data());
  }
  report(state, d, scratch);
}
BENCHMARK(Nearest)->ArgsProduct({{2, 16, 128}, {0, 1}})->Unit(benchmark::kMillisecond);

void DistanceSums(benchmark::State& state) {
  const int64_t d = state.range(0), k = 8;
  const SampleRows a = make_sample_rows(kRows, d, false, 1), b = make_sample_rows(kRows, d, false, 2);
  const PairPlan plan(Metric::kSquaredEuclidean, d, nullptr, 0);
  std::vector<int32_t> labels(kRows);
  for (size_t j = 0; j < labels.size(); ++j) labels[j] = static_cast<int32_t>(j * j % k);
  std::vector<double> sums(kRows * k);
  PairScratch scratch;
  for (auto _ : state) plan.distance_sums(a.view, b.view, labels.data(), k, sums.data(), scratch);
  report(state, d, scratch);
}
BENCHMARK(DistanceSums)->Arg(2)->Arg(16)->Arg(128)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice::kernels
