#include "sluice/anomaly/pca_error.h"

#include <cmath>
#include <memory>

#include "sluice/anomaly/detector.h"
#include "sluice/kernels/project.h"
#include "sluice/reduce/pca.h"

namespace sluice {
namespace {

struct Plane {
  std::vector<double> mean;   // d
  Matrix<double> components;  // k x d, orthonormal rows
};

// The length of x - mean less its part in the plane, column by column, so that little is left exactly little.
double distance_off(const Plane& plane, const double* x, const double* coordinates, double* rest) {
  const int64_t k = plane.components.rows, d = plane.components.cols;
  for (int64_t j = 0; j < d; ++j) rest[j] = x[j] - plane.mean[static_cast<size_t>(j)];
  for (int64_t c = 0; c < k; ++c) {
    const double* component = plane.components.row(c);
    for (int64_t j = 0; j < d; ++j) rest[j] = std::fma(-coordinates[c], component[j], rest[j]);
  }
  double sum = 0;
  for (int64_t j = 0; j < d; ++j) sum = std::fma(rest[j], rest[j], sum);
  return std::sqrt(sum);
}

Outcome outcome_of(Plane fitted, const Source& rows, Context& ctx) {
  Outcome out;
  out.score = in_blocks(512, [plane = std::make_shared<const Plane>(std::move(fitted))](const MatrixBlock& block, double* to) {
    const int64_t k = plane->components.rows;
    std::vector<double> coordinates(static_cast<size_t>(block.rows * k)), rest(static_cast<size_t>(block.cols)), scratch(rest.size());
    kernels::ProjectScratch project_scratch;
    if (k > 0) {
      kernels::project(block.view(), plane->mean.data(), plane->components.values.data(), k, coordinates.data(), project_scratch);
    }
    for (int64_t r = 0; r < block.rows; ++r)
      to[r] = distance_off(*plane, block.row(r, scratch.data()), coordinates.data() + r * k, rest.data());
  });
  score_rows(out, rows, ctx);
  return out;
}

}  // namespace

Outcome pca_error_run(const Source& rows, const PcaErrorParams& params, Context& ctx) {
  require_rows(rows);
  Plane plane;
  if (rows.rows() < 2) {
    plane = {read_row(rows, 0), Matrix<double>(0, rows.cols())};
  } else {
    PcaParams pca;
    pca.n_components = params.n_components;
    PcaModel model = pca_fit(rows, pca, ctx).model;
    plane = {std::move(model.mean), std::move(model.components)};
  }
  ModelFile file;
  file.about = {{"algorithm", "pca_error"}};
  file.put("mean", plane.mean);
  file.put("components", plane.components);
  const int64_t k = plane.components.rows;
  Outcome out = outcome_of(std::move(plane), rows, ctx);
  out.model = std::move(file);
  out.notes.push_back(to_text(k) + " of " + to_text(rows.cols()) + " components are kept" +
                      (k == rows.cols() ? ", so nothing is left to score by but rounding; give a smaller --n-components" : ""));
  return out;
}

Outcome pca_error_apply(const ModelFile& file, const Source& rows, Context& ctx) {
  Plane plane{file.vector("mean"), file.matrix("components")};
  const auto d = static_cast<int64_t>(plane.mean.size());
  if (d < 1 || plane.components.cols != d || plane.components.rows > d) file.damaged("its mean and components do not fit each other");
  require_columns(rows, d);
  return outcome_of(std::move(plane), rows, ctx);
}

}  // namespace sluice
