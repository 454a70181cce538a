#include "sluice/reduce/random_projection.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "sluice/core/math.h"
#include "sluice/core/random.h"
#include "sluice/kernels/project.h"
#include "sluice/reduce/leaf_sums.h"

namespace sluice {
namespace {

// A matrix by its entries that are not 0: those of component c are [starts[c], starts[c + 1]).
struct Sparse {
  std::vector<int64_t> starts{0}, columns;
  std::vector<double> values;

  explicit Sparse(const Matrix<double>& dense) {
    for (int64_t c = 0; c < dense.rows; ++c) {
      for (int64_t j = 0; j < dense.cols; ++j) {
        if (dense(c, j) == 0) continue;
        columns.push_back(j);
        values.push_back(dense(c, j));
      }
      starts.push_back(static_cast<int64_t>(columns.size()));
    }
  }

  // The bits of kernels::project, whose terms with a 0 change nothing.
  void project(const MatrixBlock& rows, double* to) const {
    std::vector<double> scratch(static_cast<size_t>(rows.cols));
    for (int64_t r = 0; r < rows.rows; ++r) {
      const double* row = rows.row(r, scratch.data());
      for (size_t c = 0; c + 1 < starts.size(); ++c, ++to) {
        *to = 0;
        for (auto i = static_cast<size_t>(starts[c]); i < static_cast<size_t>(starts[c + 1]); ++i) {
          *to = std::fma(row[columns[i]], values[i], *to);
        }
      }
    }
  }
};

Outcome embedded(Matrix<double> matrix) {
  Outcome out;
  out.result.put("n_components", matrix.rows);
  out.embedding_cols = matrix.rows;
  // A gathered entry costs about as much as ten in a row.
  if (10 * std::count(matrix.values.begin(), matrix.values.end(), 0.0) > 9 * static_cast<int64_t>(matrix.values.size())) {
    out.embed = [few = std::make_shared<const Sparse>(matrix)](const MatrixBlock& rows, double* to) { few->project(rows, to); };
    return out;
  }
  out.embed = [all = std::make_shared<const Matrix<double>>(std::move(matrix))](const MatrixBlock& rows, double* to) {
    const std::vector<double> origin(static_cast<size_t>(all->cols));
    kernels::ProjectScratch scratch;
    kernels::project(rows.view(), origin.data(), all->values.data(), all->rows, to, scratch);
  };
  return out;
}

int64_t columns_to_keep(const Source& rows, const RandomProjectionParams& params) {
  if (params.n_components) return *params.n_components;
  const int64_t q = std::max<int64_t>(1, random_projection_columns(rows.rows(), params.eps));
  if (q > rows.cols()) {
    fail(ErrorCode::kBadInput, "--n-components", "eps asks for " + to_text(q) + " columns and the input has " + to_text(rows.cols()),
         "give --n-components or a larger --eps");
  }
  return q;
}

}  // namespace

int64_t random_projection_columns(int64_t n, double eps) {
  return static_cast<int64_t>(4 * log64(static_cast<double>(n)) / (eps * eps / 2 - eps * eps * eps / 3));
}

Matrix<double> random_projection_fit(const Source& rows, const RandomProjectionParams& params, Context& ctx) {
  if (rows.rows() < 1 || rows.cols() < 1) fail(ErrorCode::kBadInput, "rows", "there are none to project", "give at least one");
  const bool gaussian = params.kind == ProjectionKind::kGaussian;
  if (gaussian && params.density) {
    fail(ErrorCode::kUsage, "--density", "a gaussian matrix has no entry that is 0", "leave it out or use --kind sparse");
  }
  const int64_t d = rows.cols();
  const int64_t q = columns_to_keep(rows, params);
  within_memory(ctx, "random matrix", "ask for fewer components", 16.0 * static_cast<double>(q) * static_cast<double>(d), 0);
  const double density = gaussian ? 1 : params.density.value_or(1 / std::sqrt(static_cast<double>(d)));
  const double scale = 1 / std::sqrt(density * static_cast<double>(q));
  Matrix<double> matrix(q, d);
  for (int64_t c = 0; c < q; ++c) {
    Random random(ctx.seed, RandomStage::kProjection, static_cast<uint64_t>(c));
    for (int64_t j = 0; j < d; ++j) {
      if (gaussian) {
        matrix(c, j) = random.normal() * scale;
      } else {
        const double at = random.uniform();
        matrix(c, j) = at < density / 2 ? scale : at < density ? -scale : 0;
      }
    }
  }
  return matrix;
}

Outcome random_projection_run(const Source& rows, const RandomProjectionParams& params, Context& ctx) {
  require_clean(rows);
  Matrix<double> matrix = random_projection_fit(rows, params, ctx);
  ModelFile model;
  model.about = {{"algorithm", "random-projection"}};
  model.put("components", matrix);
  Outcome out = embedded(std::move(matrix));
  out.model = std::move(model);
  return out;
}

Outcome random_projection_apply(const ModelFile& model, const Source& rows, Context&) {
  Matrix<double> matrix = model.matrix("components");
  if (matrix.rows < 1 || matrix.cols < 1) model.damaged("it holds no components");
  require_clean(rows);
  if (matrix.cols != rows.cols()) {
    fail(ErrorCode::kBadInput, "columns",
         "the model was fitted on " + to_text(matrix.cols) + " columns and there are " + to_text(rows.cols()),
         "choose the same columns with --columns");
  }
  return embedded(std::move(matrix));
}

}  // namespace sluice
