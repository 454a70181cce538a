// Seconds of a search on one thread, sets kept and not written. Arguments: baskets, items, mean length, least count; `chains` of items come
// together. Run: patterns_bench --benchmark_filter=eclat
#include <benchmark/benchmark.h>

#include <algorithm>

#include "sluice/core/random.h"
#include "sluice/patterns/apriori.h"
#include "sluice/patterns/eclat.h"
#include "sluice/patterns/fpgrowth.h"

namespace sluice {
namespace {

BasketSet made_baskets(int64_t rows, int64_t items, int64_t length) {
  BasketSet set;
  for (int64_t row = 0; row < rows; ++row) {
    Random random(1, RandomStage::kSubsample, static_cast<uint64_t>(row));
    std::vector<int32_t> basket;
    while (static_cast<int64_t>(basket.size()) < length) {
      // Squared, so that some items are frequent; half of the time with the one before it.
      const double u = random.uniform();
      const auto item = static_cast<int32_t>(u * u * static_cast<double>(items));
      basket.push_back(item);
      if (item > 0 && random.uniform() < 0.5) basket.push_back(item - 1);
    }
    std::sort(basket.begin(), basket.end());
    basket.erase(std::unique(basket.begin(), basket.end()), basket.end());
    set.items.insert(set.items.end(), basket.begin(), basket.end());
    set.offsets.push_back(static_cast<int64_t>(set.items.size()));
  }
  for (int64_t item = 0; item < items; ++item) set.numbers.push_back(std::to_string(item));
  return set;
}

void search(benchmark::State& state, ItemsetSearch miner) {
  Context ctx;
  const RankedBaskets baskets = rank_items(made_baskets(state.range(0), state.range(1), state.range(2)), state.range(3), ctx);
  int64_t sets = 0;
  for (auto _ : state) {
    ItemsetStore store(baskets.items(), kMostItemsets, ctx);
    miner(baskets, {}, store, ctx);
    sets = store.sets();
  }
  state.counters["sets"] = static_cast<double>(sets);
}

void eclat(benchmark::State& state) {
  search(state, eclat_search);
}
void fpgrowth(benchmark::State& state) {
  search(state, fpgrowth_search);
}
void apriori(benchmark::State& state) {
  search(state, apriori_search);
}

void shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"baskets", "items", "length", "least"})
      ->Args({50'000, 1'000, 10, 50})
      ->Args({50'000, 10'000, 10, 20})
      ->Args({5'000, 60, 20, 700})
      ->Unit(benchmark::kMillisecond);
}
BENCHMARK(eclat)->Apply(shapes);
BENCHMARK(fpgrowth)->Apply(shapes);
BENCHMARK(apriori)->Apply(shapes);

}  // namespace
}  // namespace sluice
