// Principal components by name and as a file: what the registry calls.
#include <algorithm>
#include <cmath>
#include <memory>

#include "sluice/core/error.h"
#include "sluice/core/statistics.h"
#include "sluice/reduce/pca.h"

namespace sluice {
namespace {

constexpr size_t kMostDrawn = 500;  // components on the page

std::string percent(double share) {
  const auto tenths = static_cast<int64_t>(std::floor(share * 1000 + 0.5));
  return to_text(tenths / 10) + "." + to_text(tenths % 10) + " %";
}

Figure variance_curve(const PcaModel& model) {
  Figure figure;
  figure.title = "Variance explained";
  figure.x_name = "component";
  figure.y_name = "share of the variance";
  Figure::Line each{.name = "each", .x = {}, .y = {}, .low = {}, .high = {}};
  Figure::Line together{.name = "together", .x = {}, .y = {}, .low = {}, .high = {}};
  double sum = 0;
  for (size_t i = 0; i < std::min(kMostDrawn, model.explained_variance_ratio.size()); ++i) {
    sum += model.explained_variance_ratio[i];
    each.x.push_back(static_cast<double>(i + 1));
    together.x.push_back(static_cast<double>(i + 1));
    each.y.push_back(model.explained_variance_ratio[i]);
    together.y.push_back(sum);
  }
  if (model.explained_variance_ratio.size() > kMostDrawn) figure.note = "The first " + std::to_string(kMostDrawn) + " components.";
  figure.lines = {std::move(each), std::move(together)};
  return figure;
}

Outcome outcome_of(const PcaModel& fitted) {
  const auto model = std::make_shared<const PcaModel>(fitted);
  Outcome out;
  out.result.put("n_components", model->components.rows);
  out.result.put("explained_variance", model->explained_variance);
  out.result.put("explained_variance_ratio", model->explained_variance_ratio);
  out.result.put("singular_values", model->singular_values);
  out.result.put("noise_variance", model->noise_variance);
  out.figures.push_back(variance_curve(*model));
  double kept = 0;
  for (const double ratio : model->explained_variance_ratio) kept += ratio;
  out.notes.push_back(to_text(model->components.rows) + " of " + to_text(model->components.cols) + " dimensions hold " +
                      percent(std::min(1.0, kept)) + " of the variance");
  out.embedding_cols = model->components.rows;
  out.embed = [model](const MatrixBlock& rows, double* to) { pca_transform(*model, rows, to); };
  out.inverse = [model](const Matrix<double>& embedded) { return pca_inverse_transform(*model, embedded); };
  return out;
}

}  // namespace

ModelFile pca_save(const PcaModel& model) {
  ModelFile file;
  file.about = {{"algorithm", "pca"}, {"whiten", model.whiten ? "true" : "false"}};
  file.put("mean", std::span<const double>(model.mean));
  file.put("components", model.components);
  file.put("explained_variance", std::span<const double>(model.explained_variance));
  file.put("explained_variance_ratio", std::span<const double>(model.explained_variance_ratio));
  file.put("singular_values", std::span<const double>(model.singular_values));
  file.put("noise_variance", std::span<const double>(&model.noise_variance, 1));
  return file;
}

PcaModel pca_load(const ModelFile& file) {
  PcaModel model;
  const std::string& whiten = file.text("whiten");
  if (whiten != "true" && whiten != "false") file.damaged("it does not say whether to whiten");
  model.whiten = whiten == "true";
  model.mean = file.vector("mean");
  model.components = file.matrix("components");
  model.explained_variance = file.vector("explained_variance");
  model.explained_variance_ratio = file.vector("explained_variance_ratio");
  model.singular_values = file.vector("singular_values");
  const std::vector<double> noise = file.vector("noise_variance");
  const auto k = static_cast<size_t>(model.components.rows);
  if (k < 1 || model.components.cols < 1) file.damaged("it holds no components");
  if (model.mean.size() != static_cast<size_t>(model.components.cols)) file.damaged("its mean and components are of different widths");
  if (model.explained_variance.size() != k || model.explained_variance_ratio.size() != k || model.singular_values.size() != k ||
      noise.size() != 1) {
    file.damaged("its variances are not one a component");
  }
  model.noise_variance = noise[0];
  const auto negative = [](double x) { return x < 0; };
  if (noise[0] < 0 || std::ranges::any_of(model.explained_variance, negative) ||
      std::ranges::any_of(model.explained_variance_ratio, negative) || std::ranges::any_of(model.singular_values, negative)) {
    file.damaged("it holds a negative variance");
  }
  return model;
}

Outcome pca_run(const Source& rows, const PcaParams& params, Context& ctx) {
  const PcaFit fit = pca_fit(rows, params, ctx);
  Outcome out = outcome_of(fit.model);
  out.model = pca_save(fit.model);
  if (fit.solver == std::string("randomized"))
    out.notes.push_back("found by the randomized solver: the last components are the least exact");
  if (fit.model.explained_variance[0] == 0) out.notes.push_back("the rows do not vary, so the components mean nothing");
  return out;
}

Outcome pca_apply(const ModelFile& file, const Source& rows, Context&) {
  const PcaModel model = pca_load(file);
  require_clean(rows);
  if (rows.cols() != model.components.cols) {
    fail(ErrorCode::kBadInput, "columns",
         "the model was fitted on " + to_text(model.components.cols) + " columns and there are " + to_text(rows.cols()),
         "choose the same columns with --columns");
  }
  return outcome_of(model);
}

}  // namespace sluice
