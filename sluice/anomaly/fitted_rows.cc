#include "sluice/anomaly/fitted_rows.h"

#include <algorithm>
#include <cmath>

#include "sluice/neighbors/kd_tree.h"

namespace sluice {
namespace {

std::shared_ptr<const MemorySource> measured(std::vector<double> values, int64_t n, int64_t d) {
  auto source = std::make_shared<MemorySource>(std::move(values), n, d);
  Context alone;
  source->stats = measure(*source, alone);
  return source;
}

}  // namespace

kernels::Metric kernel_metric(NeighborMetric metric) {
  switch (metric) {
    case NeighborMetric::kManhattan:
      return kernels::Metric::kManhattan;
    case NeighborMetric::kCosine:
      return kernels::Metric::kCosine;
    default:
      return kernels::Metric::kSquaredEuclidean;
  }
}

const char* metric_name(kernels::Metric metric) {
  switch (metric) {
    case kernels::Metric::kManhattan:
      return "manhattan";
    case kernels::Metric::kCosine:
      return "cosine";
    default:
      return "euclidean";
  }
}

double kept_bytes(const Source& rows, int64_t k) {
  const auto n = static_cast<double>(rows.rows()), d = static_cast<double>(rows.cols());
  const double tree = rows.cols() <= 16 ? static_cast<double>(kd_tree_bytes(rows.rows(), rows.cols())) : 0;
  return 8 * n * d + 16 * n * static_cast<double>(k) + std::max(tree, 8 * n * d + (kScoreBytes + 24) * n);
}

FittedRows keep_rows(const Source& rows, int64_t k, NeighborMetric metric, const std::string& who, Context& ctx) {
  require_rows(rows);
  const int64_t n = rows.rows(), d = rows.cols();
  require_left(who, "the model, which holds all " + to_text(n) + " rows,", kept_bytes(rows, std::min(k, n - 1)), rows, ctx,
               "take a sample of the rows, or give a larger --memory");
  FittedRows fitted;
  fitted.metric = kernel_metric(metric);
  fitted.k = std::min(k, n - 1);
  replicated(ctx, [&](Context& alone) {
    std::vector<double> values(static_cast<size_t>(n * d));
    map(rows, alone, [&](int, const MatrixBlock& leaf) {
      for (int64_t i = 0; i < leaf.rows; ++i) {
        double* to = values.data() + (leaf.first_row + i) * d;
        const double* from = leaf.row(i, to);
        if (from != to) std::copy(from, from + d, to);
      }
    });
    fitted.rows = measured(std::move(values), n, d);
  });
  return fitted;
}

Neighbors nearest_of(const FittedRows& fitted, const MatrixBlock& block) {
  Context alone;
  MemorySource queries(block.dtype, block.data, block.rows, block.cols, block.stride, nullptr);
  queries.stats = measure(queries, alone);
  return knn_search(*fitted.rows, queries, fitted.k, fitted.metric, alone);
}

void put_rows(ModelFile& file, const FittedRows& fitted) {
  BlockBuffer buffer;
  const MatrixBlock all = fitted.rows->read(0, fitted.rows->rows(), buffer);
  const auto bytes = std::as_bytes(std::span<const double>(all.view().f64(0), static_cast<size_t>(all.rows * all.cols)));
  file.tensors["fit_x"] = {"F64", {all.rows, all.cols}, Bytes(bytes.begin(), bytes.end())};
  const std::vector<int64_t> k = {fitted.k};
  file.put("n_neighbors", k);
  file.about["metric"] = metric_name(fitted.metric);
}

FittedRows load_rows(const ModelFile& file) {
  FittedRows fitted;
  Matrix<double> rows = file.matrix("fit_x");
  const std::vector<int64_t> k = file.integers("n_neighbors");
  if (rows.rows < 1 || rows.cols < 1) file.damaged("it holds no rows");
  if (k.size() != 1 || k[0] < 0 || k[0] > rows.rows || (k[0] == 0 && rows.rows > 1))
    file.damaged("its number of neighbours does not fit its rows");
  for (const double x : rows.values) {
    if (!(std::fabs(x) < 0x1p500)) file.damaged("a row is too large to have distances");
  }
  fitted.k = k[0];
  const std::string& metric = file.text("metric");
  if (metric != "euclidean" && metric != "manhattan" && metric != "cosine") file.damaged("it names no metric that is known");
  fitted.metric = metric == "manhattan" ? kernels::Metric::kManhattan
                  : metric == "cosine"  ? kernels::Metric::kCosine
                                        : kernels::Metric::kSquaredEuclidean;
  fitted.rows = measured(std::move(rows.values), rows.rows, rows.cols);
  return fitted;
}

}  // namespace sluice
