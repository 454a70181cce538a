// UMAP of 4,000 normal rows of 20 columns, and its moves alone. Run: reduce_bench --benchmark_filter=umap
#include <benchmark/benchmark.h>

#include "sluice/reduce/umap.h"
#include "sluice/reduce/umap_move.h"

namespace sluice {
namespace {

void umap(benchmark::State& state) {
  std::vector<double> values(4000 * 20);
  for (size_t i = 0; i < values.size(); ++i) values[i] = Random(1, RandomStage::kSubsample, i).normal();
  MemorySource rows(std::move(values), 4000, 20);
  Context ctx;
  ctx.threads = static_cast<int>(state.range(0));
  rows.stats = measure(rows, ctx);
  for (auto _ : state) benchmark::DoNotOptimize(umap_fit(rows, {.n_epochs = 100}, ctx));
}
BENCHMARK(umap)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

void umap_moves(benchmark::State& state) {
  Random random(1, RandomStage::kSubsample, 0);
  Matrix<double> places(10'000, state.range(0));
  for (double& x : places.values) x = 10 * random.uniform();
  detail::UmapMoves fresh;
  fresh.points.assign(places.values.begin(), places.values.begin() + 64 * places.cols);
  for (int64_t i = 0; i < 64 * 40; ++i) {
    fresh.steps.push_back({static_cast<int32_t>(random.below(10'000)), i % 7 < 2});
    if (i % 40 == 39) fresh.ends.push_back(i + 1);
  }
  for (auto _ : state) {
    detail::UmapMoves moves = fresh;
    detail::umap_move({1.577, 0.895, 1}, places, 0.5, moves);
    benchmark::DoNotOptimize(moves.points.data());
  }
  state.SetItemsProcessed(state.iterations() * 64 * 40);
}
BENCHMARK(umap_moves)->Arg(2)->Arg(3)->Arg(10);

}  // namespace
}  // namespace sluice
