#include "sluice/mixture/gmm.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "sluice/cluster/kmeans_init.h"
#include "sluice/core/math.h"
#include "sluice/mixture/covariances.h"
#include "sluice/mixture/em.h"
#include "sluice/mixture/gmm_progress.h"
#include "sluice/mixture/steps.h"

namespace sluice {
namespace mixture {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kAloneWork = 2e7;  // rows * columns * components, below which ranks do not share a pass

constexpr double kSmallWork = 1e6;  // the same, up to which starts cost nothing and are more
constexpr int64_t kMore = 4;

// From given means all starts are one, and so are those of one component.
int64_t starts_for(const Source& rows, const GmmParams& params, const GmmStart& given, int64_t k) {
  if (!given.means.empty() || k == 1) return 1;
  const double work = static_cast<double>(rows.rows()) * static_cast<double>(rows.cols()) * static_cast<double>(k);
  return params.n_init * (work <= kSmallWork ? kMore : 1);
}

int64_t restarts_for(int64_t k) {
  return 2 * k;
}

// All starts for all numbers of components, from where `at` stands.
class Fitter {
 public:
  Fitter(const Source& rows, const GmmParams& params, const GmmStart& given, const Ridge& ridge, Context& ctx)
      : rows_(rows), params_(params), given_(given), ridge_(ridge), ctx_(ctx), density_(leaf_range(rows.rows(), rows.cols(), ctx), 0) {}

  void run(Progressed& at, int64_t last_k, const std::function<void()>& keep) {
    for (; at.k <= last_k; ++at.k) {
      for (const int64_t starts = starts_for(rows_, params_, given_, at.k); at.start < starts; ++at.start) {
        if (!ends_singular(at, keep) && (!at.best_start.begun() || at.now.bound > at.best_start.bound)) at.best_start = std::move(at.now);
        at.now = {};
      }
      judge(at);
      at.start = 0;
    }
    if (!at.best.begun()) throw singular_ ? *singular_ : singular(0);
  }

 private:
  // One start may fail where another, or another number of components, has an answer: a row far out spoils one normal, not two.
  bool ends_singular(Progressed& at, const std::function<void()>& keep) {
    try {
      one_start(at, keep);
      return false;
    } catch (const Error& error) {
      if (error.code != ErrorCode::kNumerical) throw;
      singular_ = error;
      return true;
    }
  }

  static Error singular(int64_t component) {
    return {
        ErrorCode::kNumerical, "covariance",
        "that of component " + to_text(component) + " is singular however often it is started again: its rows coincide or lie in a plane",
        "raise --reg-covar or --reg-covar-relative, use --covariance-type diag, or ask for fewer components"};
  }

  void one_start(Progressed& at, const std::function<void()>& keep) {
    Reached& now = at.now;
    if (!now.begun()) now.model = first_model(rows_, params_, given_, at.k, at.start, ridge_, now.restarted, ctx_);
    ctx_.stage("mixture of " + to_text(at.k), params_.max_iter);
    while (now.n_iter < params_.max_iter && !now.converged) {
      step(now);
      ctx_.step(now.n_iter, "start " + to_text(at.start + 1) + " of " + to_text(starts_for(rows_, params_, given_, at.k)));
      keep();
    }
  }

  // One E-step and M-step.
  void step(Reached& now) {
    const kernels::GaussianPlan density = gmm_plan(now.model);
    Matrix<double> about = now.model.means;
    const auto pass = [&](RowColumn<double>* to) {
      EmPlan plan(rows_, now.model.covariance_type, about, ctx_);
      plan.density = &density;
      plan.log_density = to;
      const EmState state = fold(rows_, [&] { return EmState(plan); }, ctx_);
      now.bound = state.log_likelihood() / state.weight();
      return state.sums();
    };
    ClaimSums sums = pass(&density_);
    if (too_far(sums, ridge_, now.model.covariance_type)) {
      about = means_of(sums, about);
      sums = pass(nullptr);
    }
    GmmModel next;
    next.covariance_type = now.model.covariance_type;
    const std::vector<int64_t> shapeless = maximise(sums, about, ridge_, next);
    const bool again = !shapeless.empty() && repair(next, shapeless, now);
    now.model = std::move(next);
    ++now.n_iter;
    now.converged = !again && std::fabs(now.bound - now.compared) < params_.tol;
    now.compared = again ? -kInfinity : now.bound;
  }

  // Components without a shape begin again at the rows that the mixture explained worst. False: they stay where they are, too often
  // started already; a component without weight may, one without a covariance not.
  bool repair(GmmModel& model, const std::vector<int64_t>& shapeless, Reached& now) {
    const bool move = now.restarted + static_cast<int64_t>(shapeless.size()) <= restarts_for(model.means.rows);
    std::vector<int64_t> worst;
    if (move) worst = worst_rows(rows_, density_, static_cast<int64_t>(shapeless.size()), ctx_);
    for (size_t i = 0; i < shapeless.size(); ++i) {
      const int64_t c = shapeless[i];
      if (i < worst.size()) {
        start_again(model, c, read_row(rows_, worst[i]).data(), ridge_);
        ++now.restarted;
        continue;
      }
      if (model.weights[static_cast<size_t>(c)] > 0) throw singular(c);
      set_diagonal(model, c, ridge_.variances);
      set_factor(model, c);
    }
    return move;
  }

  // Keeps the best start's model when its BIC is the lowest so far. No start ended: both criteria are infinite.
  void judge(Progressed& at) {
    if (!at.best_start.begun()) {
      at.bics.push_back(kInfinity);
      at.aics.push_back(kInfinity);
      return;
    }
    const GmmModel& model = at.best_start.model;
    const kernels::GaussianPlan density = gmm_plan(model);
    RowColumn<int32_t> labels(leaf_range(rows_.rows(), rows_.cols(), ctx_), 0);
    const ScoreState state = fold(rows_, [&] { return ScoreState(density, labels, density_, nullptr); }, ctx_);
    const double weight = static_cast<double>(state.rows) + state.weight.value();
    const auto free = static_cast<double>(gmm_parameters(model.covariance_type, at.k, rows_.cols()));
    const double bic = -2 * state.log_likelihood.value() + free * log64(weight);
    if (!at.best.begun() || bic < *std::min_element(at.bics.begin(), at.bics.end())) at.best = at.best_start;
    at.bics.push_back(bic);
    at.aics.push_back(-2 * state.log_likelihood.value() + 2 * free);
    at.best_start = {};
  }

  const Source& rows_;
  const GmmParams& params_;
  const GmmStart& given_;
  const Ridge& ridge_;
  Context& ctx_;
  RowColumn<double> density_;
  std::optional<Error> singular_;
};

void check_given(const GmmParams& params, const GmmStart& given, int64_t k, int64_t d) {
  const auto wrong = [](const char* what, const std::string& why, const std::string& wanted) {
    fail(ErrorCode::kBadInput, what, why, "give " + wanted);
  };
  const auto finite = [](double x) { return std::isfinite(x); };
  if (!given.weights.empty()) {
    double sum = 0;
    for (const double weight : given.weights) sum += weight;
    if (static_cast<int64_t>(given.weights.size()) != k || !(std::fabs(sum - 1) < 1e-6) ||
        !std::ranges::all_of(given.weights, [](double x) { return x >= 0 && x <= 1; }))
      wrong("weights_init", "these are not the weights of " + to_text(k) + " components",
            to_text(k) + " numbers from 0 to 1 whose sum is 1");
  }
  if (!given.means.empty() && (given.means.rows != k || given.means.cols != d || !std::ranges::all_of(given.means.values, finite))) {
    wrong("means_init", "the file holds " + to_text(given.means.rows) + " means of " + to_text(given.means.cols) + " columns",
          to_text(k) + " means of " + to_text(d) + " columns, all finite");
  }
  if (given.precisions.empty()) return;
  const Shape shape = shape_of(params.covariance_type, k, d);
  const bool dense = params.covariance_type == CovarianceType::kFull || params.covariance_type == CovarianceType::kTied;
  const auto good = [&](double x) { return std::isfinite(x) && (dense || (x > 0 && std::isfinite(1 / std::sqrt(x)))); };
  if (given.precisions.rows != shape.rows || given.precisions.cols != shape.cols || !std::ranges::all_of(given.precisions.values, good)) {
    wrong("precisions_init", "the file holds " + to_text(given.precisions.rows) + " rows of " + to_text(given.precisions.cols) + " numbers",
          to_text(shape.rows) + " rows of " + to_text(shape.cols) + " numbers, " + (dense ? "all finite" : "all above 0"));
  }
}

void check(const Source& rows, const GmmParams& params, const GmmStart& given) {
  require_clean(rows);
  const int64_t k = params.n_components.value_or(1);
  if (rows.cols() < 1) fail(ErrorCode::kBadInput, "columns", "there is no numeric column to fit", "name some with --columns");
  if (rows.rows() < k) {
    fail(ErrorCode::kBadInput, "n_components", to_text(k) + " components of " + to_text(rows.rows()) + " rows",
         "ask for at most as many components as rows");
  }
  if (!params.n_components && !(given.weights.empty() && given.means.empty() && given.precisions.empty()))
    fail(ErrorCode::kUsage, "--n-components", "auto has no use for a given start", "give a number of components");
  check_given(params, given, k, rows.cols());
}

double model_bytes(CovarianceType type, int64_t k, int64_t d) {
  const Shape shape = shape_of(type, k, d);
  return 32.0 * (static_cast<double>(shape.rows) * static_cast<double>(shape.cols) + static_cast<double>(k) * static_cast<double>(d));
}

}  // namespace
}  // namespace mixture

void gmm_score(const Source& rows, bool probabilities, GmmFit& fit, Context& ctx) {
  using mixture::ScoreState;
  const LeafRange range = leaf_range(rows.rows(), rows.cols(), ctx);
  const int64_t k = fit.model.means.rows;
  fit.labels = RowColumn<int32_t>(range, 0);
  fit.log_density = RowColumn<double>(range, 0);
  if (probabilities) {
    const double bytes = 16.0 * static_cast<double>(range.last_row() - range.first_row()) * static_cast<double>(k);
    within_memory(ctx, "responsibilities", "leave out --probabilities", bytes, 0);
    fit.responsibilities.resize(static_cast<size_t>((range.last_row() - range.first_row()) * k));
  }
  double* to = fit.responsibilities.empty() ? nullptr : fit.responsibilities.data();
  const kernels::GaussianPlan density = gmm_plan(fit.model);
  ScoreState state = fold(rows, [&] { return ScoreState(density, fit.labels, fit.log_density, to); }, ctx);
  fit.weight = static_cast<double>(state.rows) + state.weight.value();
  fit.log_likelihood = state.log_likelihood.value() / fit.weight;
  fit.cluster_sizes = std::move(state.counts);
}

GmmFit gmm_fit(const Source& rows, const GmmParams& params, const GmmStart& given, Context& ctx) {
  using namespace mixture;
  check(rows, params, given);
  const int64_t d = rows.cols();
  const int64_t first_k = params.n_components.value_or(1);
  const int64_t last_k = params.n_components ? first_k : std::min(params.max_components, rows.rows());
  Context within = within_memory(ctx, "gaussian mixture", "use fewer components or columns, or --covariance-type diag",
                                 model_bytes(params.covariance_type, last_k, d) * (ctx.ranks() > 1 ? ctx.ranks() : 1),
                                 em_bytes(params.covariance_type, last_k, d));
  // Small data is fitted by every rank for itself: the same bits, without thousands of messages. The last pass is shared again.
  Context own = within;
  const double work = static_cast<double>(rows.rows()) * static_cast<double>(d) * static_cast<double>(last_k);
  if (work <= kAloneWork && ctx.leaf_rows == 0) own.comm = nullptr;  // tests with leaves of their own share the work
  Progressed at;
  at.k = first_k;
  if (ctx.checkpoints != nullptr) {
    const Bytes kept = ctx.checkpoints->load("gmm");
    if (!kept.empty()) {
      at.load(
          kept, params.covariance_type, first_k, last_k, [&](int64_t k) { return starts_for(rows, params, given, k); }, params.max_iter, d);
    }
  }
  const auto keep = [&](bool now) {
    if (ctx.checkpoints != nullptr) ctx.checkpoints->save("gmm", at.save(), now);
  };
  GmmFit fit;
  try {
    const auto run = [&] {
      const Ridge ridge = ridge_of(rows, params, own);
      Fitter(rows, params, given, ridge, own).run(at, last_k, [&] { keep(false); });
    };
    if (own.ranks() == ctx.ranks()) {
      run();
    } else {
      on_every_rank(ctx, run);
    }
    fit.model = at.best.model;
    gmm_score(rows, params.probabilities, fit, within);
  } catch (const Error& error) {
    if (error.code == ErrorCode::kInterrupted) keep(true);
    throw;
  }
  fit.lower_bound = at.best.bound;
  fit.n_iter = at.best.n_iter;
  fit.converged = at.best.converged;
  fit.restarted = at.best.restarted;
  if (!params.n_components) {
    fit.bics = std::move(at.bics);
    fit.aics = std::move(at.aics);
  }
  return fit;
}

}  // namespace sluice
