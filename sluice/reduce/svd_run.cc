// Truncated SVD by name and as a file: what the registry calls.
#include <algorithm>
#include <memory>
#include <string_view>

#include "sluice/core/error.h"
#include "sluice/core/statistics.h"
#include "sluice/kernels/sparse_rows.h"
#include "sluice/reduce/svd.h"

namespace sluice {
namespace {

constexpr size_t kMostDrawn = 500;  // components on the page

Figure value_curve(const SvdModel& model) {
  Figure figure;
  figure.title = "Singular values";
  figure.x_name = "component";
  figure.y_name = "singular value";
  Figure::Line line{.name = "singular value", .x = {}, .y = {}, .low = {}, .high = {}};
  for (size_t i = 0; i < std::min(kMostDrawn, model.singular_values.size()); ++i) {
    line.x.push_back(static_cast<double>(i + 1));
    line.y.push_back(model.singular_values[i]);
  }
  if (model.singular_values.size() > kMostDrawn) figure.note = "The first " + std::to_string(kMostDrawn) + " components.";
  figure.lines = {std::move(line)};
  return figure;
}

Outcome outcome_of(const SvdModel& fitted, const Source& rows) {
  const auto model = std::make_shared<const SvdModel>(fitted);
  Outcome out;
  out.result.put("n_components", model->components.rows);
  out.result.put("explained_variance", model->explained_variance);
  out.result.put("explained_variance_ratio", model->explained_variance_ratio);
  out.result.put("singular_values", model->singular_values);
  out.figures.push_back(value_curve(*model));
  out.embedding_cols = model->components.rows;
  out.embed = [model](const MatrixBlock& rows, double* to) { svd_transform(*model, rows, to); };
  if (rows.sparse()) {
    out.embed_csr = [turned = std::make_shared<const Matrix<double>>(transposed(model->components))](const CsrBlock& block, double* to) {
      kernels::sparse_project(block.view(), turned->values.data(), turned->cols, to);
    };
  }
  out.inverse = [model](const Matrix<double>& embedded) { return svd_inverse_transform(*model, embedded); };
  return out;
}

}  // namespace

ModelFile svd_save(const SvdModel& model) {
  ModelFile file;
  file.about = {{"algorithm", "svd"}};
  file.put("components", model.components);
  file.put("explained_variance", std::span<const double>(model.explained_variance));
  file.put("explained_variance_ratio", std::span<const double>(model.explained_variance_ratio));
  file.put("singular_values", std::span<const double>(model.singular_values));
  return file;
}

SvdModel svd_load(const ModelFile& file) {
  SvdModel model;
  model.components = file.matrix("components");
  model.explained_variance = file.vector("explained_variance");
  model.explained_variance_ratio = file.vector("explained_variance_ratio");
  model.singular_values = file.vector("singular_values");
  const auto k = static_cast<size_t>(model.components.rows);
  if (k < 1 || model.components.cols < 1) file.damaged("it holds no components");
  if (model.explained_variance.size() != k || model.explained_variance_ratio.size() != k || model.singular_values.size() != k)
    file.damaged("its variances are not one a component");
  const auto negative = [](double x) { return x < 0; };
  if (std::ranges::any_of(model.explained_variance, negative) || std::ranges::any_of(model.explained_variance_ratio, negative) ||
      std::ranges::any_of(model.singular_values, negative)) {
    file.damaged("it holds a negative variance");
  }
  return model;
}

Outcome svd_run(const Source& rows, const SvdParams& params, Context& ctx) {
  const SvdFit fit = svd_fit(rows, params, ctx);
  Outcome out = outcome_of(fit.model, rows);
  out.model = svd_save(fit.model);
  if (fit.algorithm == std::string_view("randomized"))
    out.notes.push_back("found by the randomized algorithm: the last components are the least exact");
  if (fit.model.singular_values[0] == 0) out.notes.push_back("all rows are zero, so the components mean nothing");
  return out;
}

Outcome svd_apply(const ModelFile& file, const Source& rows, Context&) {
  const SvdModel model = svd_load(file);
  require_clean(rows);
  if (rows.cols() != model.components.cols) {
    fail(ErrorCode::kBadInput, "columns",
         "the model was fitted on " + to_text(model.components.cols) + " columns and there are " + to_text(rows.cols()),
         "choose the same columns with --columns");
  }
  return outcome_of(model, rows);
}

}  // namespace sluice
