#include "sluice/anomaly/dbscan_noise.h"

#include "sluice/anomaly/chosen_rows.h"
#include "sluice/anomaly/fitted_rows.h"

namespace sluice {
namespace {

NeighborMetric neighbor_metric(DbscanMetric metric) {
  switch (metric) {
    case DbscanMetric::kManhattan:
      return NeighborMetric::kManhattan;
    case DbscanMetric::kCosine:
      return NeighborMetric::kCosine;
    default:
      return NeighborMetric::kEuclidean;
  }
}

Outcome outcome_of(const FittedRows& cores, double eps, const Source& rows, Context& ctx) {
  Outcome out;
  out.score = [cores, eps](const MatrixBlock& block, double* to) {
    const Neighbors near = nearest_of(cores, block);
    for (int64_t r = 0; r < block.rows; ++r) to[r] = near.distances[static_cast<size_t>(r)] / eps;
  };
  const Neighbors found = rows.rows() > 0 ? knn_search(*cores.rows, rows, 1, cores.metric, ctx) : Neighbors{};
  score_found(out, rows, ctx, [&](int64_t i) { return *found.distance(i) / eps; });
  return out;
}

}  // namespace

Outcome dbscan_noise_run(const Source& rows, const DbscanParams& params, Context& ctx) {
  require_rows(rows);
  require_left("dbscan_noise", "the model, which may hold all " + to_text(rows.rows()) + " rows,", kept_bytes(rows, 1), rows, ctx,
               "take a sample of the rows, or give a larger --memory");
  const DbscanFit fit = dbscan_fit(rows, params, ctx);
  if (fit.n_core == 0) {
    fail(ErrorCode::kBadInput, "--eps", "no row has " + to_text(params.min_samples) + " rows within eps, so all are noise",
         "give a larger --eps or a smaller --min-samples");
  }
  const std::vector<uint8_t> core = gather(fit.core, ctx);
  std::vector<int64_t> chosen;
  for (size_t i = 0; i < core.size(); ++i) {
    if (core[i] != 0) chosen.push_back(static_cast<int64_t>(i));
  }
  ChosenRows core_rows(rows, std::move(chosen));
  core_rows.stats = measure(core_rows, ctx);
  const FittedRows cores = keep_rows(core_rows, 1, neighbor_metric(params.metric), "dbscan_noise", ctx);
  Outcome out = outcome_of(cores, params.eps, rows, ctx);
  out.model.about = {{"algorithm", "dbscan_noise"}};
  put_rows(out.model, cores);
  const std::vector<double> eps = {params.eps};
  out.model.put("eps", eps);
  out.notes.push_back(to_text(fit.n_noise) + " rows score above 1: DBSCAN calls them noise");
  return out;
}

Outcome dbscan_noise_apply(const ModelFile& file, const Source& rows, Context& ctx) {
  const FittedRows cores = load_rows(file);
  const std::vector<double> eps = file.vector("eps");
  if (eps.size() != 1 || !(eps[0] > 0) || cores.k != 1) file.damaged("its eps is none, or it asks for more than the nearest row");
  require_columns(rows, cores.rows->cols());
  return outcome_of(cores, eps[0], rows, ctx);
}

}  // namespace sluice
