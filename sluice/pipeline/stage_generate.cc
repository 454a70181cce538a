// A density of the rows, and new rows drawn from it, in the input's columns and units.
#include <cmath>

#include "sluice/core/error.h"
#include "sluice/mixture/gmm.h"
#include "sluice/pipeline/files.h"
#include "sluice/pipeline/flow.h"
#include "sluice/pipeline/row_files.h"

namespace sluice {
namespace {

// A component to each cluster where there are some, else as many as BIC says; full covariances where there are rows enough for them.
ParamTexts with_defaults(ParamTexts params, const Flow& flow, const Source& rows) {
  int64_t clusters = 0;
  if (flow.clusters_apply) {
    for (const int32_t label : flow.curated.labels) clusters = std::max<int64_t>(clusters, label + 1);
  }
  params.try_emplace("n_components", clusters > 0 ? std::to_string(clusters) : std::string("auto"));
  const int64_t components = parse_number<int64_t>(params.at("n_components")).value_or(10);
  params.try_emplace("covariance_type", rows.rows() >= 5 * components * rows.cols() ? "full" : "diag");
  return params;
}

// New rows in the input's columns and units, a few thousand at a time.
void write_samples(const Flow& flow, const ModelFile& model, bool prepared, int64_t count, const std::string& folder) {
  constexpr int64_t kStep = 4096;
  const GmmSampler sampler = gmm_sampler(gmm_load(model));
  const size_t names = centers_csv(Matrix<double>(0, flow.prepared->cols()), *flow.prepared).size();
  const auto write = [&](const std::function<void(std::string_view)>& put) {
    for (int64_t first = 0; first < count; first += kStep) {
      const Matrix<double> drawn = gmm_sample(sampler, flow.ctx.seed, first, std::min(kStep, count - first));
      const std::string lines = centers_csv(in_units(flow, drawn, prepared), *flow.prepared);
      put(std::string_view(lines).substr(first == 0 ? 0 : names));  // the names stand once
    }
  };
  write_own_file({"samples.csv", write}, folder);
}

}  // namespace

void generate(Flow& flow) {
  const char* kBox = "generative model";
  if (flow.plan.generate.off) {
    box(flow, kBox).state = ReportState::kOff;
    return;
  }
  const std::string folder = folder_for(flow, "generate");
  const bool way_back = !flow.reduced || flow.unreduce;
  Dataset rows = flow.data;
  if (!way_back) rows.rows = flow.prepared;
  rows.labels.reset();
  const auto own = params_from<GenerateParams>(flow.plan.generate.more);
  const ParamTexts params = with_defaults(flow.plan.generate.params, flow, *rows.rows);
  Stage fitted = fit_stage(*find_algorithm(flow.plan.generate.method), params, rows, folder, "off", flow.ctx);
  const auto count = static_cast<int64_t>(std::llround(own.augment * static_cast<double>(rows.rows->rows())));
  if (count > 0) {
    on_root(flow.ctx, [&] { write_samples(flow, fitted.outcome.model, !way_back, count, folder); });
  }
  fitted.summary["params"]["augment"] = own.augment;
  fitted.summary["result"]["n_samples"] = count;
  write_stage_summary(flow, "generate", fitted.summary);
  done(flow, kBox,
       {flow.plan.generate.method + ", " + report_number(fitted.outcome.centers.rows) + " components",
        "log-likelihood " + report_number(fitted.summary["result"]["log_likelihood"].get<double>()), report_number(count) + " new rows"});
  add_chapter(flow, "generate", std::move(fitted.page.sections));
}

}  // namespace sluice
