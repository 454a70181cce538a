#include "sluice/reduce/umap_start.h"

#include <algorithm>
#include <cmath>

#include "sluice/core/random.h"
#include "sluice/reduce/pca.h"
#include "sluice/reduce/umap_graph.h"

namespace sluice::detail {

Matrix<double> umap_pca(const Source& rows, const Matrix<double>& all, int64_t dims, Context& ctx) {
  Matrix<double> out(all.rows, dims);
  const int64_t k = std::min({dims, all.rows, all.cols});
  if (all.rows < 2) return out;
  const PcaModel model = pca_fit(rows, {.n_components = to_text(k)}, ctx).model;
  for_pieces(all.rows, 4096, ctx, [&](int64_t first, int64_t last) {
    MatrixBlock block{DType::kF64, all.row(first), last - first, all.cols, all.cols, first, nullptr};
    std::vector<double> part(static_cast<size_t>(block.rows * k));
    pca_transform(model, block, part.data());
    for (int64_t r = 0; r < block.rows; ++r) std::copy_n(part.data() + r * k, k, out.row(first + r));
  });
  return out;
}

Matrix<double> umap_random(int64_t n, int64_t dims, const Context& ctx) {
  Matrix<double> out(n, dims);
  for (int64_t i = 0; i < n; ++i) {
    Random random(ctx.seed, RandomStage::kUmapStart, static_cast<uint64_t>(i));
    for (int64_t c = 0; c < dims; ++c) out(i, c) = 20 * random.uniform() - 10;
  }
  return out;
}

void umap_spread(Matrix<double>& start, const Context& ctx) {
  double most = 0;
  for (const double x : start.values) most = std::max(most, std::fabs(x));
  const double factor = most > 0 ? 10 / most : 0;
  for (int64_t i = 0; i < start.rows; ++i) {
    Random random(ctx.seed, RandomStage::kUmapStart, static_cast<uint64_t>(i));
    for (int64_t c = 0; c < start.cols; ++c) start(i, c) = start(i, c) * factor + 1e-4 * random.normal();
  }
}

void umap_to_box(Matrix<double>& start) {
  for (int64_t c = 0; c < start.cols && start.rows > 0; ++c) {
    double low = start(0, c), high = low;
    for (int64_t i = 0; i < start.rows; ++i) {
      low = std::min(low, start(i, c));
      high = std::max(high, start(i, c));
    }
    for (int64_t i = 0; i < start.rows; ++i) start(i, c) = high > low ? 10 * (start(i, c) - low) / (high - low) : 0;
  }
}

}  // namespace sluice::detail
