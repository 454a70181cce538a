#include "sluice/anomaly/knn_distance.h"

namespace sluice {
namespace {

const char* name_of(KnnDistance which) {
  return which == KnnDistance::kMean ? "mean" : which == KnnDistance::kMedian ? "median" : "largest";
}

std::function<void(const MatrixBlock&, double*)> scorer(const FittedRows& fitted, KnnDistance which) {
  return [fitted, which](const MatrixBlock& block, double* to) {
    if (fitted.k == 0) return std::fill(to, to + block.rows, 0.0);
    const Neighbors found = nearest_of(fitted, block);
    for (int64_t r = 0; r < block.rows; ++r) to[r] = knn_distance_of(found.distance(r), found.k, which);
  };
}

}  // namespace

double knn_distance_of(const double* distances, int64_t k, KnnDistance which) {
  if (k == 0) return 0;
  if (which == KnnDistance::kLargest) return distances[k - 1];
  if (which == KnnDistance::kMedian) return k % 2 == 1 ? distances[k / 2] : (distances[k / 2 - 1] + distances[k / 2]) / 2;
  double sum = 0;
  for (int64_t i = 0; i < k; ++i) sum += distances[i];
  return sum / static_cast<double>(k);
}

Outcome knn_distance_run(const Source& rows, const KnnDistanceParams& params, Context& ctx) {
  const FittedRows fitted = keep_rows(rows, params.n_neighbors, params.metric, "knn", ctx);
  Outcome out;
  const Neighbors found = fitted.k > 0 ? knn_graph(rows, fitted.k, fitted.metric, ctx) : Neighbors{};
  score_found(out, rows, ctx, [&](int64_t i) { return found.k == 0 ? 0.0 : knn_distance_of(found.distance(i), found.k, params.distance); });
  out.score = scorer(fitted, params.distance);
  out.model.about = {{"algorithm", "knn"}, {"distance", name_of(params.distance)}};
  put_rows(out.model, fitted);
  if (fitted.k < params.n_neighbors) out.notes.push_back("there are only " + to_text(fitted.k) + " other rows to compare with");
  return out;
}

Outcome knn_distance_apply(const ModelFile& file, const Source& rows, Context& ctx) {
  const FittedRows fitted = load_rows(file);
  const std::string& distance = file.text("distance");
  if (distance != "largest" && distance != "mean" && distance != "median") file.damaged("it does not say which distance is the score");
  const KnnDistance which = distance == "mean" ? KnnDistance::kMean : distance == "median" ? KnnDistance::kMedian : KnnDistance::kLargest;
  require_columns(rows, fitted.rows->cols());
  Outcome out;
  out.score = scorer(fitted, which);
  const Neighbors found = fitted.k > 0 && rows.rows() > 0 ? knn_search(*fitted.rows, rows, fitted.k, fitted.metric, ctx) : Neighbors{};
  score_found(out, rows, ctx, [&](int64_t i) { return found.k == 0 ? 0.0 : knn_distance_of(found.distance(i), found.k, which); });
  return out;
}

}  // namespace sluice
