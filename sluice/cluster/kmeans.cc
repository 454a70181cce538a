#include "sluice/cluster/kmeans.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>

#include "sluice/cluster/kmeans_init.h"
#include "sluice/cluster/lloyd.h"
#include "sluice/cluster/mini_batch.h"
#include "sluice/core/csr.h"
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
// Medians and absolute differences need every column of a row: under manhattan sparse rows are written out, a leaf at a time.
class MetricRows {
 public:
  MetricRows(const Source& rows, KMeansMetric metric, bool many_passes, const Context& ctx) : rows_(&rows) {
    if (metric == KMeansMetric::kManhattan && rows.sparse()) kept_ = std::make_unique<DenseView>(rows);
    if (metric != KMeansMetric::kCosine) {
      if (kept_) rows_ = kept_.get();
      return;
    }
    auto unit = std::make_unique<NormalisedSource>(rows);
    const double bytes = 8.0 * static_cast<double>(rows.rows()) * static_cast<double>(rows.cols());
    if (many_passes && !rows.sparse() && bytes < 0.25 * static_cast<double>(ctx.memory)) {
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
  geometry.sparse = rows.sparse();
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
  return {geometry.metric,       centers.values.data(),   centers.rows,   centers.cols,
          geometry.shift.data(), geometry.scale_exponent, geometry.sparse};
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
        if (std::isnan(medians(c, 0))) counts[static_cast<size_t>(c)] = 0;  // no weight
        if (counts[static_cast<size_t>(c)] > 0) std::copy(medians.row(c), medians.row(c) + medians.cols, next.row(c));
      }
    } else {
      total_.merge(fold(rows_, [&] { return LloydState(plan, format_, weight_format_, labels_); }, ctx_).delta);
      counts = total_.counts;
      for (int64_t c = 0; c < centers.rows; ++c) {
        if (!(total_.weight(c) > 0)) counts[static_cast<size_t>(c)] = 0;
        if (counts[static_cast<size_t>(c)] > 0) move_to_mean(c, next.row(c));
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
  // The m-th cluster without weight takes the m-th farthest row, each row once; rows that coincide with their centre are never taken, so
  // this ends.
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
  bool ended = false;      // its passes are over
  bool converged = false;
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
    out.put(ended);
    out.put(converged);
    out.put_all(std::span<const double>(best.values));
    out.put(best_inertia);
    out.put(best_iter);
    out.put(best_converged);
    out.put_all(std::span<const double>(inertias));
    return out.take();
  }
  void load(const Bytes& bytes, const KMeansParams& params, int64_t starts, int64_t d) {
    ByteReader in(bytes, "checkpoint");
    start = in.get<int64_t>();
    n_iter = in.get<int64_t>();
    const auto matrix = [&](Matrix<double>& to) {
      to.values = in.get_all<double>();
      if (to.values.empty()) return;
      if (static_cast<int64_t>(to.values.size()) != params.n_clusters * d) in.damaged("holds other centres");
      if (!std::all_of(to.values.begin(), to.values.end(), [](double x) { return std::isfinite(x); })) in.damaged("holds no centres");
      to.rows = params.n_clusters, to.cols = d;
    };
    const auto yes_or_no = [&] {
      const auto byte = in.get<uint8_t>();
      if (byte > 1) in.damaged("holds neither yes nor no");
      return byte == 1;
    };
    matrix(centers);
    ended = yes_or_no();
    converged = yes_or_no();
    matrix(best);
    best_inertia = in.get<double>();
    best_iter = in.get<int64_t>();
    best_converged = yes_or_no();
    inertias = in.get_all<double>();
    in.expect_end();
    const auto passes = [&](int64_t n) { return n >= 0 && n <= params.max_iter; };
    if (start < 0 || start > starts || !passes(n_iter) || !passes(best_iter) || best.empty() != (start == 0) ||
        (start == starts && !centers.empty()) || (ended && centers.empty()) || static_cast<int64_t>(inertias.size()) != start)
      in.damaged("holds a progress that can't be");
    if (start > 0 && !(std::isfinite(best_inertia) && best_inertia == *std::min_element(inertias.begin(), inertias.end())))
      in.damaged("holds another inertia than its best");
  }
};

constexpr double kAloneWork = 1e8;  // values * clusters

// What one pass costs: rows * columns * clusters, or, where hardly one value in fifty is not zero, only those count. By the values alone,
// however they are stored: the number of starts depends on it.
double work_of(const Source& rows, const KMeansParams& params) {
  const double all = static_cast<double>(rows.rows()) * static_cast<double>(rows.cols());
  double nonzero = 0;
  for (const ColumnStatistics& column : rows.stats.columns) nonzero += static_cast<double>(rows.rows() - column.zeros);
  return (nonzero < all / 50 ? nonzero : all) * static_cast<double>(params.n_clusters);
}

int64_t starts_for(const KMeansParams& params, bool given, double work) {
  if (given) return 1;
  if (params.n_init) return *params.n_init;
  return work <= 1e6 ? 32 : work <= 1e7 ? 10 : work <= 1e8 ? 3 : 1;
}

Matrix<double> first_centers(const Source& rows, const KMeansParams& params, const Geometry& geometry, const Matrix<double>& given,
                             int64_t start, Context& ctx) {
  if (!given.empty()) {
    Matrix<double> centers = given;
    for (int64_t c = 0; params.metric == KMeansMetric::kCosine && c < centers.rows; ++c) normalise(centers.row(c), centers.cols);
    return centers;
  }
  if (params.init == "random") return init_random(rows, params.n_clusters, geometry, start, ctx);
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
  if (params.mini_batch && params.metric == KMeansMetric::kManhattan) {
    fail(ErrorCode::kUsage, "--mini-batch", "medians can't be kept by batches",
         "leave out --mini-batch or use --metric euclidean or cosine");
  }
  if (params.batch_size && !params.mini_batch) {
    fail(ErrorCode::kUsage, "--batch-size", "whole passes have no batches", "add --mini-batch, or leave it out");
  }
  if (given.empty()) return;
  if (params.n_init.value_or(1) > 1) {
    fail(ErrorCode::kUsage, "--n-init", "starts from given centres are all the same", "leave it out, or leave --init to us");
  }
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

KMeansAssignment assign_rows(const Source& rows, const Matrix<double>& centers, const Geometry& geometry, Context& ctx) {
  const kernels::AssignPlan plan = plan_for(centers, geometry);
  KMeansAssignment out{RowColumn<int32_t>(leaf_range(rows.rows(), rows.cols(), ctx), -1), {}, 0};
  ObjectiveState state = fold(rows, [&] { return ObjectiveState(plan, out.labels); }, ctx);
  out.cluster_sizes = std::move(state.counts);
  out.inertia = state.objective.value();
  return out;
}

// The starts of one fit, one after another, from where `at` stands.
class Starts {
 public:
  Starts(const Source& rows, const KMeansParams& params, const Matrix<double>& given, double tolerance, int64_t starts, Context& ctx)
      : rows_(rows),
        params_(params),
        given_(given),
        geometry_(geometry_of(rows, params.metric)),
        tolerance_(tolerance),
        starts_(starts),
        ctx_(ctx) {}

  // Throws Error{kInterrupted} with `at` as far as it came.
  void run(Progressed& at, const std::function<void()>& keep) {
    for (; at.start < starts_; ++at.start) {
      if (at.centers.empty()) at.centers = first_centers(rows_, params_, geometry_, given_, at.start, ctx_);
      ctx_.stage("k-means", params_.max_iter);
      if (!at.ended) params_.mini_batch ? batches(at) : passes(at, keep);
      at.ended = true;
      KMeansAssignment assigned = assign_rows(rows_, at.centers, geometry_, ctx_);
      at.inertias.push_back(assigned.inertia);
      if (at.best.empty() || assigned.inertia < at.best_inertia) {
        at.best = at.centers;
        at.best_inertia = assigned.inertia;
        at.best_iter = at.n_iter;
        at.best_converged = at.converged;
        best_ = std::move(assigned);
      }
      at.centers = {};
      at.n_iter = 0;
      at.ended = at.converged = false;
    }
  }
  // Of the best centres, as they lie on the ranks of `shared`.
  KMeansAssignment assignment(const Progressed& at, Context& shared) {
    if (best_ && ctx_.ranks() == shared.ranks()) return std::move(*best_);
    return assign_rows(rows_, at.best, geometry_, shared);
  }

 private:
  void passes(Progressed& at, const std::function<void()>& keep) {
    Lloyd lloyd(rows_, params_, geometry_, tolerance_, ctx_);
    while (at.n_iter < params_.max_iter && !at.converged) {
      const double moved = lloyd.pass(at.centers);
      ++at.n_iter;
      at.converged = lloyd.settled(moved);
      ctx_.step(at.n_iter, "start " + std::to_string(at.start + 1) + " of " + std::to_string(starts_));
      keep();
    }
  }
  // An interrupted start begins again from its first centres.
  void batches(Progressed& at) {
    Matrix<double> centers = at.centers;
    MiniBatchResult result;
    on_every_rank(ctx_, [&] { result = mini_batch(rows_, params_, geometry_, tolerance_, at.start, centers, ctx_); });
    at.centers = std::move(centers);
    at.n_iter = result.n_iter;
    at.converged = result.converged;
  }
  const Source& rows_;
  const KMeansParams& params_;
  const Matrix<double>& given_;
  Geometry geometry_;
  double tolerance_;
  int64_t starts_;
  Context& ctx_;
  std::optional<KMeansAssignment> best_;
};

}  // namespace

KMeansFit kmeans_fit(const Source& all_rows, const KMeansParams& params, const Matrix<double>& given, Context& ctx) {
  check(all_rows, params, given);
  // Small data is fitted by every rank for itself: the same bits, without thousands of messages. The last pass is shared again.
  Context own = ctx;
  const double work = work_of(all_rows, params);
  if (work <= kAloneWork && ctx.leaf_rows == 0) own.comm = nullptr;  // tests with leaves of their own share the work
  const MetricRows rows(all_rows, params.metric, true, ctx);
  const int64_t n_starts = starts_for(params, !given.empty(), work);
  Progressed at;
  if (ctx.checkpoints != nullptr) {
    const Bytes kept = ctx.checkpoints->load("kmeans");
    if (!kept.empty()) at.load(kept, params, n_starts, all_rows.cols());
  }
  const auto keep = [&](bool now) {
    if (ctx.checkpoints != nullptr) ctx.checkpoints->save("kmeans", at.save(), now);
  };
  Starts starts(*rows, params, given, tolerance_of(*rows, params.tol, ctx), n_starts, own);
  KMeansAssignment assigned;
  try {
    const auto run = [&] { starts.run(at, [&] { keep(false); }); };
    if (own.ranks() == ctx.ranks()) {
      run();
    } else {
      on_every_rank(ctx, run);
    }
    assigned = starts.assignment(at, ctx);
  } catch (const Error& error) {
    if (error.code == ErrorCode::kInterrupted) keep(true);
    throw;
  }
  KMeansFit fit;
  fit.labels = std::move(assigned.labels);
  fit.cluster_sizes = std::move(assigned.cluster_sizes);
  fit.cluster_centers = std::move(at.best);
  fit.metric = params.metric;
  fit.inertia = at.best_inertia;
  fit.n_iter = at.best_iter;
  fit.converged = at.best_converged;
  fit.starts = n_starts;
  fit.starts_agreed =
      std::count_if(at.inertias.begin(), at.inertias.end(), [&](double x) { return x - fit.inertia <= 1e-3 * fit.inertia; });
  return fit;
}

KMeansAssignment kmeans_assign(const Matrix<double>& centers, KMeansMetric metric, const Source& all_rows, Context& ctx) {
  const MetricRows rows(all_rows, metric, false, ctx);
  return assign_rows(*rows, centers, geometry_of(*rows, metric), ctx);
}

}  // namespace sluice
