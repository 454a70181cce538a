// Embedding of 4,096 rows on one thread. Run: reduce_bench --benchmark_filter=random_projection
#include <benchmark/benchmark.h>

#include "sluice/reduce/random_projection.h"

namespace sluice {
namespace {

void random_projection(benchmark::State& state, ProjectionKind kind) {
  const int64_t d = state.range(0);
  Context ctx;
  MemorySource rows(std::vector<double>(static_cast<size_t>(4096 * d), 0.5), 4096, d);
  rows.stats = measure(rows, ctx);
  const Outcome out = random_projection_run(rows, {.n_components = state.range(1), .kind = kind}, ctx);
  std::vector<double> to(static_cast<size_t>(4096 * out.embedding_cols));
  BlockBuffer buffer;
  const MatrixBlock block = rows.read(0, 4096, buffer);
  for (auto _ : state) out.embed(block, to.data());
  state.SetItemsProcessed(state.iterations() * 4096);
}
BENCHMARK_CAPTURE(random_projection, gaussian, ProjectionKind::kGaussian)->Args({784, 50})->Args({4096, 200});
BENCHMARK_CAPTURE(random_projection, sparse, ProjectionKind::kSparse)->Args({784, 50})->Args({4096, 200});

}  // namespace
}  // namespace sluice
