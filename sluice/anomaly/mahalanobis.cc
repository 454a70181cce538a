#include "sluice/anomaly/mahalanobis.h"

#include <cmath>
#include <memory>

#include "sluice/anomaly/detector.h"
#include "sluice/kernels/project.h"
#include "sluice/reduce/pca.h"

namespace sluice {
namespace {

struct Whitening {
  std::vector<double> mean;  // d
  Matrix<double> whitening;  // q x d: (x - mean) whitening^T has variance 1 in every column
};

Whitening whitening_of(const Source& rows, Context& ctx) {
  Whitening out;
  const int64_t n = rows.rows(), d = rows.cols();
  if (n < 2) {
    out.mean = read_row(rows, 0);
    out.whitening = Matrix<double>(0, d);
    return out;
  }
  PcaParams params;
  params.svd_solver = PcaSolver::kFull;
  PcaModel pca = pca_fit(rows, params, ctx).model;
  const double smallest = static_cast<double>(d) * 0x1p-52 * pca.explained_variance.front();
  int64_t kept = 0;
  while (kept < pca.components.rows && pca.explained_variance[static_cast<size_t>(kept)] > smallest) ++kept;
  out.mean = std::move(pca.mean);
  out.whitening = Matrix<double>(kept, d);
  const double share = static_cast<double>(n - 1) / static_cast<double>(n);
  for (int64_t c = 0; c < kept; ++c) {
    const double scale = std::sqrt(pca.explained_variance[static_cast<size_t>(c)] * share);
    for (int64_t j = 0; j < d; ++j) out.whitening(c, j) = pca.components(c, j) / scale;
  }
  return out;
}

Outcome outcome_of(Whitening fitted, const Source& rows, Context& ctx) {
  Outcome out;
  out.score = in_blocks(512, [model = std::make_shared<const Whitening>(std::move(fitted))](const MatrixBlock& block, double* to) {
    const int64_t q = model->whitening.rows;
    std::vector<double> white(static_cast<size_t>(block.rows * q));
    kernels::ProjectScratch scratch;
    if (q > 0) kernels::project(block.view(), model->mean.data(), model->whitening.values.data(), q, white.data(), scratch);
    for (int64_t r = 0; r < block.rows; ++r) {
      double sum = 0;
      for (int64_t c = 0; c < q; ++c) sum = std::fma(white[static_cast<size_t>(r * q + c)], white[static_cast<size_t>(r * q + c)], sum);
      to[r] = sum;
    }
  });
  score_rows(out, rows, ctx);
  return out;
}

}  // namespace

Outcome mahalanobis_run(const Source& rows, const MahalanobisParams&, Context& ctx) {
  require_rows(rows);
  Whitening model = whitening_of(rows, ctx);
  ModelFile file;
  file.about = {{"algorithm", "mahalanobis"}};
  file.put("mean", model.mean);
  file.put("whitening", model.whitening);
  const int64_t kept = model.whitening.rows;
  Outcome out = outcome_of(std::move(model), rows, ctx);
  out.model = std::move(file);
  if (kept < rows.cols())
    out.notes.push_back("the rows vary in " + to_text(kept) + " of " + to_text(rows.cols()) + " directions; the others are left out");
  return out;
}

Outcome mahalanobis_apply(const ModelFile& file, const Source& rows, Context& ctx) {
  Whitening model{file.vector("mean"), file.matrix("whitening")};
  const auto d = static_cast<int64_t>(model.mean.size());
  if (d < 1 || model.whitening.cols != d || model.whitening.rows > d) file.damaged("its mean and directions do not fit each other");
  require_columns(rows, d);
  return outcome_of(std::move(model), rows, ctx);
}

}  // namespace sluice
