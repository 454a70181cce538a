// Nearest of k centres for 4,096 rows of 5,000 columns with 8 values each, as titles have, on one thread; dense rows beside.
#include <benchmark/benchmark.h>

#include <vector>

#include "sluice/kernels/assign.h"
#include "sluice/kernels/sparse_rows.h"

namespace sluice::kernels {
namespace {

constexpr int64_t kRows = 4096, kCols = 5000, kValues = 8;

struct Titles {
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> indices;
  std::vector<double> values, dense, centers;
  explicit Titles(int64_t k) : dense(kRows * kCols) {
    uint64_t s = 1;
    const auto next = [&] { return (s = s * 6364136223846793005ull + 1442695040888963407ull) >> 33; };
    for (int64_t i = 0; i < kRows; ++i) {
      for (int64_t v = 0; v < kValues; ++v) {
        const auto j = static_cast<int32_t>(v * (kCols / kValues) + static_cast<int64_t>(next() % (kCols / kValues)));
        indices.push_back(j);
        values.push_back(0.35);
        dense[static_cast<size_t>(i * kCols + j)] = 0.35;
      }
      offsets.push_back(static_cast<int64_t>(indices.size()));
    }
    for (int64_t i = 0; i < k * kCols; ++i) centers.push_back(static_cast<double>(next() % 1000) * 1e-5);
  }
};

void sparse_assign(benchmark::State& state) {
  const int64_t k = state.range(0);
  const Metric metric = state.range(1) == 0 ? Metric::kCosine : Metric::kSquaredEuclidean;
  const Titles data(k);
  std::vector<int32_t> labels(kRows);
  if (state.range(2) == 0) {
    const SparseCentres plan(metric, data.centers.data(), k, kCols);
    SparseScratch scratch;
    for (auto _ : state)
      plan.assign(data.centers.data(), {kRows, kCols, data.offsets.data(), data.indices.data(), data.values.data()}, labels.data(), nullptr,
                  scratch);
  } else {
    const AssignPlan plan(metric, data.centers.data(), k, kCols, nullptr, 1);
    AssignScratch scratch;
    for (auto _ : state) plan.assign(RowsView{data.dense.data(), true, kRows, kCols, kCols}, labels.data(), nullptr, scratch);
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(sparse_assign)->ArgNames({"k", "squared", "dense"})->Args({20, 0, 0})->Args({20, 1, 0})->Args({20, 0, 1})->Args({200, 0, 0});

}  // namespace
}  // namespace sluice::kernels
