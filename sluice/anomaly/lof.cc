#include "sluice/anomaly/lof.h"

#include <algorithm>

namespace sluice {
namespace {

double density_of(const LofModel& model, const int64_t* neighbors, const double* distances) {
  const int64_t k = model.fitted.k;
  double reach = 0;
  for (int64_t i = 0; i < k; ++i) reach += std::max(model.k_distance[static_cast<size_t>(neighbors[i])], distances[i]);
  return 1 / (reach / static_cast<double>(k) + 1e-10);
}

Outcome outcome_of(LofModel fitted, const Source& rows, const Neighbors& found, Context& ctx) {
  Outcome out;
  const auto model = std::make_shared<const LofModel>(std::move(fitted));
  score_found(out, rows, ctx, [&](int64_t i) { return found.k == 0 ? 1.0 : lof_of(*model, found.row(i), found.distance(i)); });
  out.score = [model](const MatrixBlock& block, double* to) {
    if (model->fitted.k == 0) return std::fill(to, to + block.rows, 1.0);
    const Neighbors near = nearest_of(model->fitted, block);
    for (int64_t r = 0; r < block.rows; ++r) to[r] = lof_of(*model, near.row(r), near.distance(r));
  };
  return out;
}

}  // namespace

double lof_of(const LofModel& model, const int64_t* neighbors, const double* distances) {
  const double own = density_of(model, neighbors, distances);
  double sum = 0;
  for (int64_t i = 0; i < model.fitted.k; ++i) sum += model.density[static_cast<size_t>(neighbors[i])] / own;
  return sum / static_cast<double>(model.fitted.k);
}

Outcome lof_run(const Source& rows, const LofParams& params, Context& ctx) {
  LofModel model;
  model.fitted = keep_rows(rows, params.n_neighbors, params.metric, "lof", ctx);
  const int64_t k = model.fitted.k;
  const Neighbors found = k > 0 ? knn_graph(rows, k, model.fitted.metric, ctx) : Neighbors{};
  model.k_distance.assign(static_cast<size_t>(rows.rows()), 0);
  model.density.assign(static_cast<size_t>(rows.rows()), 1);
  for (int64_t i = 0; i < found.rows(); ++i) model.k_distance[static_cast<size_t>(i)] = found.distance(i)[k - 1];
  for (int64_t i = 0; i < found.rows(); ++i) model.density[static_cast<size_t>(i)] = density_of(model, found.row(i), found.distance(i));
  ModelFile file;
  file.about = {{"algorithm", "lof"}};
  put_rows(file, model.fitted);
  file.put("k_distance", model.k_distance);
  file.put("density", model.density);
  const auto copies = std::count_if(model.k_distance.begin(), model.k_distance.end(), [](double x) { return x == 0; });
  Outcome out = outcome_of(std::move(model), rows, found, ctx);
  out.model = std::move(file);
  if (k < params.n_neighbors) out.notes.push_back("there are only " + to_text(k) + " other rows to compare with");
  if (copies > 0 && k > 0)
    out.notes.push_back(to_text(static_cast<int64_t>(copies)) +
                        " rows have at least n_neighbors copies, beside which everything looks sparse; a larger n_neighbors helps");
  return out;
}

Outcome lof_apply(const ModelFile& file, const Source& rows, Context& ctx) {
  LofModel model;
  model.fitted = load_rows(file);
  model.k_distance = file.vector("k_distance");
  model.density = file.vector("density");
  const auto n = static_cast<size_t>(model.fitted.rows->rows());
  if (model.k_distance.size() != n || model.density.size() != n) file.damaged("its densities are not one a row");
  if (std::ranges::any_of(model.k_distance, [](double x) { return x < 0; }) ||
      std::ranges::any_of(model.density, [](double x) { return !(x > 0); })) {
    file.damaged("a distance is below 0 or a density not above it");
  }
  require_columns(rows, model.fitted.rows->cols());
  const Neighbors found =
      model.fitted.k > 0 && rows.rows() > 0 ? knn_search(*model.fitted.rows, rows, model.fitted.k, model.fitted.metric, ctx) : Neighbors{};
  return outcome_of(std::move(model), rows, found, ctx);
}

}  // namespace sluice
