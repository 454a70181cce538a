#include "sluice/reduce/svd.h"

#include <algorithm>
#include <cmath>

#include "sluice/core/error.h"
#include "sluice/core/exact_sum.h"
#include "sluice/core/moments.h"
#include "sluice/kernels/project.h"
#include "sluice/kernels/sparse_rows.h"
#include "sluice/reduce/pca_solvers.h"
#include "sluice/reduce/subspace.h"

namespace sluice {
namespace {

constexpr int64_t kSmall = 1000;  // up to here the exact algorithm's eigenproblem takes about a second

bool randomized(const SvdParams& params, int64_t n, int64_t d) {
  if (params.algorithm != SvdAlgorithm::kAuto) return params.algorithm == SvdAlgorithm::kRandomized;
  return std::min(n, d) > kSmall && params.n_components <= std::min(n, d) / 5;
}

struct SpreadPlan {
  const Matrix<double>* components;
  std::vector<double> origin;
  std::vector<double> mean;  // the mean row's coordinates
  Matrix<double> by_column;  // the components turned round, for sparse rows
};

SpreadPlan spread_plan(const Matrix<double>& components, const std::vector<double>& mean, bool sparse) {
  const int64_t d = components.cols;
  SpreadPlan plan{&components, std::vector<double>(static_cast<size_t>(d)), std::vector<double>(static_cast<size_t>(components.rows)), {}};
  kernels::ProjectScratch scratch;
  kernels::project({mean.data(), true, 1, d, d}, plan.origin.data(), components.values.data(), components.rows, plan.mean.data(), scratch);
  if (sparse) plan.by_column = transposed(components);
  return plan;
}

// Squared coordinates about the mean row's, summed over the rows.
class SpreadState {
 public:
  explicit SpreadState(const SpreadPlan& plan) : plan_(&plan), sums_(plan.mean.size()) {}

  void accumulate(const MatrixBlock& leaf) {
    const auto k = static_cast<int64_t>(sums_.size());
    coordinates_.resize(static_cast<size_t>(leaf.rows * k));
    kernels::project(leaf.view(), plan_->origin.data(), plan_->components->values.data(), k, coordinates_.data(), scratch_);
    add(leaf);
  }
  void accumulate(const CsrBlock& leaf) {
    const auto k = static_cast<int64_t>(sums_.size());
    coordinates_.resize(static_cast<size_t>(leaf.rows * k));
    kernels::sparse_project(leaf.view(), plan_->by_column.values.data(), k, coordinates_.data());
    add(leaf);
  }
  void merge(SpreadState&& other) {
    for (size_t c = 0; c < sums_.size(); ++c) sums_[c].merge(other.sums_[c]);
  }
  void save(ByteWriter& out) const {
    for (const ExactSum& sum : sums_) sum.save(out);
  }
  void load(ByteReader& in) {
    for (ExactSum& sum : sums_) sum.load(in);
  }
  int64_t bytes() const { return static_cast<int64_t>(sums_.size() * sizeof(ExactSum) + 8 * coordinates_.size()); }
  double sum(size_t component) const { return sums_[component].value(); }

 private:
  template <class Block>
  void add(const Block& leaf) {
    std::vector<double> totals(sums_.size());
    for (int64_t r = 0; r < leaf.rows; ++r) {
      const double* row = coordinates_.data() + static_cast<size_t>(r) * totals.size();
      for (size_t c = 0; c < totals.size(); ++c) {
        const double off = row[c] - plan_->mean[c];
        totals[c] = std::fma(leaf.weight(r) * off, off, totals[c]);
      }
    }
    for (size_t c = 0; c < totals.size(); ++c) sums_[c].add(totals[c]);
  }
  const SpreadPlan* plan_;
  std::vector<ExactSum> sums_;
  std::vector<double> coordinates_;
  kernels::ProjectScratch scratch_;
};

// components and singular_values.
void decompose(const Source& rows, const SvdParams& params, SvdFit& fit, Context& ctx) {
  const int64_t n = rows.rows();
  const int64_t d = rows.cols();
  const int64_t k = params.n_components;
  SvdModel& model = fit.model;
  const std::vector<double> origin(static_cast<size_t>(d));
  std::vector<double> squares;
  if (randomized(params, n, d)) {
    fit.algorithm = "randomized";
    detail::Subspace found = detail::leading_subspace(rows, origin, k, std::min({n, d, k + params.n_oversamples}), params.n_iter, ctx);
    model.components = std::move(found.directions);
    squares = std::move(found.values);
  } else {
    const detail::HowMany how_many = [&](std::span<const double>, double, double) { return k; };
    detail::Spectrum spectrum =
        n < d ? detail::gram_spectrum(rows, origin, how_many, ctx) : detail::covariance_spectrum(rows, origin, how_many, ctx);
    const double degrees = detail::degrees_of_freedom(spectrum.weight);
    model.components = std::move(spectrum.directions);
    for (int64_t i = 0; i < k; ++i) squares.push_back(spectrum.variances[static_cast<size_t>(i)] * degrees);
  }
  detail::fix_signs(model.components);
  for (const double square : squares) model.singular_values.push_back(std::sqrt(square));
}

}  // namespace

SvdFit svd_fit(const Source& rows, const SvdParams& params, Context& ctx) {
  require_clean(rows);
  const int64_t n = rows.rows();
  const int64_t d = rows.cols();
  if (n < 2) fail(ErrorCode::kBadInput, "rows", "there are " + to_text(n) + " and a variance needs two", "give more rows");
  if (d < 1) fail(ErrorCode::kBadInput, "columns", "there are none", "choose columns of numbers");
  if (params.n_components > std::min(n, d)) {
    fail(ErrorCode::kBadInput, "--n-components", to_text(n) + " rows of " + to_text(d) + " columns have no " + to_text(params.n_components),
         "ask for at most " + to_text(std::min(n, d)));
  }
  SvdFit fit;
  decompose(rows, params, fit, ctx);
  SvdModel& model = fit.model;
  ctx.stage("variance");
  const Moments all = moments(rows, ctx);
  double total = 0;
  for (const double variance : all.variance) total += variance;
  const SpreadPlan plan = spread_plan(model.components, all.mean, rows.sparse());
  const SpreadState spread = fold(rows, [&] { return SpreadState(plan); }, ctx);
  for (size_t c = 0; c < model.singular_values.size(); ++c) {
    // The true value is not below 0, nor above that of all columns but for rounding.
    model.explained_variance.push_back(std::min(spread.sum(c) / all.weight, total));
    model.explained_variance_ratio.push_back(total > 0 ? model.explained_variance.back() / total : 0);
  }
  return fit;
}

void svd_transform(const SvdModel& model, const MatrixBlock& rows, double* out) {
  const std::vector<double> origin(static_cast<size_t>(model.components.cols));
  kernels::ProjectScratch scratch;
  kernels::project(rows.view(), origin.data(), model.components.values.data(), model.components.rows, out, scratch);
}

Matrix<double> svd_inverse_transform(const SvdModel& model, const Matrix<double>& embedded) {
  const Matrix<double>& components = model.components;
  if (embedded.cols != components.rows) {
    fail(ErrorCode::kBadInput, "columns",
         "the model has " + to_text(components.rows) + " components and there are " + to_text(embedded.cols) + " columns",
         "give an embedding of this model");
  }
  Matrix<double> out(embedded.rows, components.cols);
  for (int64_t r = 0; r < embedded.rows; ++r) {
    for (int64_t c = 0; c < components.rows; ++c) {
      for (int64_t j = 0; j < components.cols; ++j) out(r, j) = std::fma(embedded(r, c), components(c, j), out(r, j));
    }
  }
  return out;
}

}  // namespace sluice
