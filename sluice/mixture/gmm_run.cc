// Gaussian mixtures by name and as a file: what the registry calls.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "sluice/core/math.h"
#include "sluice/mixture/covariances.h"
#include "sluice/mixture/em.h"
#include "sluice/mixture/gmm.h"

namespace sluice {
namespace {

constexpr double kMostDrawn = 64e6;  // bytes of covariances handed over for drawing
constexpr int64_t kChunk = 4096;     // rows of samples made at a time

const std::pair<const char*, CovarianceType> kTypes[] = {{"full", CovarianceType::kFull},
                                                         {"tied", CovarianceType::kTied},
                                                         {"diag", CovarianceType::kDiag},
                                                         {"spherical", CovarianceType::kSpherical}};

const char* name_of(CovarianceType type) {
  return std::ranges::find(kTypes, type, [](const auto& one) { return one.second; })->first;
}

// The shape of scikit-learn's attribute.
std::vector<int64_t> tensor_shape(CovarianceType type, int64_t k, int64_t d) {
  switch (type) {
    case CovarianceType::kFull:
      return {k, d, d};
    case CovarianceType::kTied:
      return {d, d};
    case CovarianceType::kDiag:
      return {k, d};
    default:
      return {k};
  }
}

void put_tensor(ModelFile& file, const std::string& name, std::vector<int64_t> shape, const Matrix<double>& values) {
  const auto bytes = std::as_bytes(std::span<const double>(values.values));
  file.tensors[name] = {"F64", std::move(shape), Bytes(bytes.begin(), bytes.end())};
}

Matrix<double> tensor(const ModelFile& file, const std::string& name, const std::vector<int64_t>& shape, mixture::Shape as) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end()) file.damaged("it has no tensor " + name);
  if (found->second.dtype != "F64" || found->second.shape != shape)
    file.damaged("its tensor " + name + " has another shape than its means ask for");
  Matrix<double> out(as.rows, as.cols);
  if (found->second.data.size() != out.values.size() * sizeof(double)) file.damaged("its tensor " + name + " is cut");
  std::memcpy(out.values.data(), found->second.data.data(), found->second.data.size());
  if (!std::ranges::all_of(out.values, [](double x) { return std::isfinite(x); })) file.damaged("its tensor " + name + " is not finite");
  return out;
}

// Dense matrices one below the other: `entry(i, j, value)` must hold for each.
template <class F>
bool every_entry(const Matrix<double>& blocks, const F& entry) {
  const int64_t d = blocks.cols;
  for (int64_t i = 0; i < blocks.rows; ++i) {
    for (int64_t j = 0; j < d; ++j) {
      if (!entry(i, j)) return false;
    }
  }
  return true;
}

void check_shapes(const ModelFile& file, const GmmModel& model) {
  const int64_t d = model.means.cols;
  const Matrix<double>&covariances = model.covariances, &factors = model.precisions_cholesky;
  const bool dense = model.covariance_type == CovarianceType::kFull || model.covariance_type == CovarianceType::kTied;
  if (!std::ranges::all_of(factors.values, [](double x) { return std::fabs(x) <= mixture::kMostFactor; })) {
    file.damaged("its precisions are out of range");
  }
  const bool positive = every_entry(covariances, [&](int64_t i, int64_t j) {
    if (!dense) return covariances(i, j) > 0 && factors(i, j) > 0;
    return i % d != j || (covariances(i, j) > 0 && factors(i, j) > 0);
  });
  if (!positive) file.damaged("it holds a variance that is not positive");
  if (!dense) return;
  const bool shaped = every_entry(covariances, [&](int64_t i, int64_t j) {
    return covariances(i, j) == covariances(i - i % d + j, i % d) && (j >= i % d || factors(i, j) == 0);
  });
  if (!shaped) file.damaged("it holds a covariance that is not symmetric, or a factor that is not triangular");
}

Figure criterion_curve(const GmmFit& fit) {
  Figure figure;
  figure.title = "Number of components";
  figure.x_name = "components";
  figure.y_name = "criterion, lower is better";
  figure.lines.resize(2);
  figure.lines[0].name = "BIC";
  figure.lines[1].name = "AIC";
  for (size_t i = 0; i < fit.bics.size(); ++i) {
    if (!std::isfinite(fit.bics[i])) continue;
    for (Figure::Line& line : figure.lines) line.x.push_back(static_cast<double>(i + 1));
    figure.lines[0].y.push_back(fit.bics[i]);
    figure.lines[1].y.push_back(fit.aics[i]);
  }
  figure.marked_x = static_cast<double>(fit.model.means.rows);
  return figure;
}

OutcomeTable component_table(const GmmFit& fit) {
  OutcomeTable table;
  table.title = "Components";
  table.note = "Spread: the geometric mean of the standard deviations along the component's axes.";
  table.header = {"component", "weight", "rows", "spread"};
  const GmmModel& model = fit.model;
  const int64_t d = model.means.cols;
  for (int64_t c = 0; c < model.means.rows; ++c) {
    double log_det = 0;
    for (int64_t j = 0; j < d; ++j) {
      const Matrix<double>& factors = model.precisions_cholesky;
      const int64_t first = model.covariance_type == CovarianceType::kFull ? c * d : 0;
      const bool dense = model.covariance_type == CovarianceType::kFull || model.covariance_type == CovarianceType::kTied;
      log_det += log64(dense ? factors(first + j, j) : factors(c, factors.cols == 1 ? 0 : j));
    }
    table.rows.push_back(
        {c, model.weights[static_cast<size_t>(c)], fit.cluster_sizes[static_cast<size_t>(c)], exp64(-log_det / static_cast<double>(d))});
  }
  return table;
}

// |(row - mean) U| of the row's own component: how many standard deviations it is away.
void own_distances(const GmmModel& model, const MatrixBlock& rows, const int32_t* labels, double* out) {
  const int64_t d = rows.cols;
  const Matrix<double>& factors = model.precisions_cholesky;
  const bool dense = model.covariance_type == CovarianceType::kFull || model.covariance_type == CovarianceType::kTied;
  std::vector<double> scratch(static_cast<size_t>(d)), y(static_cast<size_t>(d));
  for (int64_t r = 0; r < rows.rows; ++r) {
    const double* row = rows.row(r, scratch.data());
    const int64_t c = labels[r];
    const int64_t first = model.covariance_type == CovarianceType::kFull ? c * d : 0;
    std::fill(y.begin(), y.end(), 0.0);
    for (int64_t i = 0; i < d; ++i) {
      const double z = row[i] - model.means(c, i);
      if (!dense) y[static_cast<size_t>(i)] = z * factors(c, factors.cols == 1 ? 0 : i);
      for (int64_t j = i; dense && j < d; ++j) y[static_cast<size_t>(j)] = std::fma(z, factors(first + i, j), y[static_cast<size_t>(j)]);
    }
    double sum = 0;
    for (const double one : y) sum = std::fma(one, one, sum);
    out[r] = std::sqrt(sum);
  }
}

std::string csv_name(const std::string& name) {
  if (name.find_first_of(",\"\r\n") == std::string::npos) return name;
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

OutcomeFile samples_file(const GmmModel& model, const Source& rows, int64_t count, uint64_t seed) {
  std::string header;
  for (int64_t j = 0; j < rows.cols(); ++j) header += (j > 0 ? "," : "") + csv_name(rows.name_of(j));
  const auto sampler = std::make_shared<const GmmSampler>(gmm_sampler(model));
  return {"samples.csv", [=](const std::function<void(std::string_view)>& put) {
            put(header + "\n");
            for (int64_t first = 0; first < count; first += kChunk) {
              const Matrix<double> drawn = gmm_sample(*sampler, seed, first, std::min(kChunk, count - first));
              std::string lines;
              for (int64_t i = 0; i < drawn.rows; ++i) {
                for (int64_t j = 0; j < drawn.cols; ++j) lines += (j > 0 ? "," : "") + to_text(drawn(i, j));
                lines += '\n';
              }
              put(lines);
            }
          }};
}

// What fit and apply have in common.
Outcome outcome_of(GmmFit& fit, bool probabilities) {
  const int64_t k = fit.model.means.rows, d = fit.model.means.cols;
  const auto model = std::make_shared<const GmmModel>(fit.model);
  const auto plan = std::make_shared<const kernels::GaussianPlan>(gmm_plan(fit.model));
  Outcome out;
  const double summed = fit.log_likelihood * fit.weight;
  const auto free = static_cast<double>(gmm_parameters(model->covariance_type, k, d));
  out.result.put("log_likelihood", fit.log_likelihood);
  out.result.put("bic", -2 * summed + free * log64(fit.weight));
  out.result.put("aic", -2 * summed + 2 * free);
  out.result.put("weights", model->weights);
  out.result.put("n_components", k);
  out.result.put("n_parameters", gmm_parameters(model->covariance_type, k, d));
  out.result.put("covariance_type", name_of(model->covariance_type));
  out.result.put("cluster_sizes", fit.cluster_sizes);
  const int64_t first = fit.labels.first_row(), count = fit.labels.last_row() - first;
  out.arrays.push_back(outcome_array<double>("log_density", "<f8", 0, first, {fit.log_density.at(first), static_cast<size_t>(count)}));
  if (probabilities)
    out.arrays.push_back(outcome_array("responsibilities", "<f8", k, first, std::span<const double>(fit.responsibilities)));
  out.labels = std::move(fit.labels);
  out.centers = model->means;
  if (8.0 * static_cast<double>(k) * static_cast<double>(d) * static_cast<double>(d) <= kMostDrawn) {
    for (int64_t c = 0; c < k; ++c) out.covariances.push_back(mixture::covariance_matrix(*model, c));
  }
  out.distances = [model](const MatrixBlock& rows, const int32_t* labels, double* to) { own_distances(*model, rows, labels, to); };
  out.score = [plan](const MatrixBlock& rows, double* to) {
    gmm_log_density(*plan, rows, to);
    for (int64_t r = 0; r < rows.rows; ++r) to[r] = -to[r];
  };
  out.tables.push_back(component_table(fit));
  return out;
}

std::vector<double> first_weights(const std::string& path, Context& ctx) {
  return path.empty() ? std::vector<double>{} : ctx.read_matrix(path).values;
}

Matrix<double> first_precisions(const GmmParams& params, Context& ctx) {
  if (params.precisions_init.empty()) return {};
  Matrix<double> given = ctx.read_matrix(params.precisions_init);
  // A number a component may stand in one row.
  if (params.covariance_type == CovarianceType::kSpherical && given.rows == 1) std::swap(given.rows, given.cols);
  return given;
}

}  // namespace

ModelFile gmm_save(const GmmModel& model) {
  ModelFile file;
  file.about = {{"algorithm", "gmm"}, {"covariance_type", name_of(model.covariance_type)}};
  file.put("weights", std::span<const double>(model.weights));
  file.put("means", model.means);
  const std::vector<int64_t> shape = tensor_shape(model.covariance_type, model.means.rows, model.means.cols);
  put_tensor(file, "covariances", shape, model.covariances);
  put_tensor(file, "precisions_cholesky", shape, model.precisions_cholesky);
  return file;
}

GmmModel gmm_load(const ModelFile& file) {
  GmmModel model;
  const std::string& type = file.text("covariance_type");
  const auto* known = std::ranges::find_if(kTypes, [&](const auto& one) { return type == one.first; });
  if (known == std::end(kTypes)) file.damaged("it names no covariance type that is known");
  model.covariance_type = known->second;
  model.weights = file.vector("weights");
  model.means = file.matrix("means");
  const int64_t k = model.means.rows, d = model.means.cols;
  if (k < 1 || d < 1 || k >= (int64_t{1} << 31)) file.damaged("it holds no components");
  double sum = 0;
  for (const double weight : model.weights) {
    if (!(weight >= 0 && weight <= 1 + 1e-9)) file.damaged("it holds a weight outside of 0 to 1");
    sum += weight;
  }
  if (static_cast<int64_t>(model.weights.size()) != k) file.damaged("its weights are not one a component");
  if (!(std::fabs(sum - 1) <= 1e-6)) file.damaged("its weights do not add up to 1");
  if (!std::ranges::all_of(model.means.values, [](double x) { return std::fabs(x) <= 1e154; })) file.damaged("its means are out of range");
  const mixture::Shape shape = mixture::shape_of(model.covariance_type, k, d);
  const std::vector<int64_t> dims = tensor_shape(model.covariance_type, k, d);
  model.covariances = tensor(file, "covariances", dims, shape);
  model.precisions_cholesky = tensor(file, "precisions_cholesky", dims, shape);
  check_shapes(file, model);
  return model;
}

Outcome gmm_run(const Source& rows, const GmmParams& params, Context& ctx) {
  GmmStart start;
  start.weights = first_weights(params.weights_init, ctx);
  if (!params.means_init.empty()) start.means = ctx.read_matrix(params.means_init);
  start.precisions = first_precisions(params, ctx);
  GmmFit fit = gmm_fit(rows, params, start, ctx);
  Outcome out = outcome_of(fit, params.probabilities);
  out.model = gmm_save(fit.model);
  out.model.about["probabilities"] = params.probabilities ? "true" : "false";
  out.result.put("n_iter", fit.n_iter);
  out.result.put("converged", fit.converged);
  out.result.put("lower_bound", fit.lower_bound);
  out.result.put("n_restarted", fit.restarted);
  if (!fit.bics.empty()) {
    out.result.put("bic_by_components", fit.bics);
    out.result.put("aic_by_components", fit.aics);
    out.figures.push_back(criterion_curve(fit));
    out.notes.push_back(to_text(fit.model.means.rows) + " components have the lowest BIC of 1 to " +
                        to_text(static_cast<int64_t>(fit.bics.size())) +
                        (fit.model.means.rows == params.max_components ? "; it may fall further: try a larger --max-components" : ""));
    const int64_t none = std::ranges::count_if(fit.bics, [](double bic) { return !std::isfinite(bic); });
    if (none > 0)
      out.notes.push_back(to_text(none) + " of these numbers of components have none: their covariances were singular at every start");
  }
  if (fit.restarted > 0) {
    out.notes.push_back(to_text(fit.restarted) + (fit.restarted == 1 ? " component" : " components") +
                        " had lost all rows or all width on the way and began again");
  }
  if (!fit.converged) out.notes.push_back("stopped at max_iter before the likelihood came to rest");
  if (params.n_samples > 0) out.files.push_back(samples_file(fit.model, rows, params.n_samples, ctx.seed));
  return out;
}

Outcome gmm_apply(const ModelFile& file, const Source& rows, Context& ctx) {
  GmmFit fit;
  fit.model = gmm_load(file);
  const std::string& probabilities = file.text("probabilities");
  if (probabilities != "true" && probabilities != "false") file.damaged("it does not say whether to write responsibilities");
  require_clean(rows);
  if (rows.cols() != fit.model.means.cols) {
    fail(ErrorCode::kBadInput, "columns",
         "the model was fitted on " + to_text(fit.model.means.cols) + " columns and there are " + to_text(rows.cols()),
         "choose the same columns with --columns");
  }
  gmm_score(rows, probabilities == "true", fit, ctx);
  return outcome_of(fit, probabilities == "true");
}

}  // namespace sluice
