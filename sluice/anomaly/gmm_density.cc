#include "sluice/anomaly/gmm_density.h"

#include <memory>

#include "sluice/anomaly/detector.h"

namespace sluice {
namespace {

Outcome outcome_of(const GmmModel& model, const Source& rows, Context& ctx) {
  Outcome out;
  out.score = in_blocks(512, [plan = std::make_shared<const kernels::GaussianPlan>(gmm_plan(model))](const MatrixBlock& block, double* to) {
    gmm_log_density(*plan, block, to);
    for (int64_t r = 0; r < block.rows; ++r) to[r] = -to[r];
  });
  score_rows(out, rows, ctx);
  return out;
}

}  // namespace

Outcome gmm_density_run(const Source& rows, const GmmDensityParams& params, Context& ctx) {
  require_rows(rows);
  GmmParams gmm;
  gmm.n_components = params.n_components;
  gmm.covariance_type = params.covariance_type;
  gmm.tol = params.tol;
  gmm.reg_covar = params.reg_covar;
  gmm.max_iter = params.max_iter;
  gmm.n_init = params.n_init;
  const GmmFit fit = gmm_fit(rows, gmm, {}, ctx);
  Outcome out = outcome_of(fit.model, rows, ctx);
  out.model = gmm_save(fit.model);
  out.model.about["algorithm"] = "gmm_density";
  if (!fit.converged) out.notes.push_back("EM stopped at max_iter before it settled");
  if (!params.n_components)
    out.notes.push_back(to_text(static_cast<int64_t>(fit.model.weights.size())) + " components have the lowest BIC");
  return out;
}

Outcome gmm_density_apply(const ModelFile& file, const Source& rows, Context& ctx) {
  const GmmModel model = gmm_load(file);
  require_columns(rows, model.means.cols);
  return outcome_of(model, rows, ctx);
}

}  // namespace sluice
