// Words of 1 MB of English-like text on one thread, and its rows. Run: preprocess_bench --benchmark_filter=tfidf
#include <benchmark/benchmark.h>

#include "sluice/preprocess/tfidf.h"

namespace sluice {
namespace {

std::vector<std::string> texts() {
  std::vector<std::string> out;
  uint64_t s = 1;
  const auto next = [&] { return (s = s * 6364136223846793005ull + 1442695040888963407ull) >> 33; };
  size_t bytes = 0;
  while (bytes < (size_t{1} << 20)) {
    std::string text;
    for (int w = 0; w < 8; ++w) text += "word" + std::to_string(next() % (1 + next() % 5000)) + " ";
    bytes += text.size();
    out.push_back(text);
  }
  return out;
}

void tfidf_fit_and_rows(benchmark::State& state) {
  const std::vector<std::string> all = texts();
  const auto n = static_cast<int64_t>(all.size());
  const TextAt at = [&](int64_t row) -> std::string_view { return all[static_cast<size_t>(row)]; };
  Context ctx;
  for (auto _ : state) {
    const TfidfFit fit = tfidf_fit(n, at, {}, {}, ctx);
    benchmark::DoNotOptimize(tfidf_rows(fit.model, n, at, false, ctx));
  }
  state.SetBytesProcessed(state.iterations() << 20);
}
BENCHMARK(tfidf_fit_and_rows)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice
