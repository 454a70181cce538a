#include "sluice/cluster/kmeans.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "sluice/cluster/kmeans_init.h"
#include "sluice/cluster/lloyd.h"
#include "sluice/cluster/mini_batch.h"
#include "sluice/core/moments.h"
#include "sluice/core/normalised.h"
#include "sluice/core/quantiles.h"
#include "sluice/kernels/dist64.h"

namespace sluice {
namespace {

kernels::Metric kernel_metric(KMeansMetric metric) {
  switch (metric) {
    case KMeansMetric::kManhattan:
      return kernels::Metric::kManhattan;
    case KMeansMetric::kCosine:
      return kernels::Metric::kCosine;
    default:
      return kernels::Metric::kSquaredEuclidean;
  }
}

// The rows as the metric sees them: themselves, or made unit length; those are kept in memory where the budget allows, for many passes.
class MetricRows {
 public:
  MetricRows(const Source& rows, KMeansMetric metric, bool many_passes, const Context& ctx) : rows_(&rows) {
    if (metric != KMeansMetric::kCosine) return;
    auto unit = std::make_unique<NormalisedSource>(rows);
    const double bytes = 8.0 * static_cast<double>(rows.rows()) * static_cast<double>(rows.cols());
    if (many_passes && bytes < 0.25 * static_cast<double>(ctx.memory)) {
      kept_ = load(*unit);
    } else {
      kept_ = std::move(unit);
    }
    rows_ = kept_.get();
  }
  const Source& operator*() const { return *rows_; }

 private:
  const Source* rows_;
  std::unique_ptr<Source> kept_;
};

Geometry geometry_of(const Source& rows, KMeansMetric metric) {
  Geometry geometry;
  geometry.metric = kernel_metric(metric);
  double widest = 0;
  for (const ColumnStatistics& column : rows.stats.columns) {
    const double middle = metric == KMeansMetric::kCosine ? 0 : column.min + (column.max - column.min) / 2;
    geometry.shift.push_back(middle);
    widest = std::max({widest, std::fabs(column.max - middle), std::fabs(column.min - middle)});
  }
  std::frexp(widest, &geometry.scale_exponent);
  geometry.scale_exponent += 1;  // the centres' own rounding
  return geometry;
}

kernels::AssignPlan plan_for(const Matrix<double>& centers, const Geometry& geometry) {
  return {geometry.metric, centers.values.data(), centers.rows, centers.cols, geometry.shift.data(), geometry.scale_exponent};
}

// One start of Lloyd's method, pass by pass.
class Lloyd {
 public:
  Lloyd(const Source& rows, const KMeansParams& params, const Geometry& geometry, double tolerance, Context& ctx)
      : rows_(rows),
        params_(params),
        geometry_(geometry),
        tolerance_(tolerance),
        ctx_(ctx),
        format_(weighted_ranges(rows), rows.rows()),
        weight_format_(weight_format(rows)),
        labels_(leaf_range(rows.rows(), rows.cols(), ctx), -1),
        total_(format_, weight_format_, params.n_clusters) {}

  // New centres from the rows nearest to the old ones. Returns the summed squared moves.
  double pass(Matrix<double>& centers) {
    const kernels::AssignPlan plan = plan_for(centers, geometry_);
    Matrix<double> next = centers;
    std::vector<int64_t> counts;
    if (params_.metric == KMeansMetric::kManhattan) {
      counts = fold(rows_, [&] { return ObjectiveState(plan, labels_); }, ctx_).counts;
      const Matrix<double> medians = group_lower_medians(rows_, labels_, centers.rows, ctx_);
      for (int64_t c = 0; c < centers.rows; ++c) {
        if (counts[static_cast<size_t>(c)] > 0) std::copy(medians.row(c), medians.row(c) + medians.cols, next.row(c));
      }
    } else {
      total_.merge(fold(rows_, [&] { return LloydState(plan, format_, weight_format_, labels_); }, ctx_).delta);
      counts = total_.counts;
      for (int64_t c = 0; c < centers.rows; ++c) {
        if (counts[static_cast<size_t>(c)] > 0 && total_.weight(c) > 0) move_to_mean(c, next.row(c));
      }
    }
    repair_empty(plan, counts, next);
    double moved = 0;
    for (int64_t c = 0; c < centers.rows; ++c) moved += kernels::squared_distance(centers.row(c), next.row(c), centers.cols);
    centers = std::move(next);
    return moved;
  }
  bool settled(double moved) const { return moved <= tolerance_; }

 private:
  // The mean, made unit length for cosine; a mean of zero leaves the centre where it is.
  void move_to_mean(int64_t c, double* center) {
    std::vector<double> mean(static_cast<size_t>(rows_.cols()));
    total_.mean(c, mean.data());
    if (params_.metric == KMeansMetric::kCosine && normalise(mean.data(), rows_.cols()) == 0) return;
    std::copy(mean.begin(), mean.end(), center);
  }
  // The m-th empty cluster takes the m-th farthest row, each row once; rows that coincide with their centre are never taken, so this ends.
  void repair_empty(const kernels::AssignPlan& plan, const std::vector<int64_t>& counts, Matrix<double>& centers) {
    std::vector<int64_t> empty;
    for (int64_t c = 0; c < centers.rows; ++c) {
      if (counts[static_cast<size_t>(c)] == 0) empty.push_back(c);
    }
    if (empty.empty()) return;
    const std::vector<FarRow> far = farthest_rows(rows_, plan, static_cast<int64_t>(empty.size()), ctx_);
    for (size_t m = 0; m < std::min(empty.size(), far.size()); ++m) {
      const std::vector<double> row = read_row(rows_, far[m].row);
      std::copy(row.begin(), row.end(), centers.row(empty[m]));
    }
  }
  const Source& rows_;
  const KMeansParams& params_;
  const Geometry& geometry_;
  double tolerance_;
  Context& ctx_;
  LimbFormat format_;
  LimbFormat weight_format_;
  RowColumn<int32_t> labels_;
  ClusterSums total_;
};

// What a start needs to go on, and the best of the starts before it.
struct Progressed {
  int64_t start = 0;
  int64_t n_iter = 0;
  Matrix<double> centers;  // empty: the start has not begun
  Matrix<double> best;
  double best_inertia = 0;
  int64_t best_iter = 0;
  bool best_converged = false;
  std::vector<double> inertias;

  Bytes save() const {
    ByteWriter out;
    out.put(start);
    out.put(n_iter);
    out.put_all(std::span<const double>(centers.values));
    out.put_all(std::span<const double>(best.values));
    out.put(best_inertia);
    out.put(best_iter);
    out.put(best_converged);
    out.put_all(std::span<const double>(inertias));
    return out.take();
  }
  void load(const Bytes& bytes, int64_t k, int64_t d) {
    ByteReader in(bytes, "checkpoint");
    start = in.get<int64_t>();
    n_iter = in.get<int64_t>();
    const auto matrix = [&](Matrix<double>& to) {
      to.values = in.get_all<double>();
      if (!to.values.empty() && static_cast<int64_t>(to.values.size()) != k * d) in.damaged("holds other centres");
      if (!to.values.empty()) to.rows = k, to.cols = d;
    };
    matrix(centers);
    matrix(best);
    best_inertia = in.get<double>();
    best_iter = in.get<int64_t>();
    best_converged = in.get<bool>();
    inertias = in.get_all<double>();
    in.expect_end();
  }
};

int64_t starts_for(const Source& rows, const KMeansParams& params, bool given) {
  if (given) return 1;
  if (params.n_init) return *params.n_init;
  const double work = static_cast<double>(rows.rows()) * static_cast<double>(rows.cols()) * static_cast<double>(params.n_clusters);
  return work <= 1e6 ? 32 : work <= 1e7 ? 10 : work <= 1e8 ? 3 : 1;
}

Matrix<double> first_centers(const Source& rows, const KMeansParams& params, const Geometry& geometry, const Matrix<double>& given,
                             int64_t start, Context& ctx) {
  if (!given.empty()) {
    Matrix<double> centers = given;
    for (int64_t c = 0; params.metric == KMeansMetric::kCosine && c < centers.rows; ++c) normalise(centers.row(c), centers.cols);
    return centers;
  }
  if (params.init == "random") return init_random(rows, params.n_clusters, start, ctx);
  if (params.init == "k-means-parallel") return init_parallel(rows, params.n_clusters, geometry, start, ctx);
  return init_plus_plus(rows, params.n_clusters, geometry, start, ctx);
}

void check(const Source& rows, const KMeansParams& params, const Matrix<double>& given) {
  require_clean(rows);
  const std::string k = std::to_string(params.n_clusters);
  if (rows.rows() < params.n_clusters) {
    fail(ErrorCode::kBadInput, "n_clusters", k + " clusters of " + std::to_string(rows.rows()) + " rows",
         "ask for at most as many clusters as rows");
  }
  if (rows.cols() < 1) fail(ErrorCode::kBadInput, "columns", "there is no numeric column to cluster by", "name some with --columns");
  if (given.empty()) return;
  if (given.rows != params.n_clusters || given.cols != rows.cols()) {
    fail(ErrorCode::kBadInput, "init",
         "the file holds " + std::to_string(given.rows) + " centres of " + std::to_string(given.cols) + " columns",
         "give " + k + " centres of " + std::to_string(rows.cols()) + " columns");
  }
  if (!std::all_of(given.values.begin(), given.values.end(), [](double x) { return std::isfinite(x); })) {
    fail(ErrorCode::kBadInput, "init", "a centre is not finite", "give finite centres");
  }
}

double tolerance_of(const Source& rows, double tol, Context& ctx) {
  if (tol == 0) return 0;
  double sum = 0;
  for (const double variance : moments(rows, ctx).variance) sum += variance;
  return tol * sum / static_cast<double>(rows.cols());
}

}  // namespace

KMeansFit kmeans_fit(const Source& all_rows, const KMeansParams& params, const Matrix<double>& given, Context& ctx) {
  check(all_rows, params, given);
  const MetricRows metric_rows(all_rows, params.metric, true, ctx);
  const Source& rows = *metric_rows;
  const Geometry geometry = geometry_of(rows, params.metric);
  const double tolerance = tolerance_of(rows, params.tol, ctx);
  const int64_t starts = starts_for(rows, params, !given.empty());
  Progressed at;
  if (ctx.checkpoints != nullptr) {
    const Bytes kept = ctx.checkpoints->load("kmeans");
    if (!kept.empty()) at.load(kept, params.n_clusters, rows.cols());
  }
  const auto keep = [&](bool now) {
    if (ctx.checkpoints != nullptr) ctx.checkpoints->save("kmeans", at.save(), now);
  };
  KMeansFit fit;
  try {
    for (; at.start < starts; ++at.start) {
      if (at.centers.empty()) at.centers = first_centers(rows, params, geometry, given, at.start, ctx);
      ctx.stage("k-means", params.max_iter);
      bool converged = false;
      if (params.mini_batch) {
        Matrix<double> centers = at.centers;  // an interrupted start begins again from its first centres
        const MiniBatchResult result = mini_batch(rows, params, geometry, tolerance, at.start, centers, ctx);
        at.centers = std::move(centers);
        at.n_iter = result.n_iter;
        converged = result.converged;
      } else {
        Lloyd lloyd(rows, params, geometry, tolerance, ctx);
        while (at.n_iter < params.max_iter && !converged) {
          const double moved = lloyd.pass(at.centers);
          ++at.n_iter;
          ctx.step(at.n_iter, "start " + std::to_string(at.start + 1) + " of " + std::to_string(starts));
          converged = lloyd.settled(moved);
          if (!converged) keep(false);
        }
      }
      KMeansAssignment assigned = kmeans_assign(at.centers, params.metric, all_rows, ctx);
      at.inertias.push_back(assigned.inertia);
      if (at.best.empty() || assigned.inertia < at.best_inertia) {
        at.best = at.centers;
        at.best_inertia = assigned.inertia;
        at.best_iter = at.n_iter;
        at.best_converged = converged;
      }
      at.centers = {};
      at.n_iter = 0;
      if (at.start + 1 == starts && at.best_inertia == assigned.inertia && at.inertias.size() == 1) {
        fit.labels = std::move(assigned.labels);
        fit.cluster_sizes = std::move(assigned.cluster_sizes);
      }
    }
  } catch (const Error& error) {
    if (error.code == ErrorCode::kInterrupted) keep(true);
    throw;
  }
  if (fit.cluster_sizes.empty()) {
    KMeansAssignment assigned = kmeans_assign(at.best, params.metric, all_rows, ctx);
    fit.labels = std::move(assigned.labels);
    fit.cluster_sizes = std::move(assigned.cluster_sizes);
  }
  fit.cluster_centers = std::move(at.best);
  fit.metric = params.metric;
  fit.inertia = at.best_inertia;
  fit.n_iter = at.best_iter;
  fit.converged = at.best_converged;
  fit.starts = starts;
  fit.starts_agreed =
      std::count_if(at.inertias.begin(), at.inertias.end(), [&](double x) { return x - fit.inertia <= 1e-3 * fit.inertia; });
  return fit;
}

KMeansAssignment kmeans_assign(const Matrix<double>& centers, KMeansMetric metric, const Source& all_rows, Context& ctx) {
  const MetricRows metric_rows(all_rows, metric, false, ctx);
  const Source& rows = *metric_rows;
  const Geometry geometry = geometry_of(rows, metric);
  const kernels::AssignPlan plan = plan_for(centers, geometry);
  KMeansAssignment out{RowColumn<int32_t>(leaf_range(rows.rows(), rows.cols(), ctx), -1), {}, 0};
  ObjectiveState state = fold(rows, [&] { return ObjectiveState(plan, out.labels); }, ctx);
  out.cluster_sizes = std::move(state.counts);
  out.inertia = state.objective.value();
  return out;
}

}  // namespace sluice
