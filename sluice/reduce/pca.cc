#include "sluice/reduce/pca.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sluice/core/error.h"
#include "sluice/kernels/project.h"
#include "sluice/reduce/covariance.h"
#include "sluice/reduce/pca_count.h"
#include "sluice/reduce/pca_solvers.h"

namespace sluice {
namespace {

constexpr int64_t kSmall = 1000;  // up to here the full solver's eigenproblem takes about a second

bool randomized(const PcaParams& params, const PcaCount& count, int64_t n, int64_t d) {
  if (params.svd_solver == PcaSolver::kFull) return false;
  if (params.svd_solver == PcaSolver::kAuto) {
    return std::min(n, d) > kSmall && count.kind == PcaCount::Kind::kCount && count.count <= std::min(n, d) / 5;
  }
  if (count.kind == PcaCount::Kind::kShare || count.kind == PcaCount::Kind::kMle) {
    fail(ErrorCode::kUsage, "--svd-solver", "randomized finds a number of components that is given",
         "give --n-components as a count, or use --svd-solver full");
  }
  return true;
}

// The mean variance of the directions that are left out.
double noise_of(const detail::Spectrum& spectrum, int64_t kept, int64_t possible) {
  if (kept >= possible) return 0;
  double left = 0;
  if (static_cast<int64_t>(spectrum.variances.size()) == possible) {
    for (size_t i = static_cast<size_t>(kept); i < spectrum.variances.size(); ++i) left += spectrum.variances[i];
  } else {
    left = spectrum.total;
    for (const double variance : spectrum.variances) left -= variance;
  }
  return std::max(0.0, left) / static_cast<double>(possible - kept);
}

detail::Spectrum spectrum_of(const Source& rows, const std::vector<double>& center, const PcaParams& params, const PcaCount& count,
                             bool random, Context& ctx) {
  const int64_t possible = std::min(rows.rows(), rows.cols());
  if (random) {
    const int64_t wanted = count.kind == PcaCount::Kind::kAll ? possible : count.count;
    const int64_t width = std::min(possible, wanted + params.n_oversamples);
    const int64_t power = params.iterated_power.value_or(10 * wanted < possible ? 7 : 4);
    return detail::randomized_spectrum(rows, center, wanted, width, power, ctx);
  }
  const detail::HowMany how_many = [&](std::span<const double> variances, double total, double weight) {
    return components_to_keep(count, variances, total, weight);
  };
  return rows.rows() < rows.cols() ? detail::gram_spectrum(rows, center, how_many, ctx)
                                   : detail::covariance_spectrum(rows, center, how_many, ctx);
}

}  // namespace

PcaFit pca_fit(const Source& rows, const PcaParams& params, Context& ctx) {
  require_clean(rows);
  const PcaCount count = parse_pca_count(params.n_components);
  const int64_t n = rows.rows();
  const int64_t d = rows.cols();
  if (n < 2) fail(ErrorCode::kBadInput, "rows", "there are " + to_text(n) + " and a variance needs two", "give more rows");
  if (d < 1) fail(ErrorCode::kBadInput, "columns", "there are none", "choose columns of numbers");
  check_pca_count(count, n, d);
  PcaFit fit;
  const bool random = randomized(params, count, n, d);
  fit.solver = random ? "randomized" : "full";
  PcaModel& model = fit.model;
  model.whiten = params.whiten;
  model.mean = centers_of(rows, ctx);
  detail::Spectrum spectrum = spectrum_of(rows, model.mean, params, count, random, ctx);
  const double degrees = detail::degrees_of_freedom(spectrum.weight);
  const int64_t kept = spectrum.directions.rows;
  detail::fix_signs(spectrum.directions);
  model.components = std::move(spectrum.directions);
  model.noise_variance = noise_of(spectrum, kept, std::min(n, d));
  for (size_t i = 0; i < static_cast<size_t>(kept); ++i) {
    const double variance = spectrum.variances[i];
    model.explained_variance.push_back(variance);
    model.explained_variance_ratio.push_back(spectrum.total > 0 ? variance / spectrum.total : 0);
    model.singular_values.push_back(std::sqrt(variance * degrees));
  }
  return fit;
}

void pca_transform(const PcaModel& model, const MatrixBlock& rows, double* out) {
  const int64_t k = model.components.rows;
  kernels::ProjectScratch scratch;
  kernels::project(rows.view(), model.mean.data(), model.components.values.data(), k, out, scratch);
  if (!model.whiten) return;
  for (int64_t c = 0; c < k; ++c) {
    // A direction without variance is not blown up: scikit-learn's floor.
    const double scale = std::max(std::sqrt(model.explained_variance[static_cast<size_t>(c)]), std::numeric_limits<double>::epsilon());
    for (int64_t r = 0; r < rows.rows; ++r) out[r * k + c] /= scale;
  }
}

Matrix<double> pca_inverse_transform(const PcaModel& model, const Matrix<double>& embedded) {
  const int64_t k = model.components.rows;
  const int64_t d = model.components.cols;
  if (embedded.cols != k) {
    fail(ErrorCode::kBadInput, "columns",
         "the model has " + to_text(k) + " components and there are " + to_text(embedded.cols) + " columns",
         "give an embedding of this model");
  }
  Matrix<double> out(embedded.rows, d);
  for (int64_t r = 0; r < embedded.rows; ++r) {
    double* row = out.row(r);
    for (int64_t c = 0; c < k; ++c) {
      const double scale = model.whiten ? std::sqrt(model.explained_variance[static_cast<size_t>(c)]) : 1.0;
      const double part = embedded(r, c) * scale;
      const double* component = model.components.row(c);
      for (int64_t j = 0; j < d; ++j) row[j] = std::fma(part, component[j], row[j]);
    }
    for (int64_t j = 0; j < d; ++j) row[j] += model.mean[static_cast<size_t>(j)];
  }
  return out;
}

}  // namespace sluice
