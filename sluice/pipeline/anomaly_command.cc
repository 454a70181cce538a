#include "sluice/pipeline/anomaly_command.h"

#include <set>

#include "sluice/anomaly/detector.h"
#include "sluice/pipeline/alerts.h"
#include "sluice/pipeline/files.h"
#include "sluice/pipeline/page.h"
#include "sluice/pipeline/record.h"
#include "sluice/pipeline/text_input.h"

namespace sluice {
namespace {

Json params_of(const AnomalyPlan& plan) {
  return params_json(plan.detector->params(), anomaly_resolve(plan));
}

void add_notes(Outcome& out, const AnomalyPlan& plan, const AlertRule& rule) {
  if (plan.decide != AnomalyPlan::Decide::kFdr) return;
  if (rule.p_values == PValues::kConformal) {
    out.notes.push_back("conformal p-values take the rows of the fit as the reference, so none of them is flagged; apply flags new rows");
  } else if (rule.null.spread == 0) {
    out.notes.push_back(
        "more than a quarter of the scores are equal, so it can't be said which are high and nothing is flagged; --contamination flags a "
        "share");
  } else if (!rule.threshold) {
    out.notes.push_back("no score is high enough to be an alert at this false-discovery rate; --contamination flags a share of the rows");
  }
}

// --positive names a label that is there.
void require_label(const std::string& positive, const Dataset& data) {
  if (positive.empty()) return;
  if (!data.labels) fail(ErrorCode::kUsage, "--positive", "there are no labels for it to be one of", "give --label, or leave it out");
  std::set<std::string> known;
  for (const int64_t value : data.labels->values)
    known.insert(data.labels->names.empty() ? to_text(value) : data.labels->names[static_cast<size_t>(value)]);
  if (known.contains(positive)) return;
  const std::string near = closest(positive, {known.begin(), known.end()});
  fail(ErrorCode::kUsage, "--positive", "no label is '" + positive + "'",
       near.empty() ? "name one that is there, e.g. " + *known.begin() : "did you mean " + near + "?");
}

}  // namespace

Stage anomaly_stage(const ParamTexts& given, const Dataset& data, const std::string& folder, Context& ctx, StageTimes* times) {
  const AnomalyPlan plan = anomaly_plan(given);
  const Json params = with_text_params(params_of(plan), data);
  require_label(plan.params.positive, data);
  const double of_a_row = plan.params.p_values == PValues::kConformal ? 2 * kScoreBytes : kScoreBytes;
  require_left("anomaly", "what is said of " + to_text(data.rows->rows()) + " rows", of_a_row * static_cast<double>(data.rows->rows()),
               *data.rows, ctx, "take a sample of the rows, or give a larger --memory");
  Outcome out = plan.detector->run(*data.rows, plan.detector_params, ctx);
  if (times != nullptr) times->lap("fit");
  const MadeRule made = make_rule(plan, out, *data.rows, ctx);
  if (times != nullptr) times->lap("threshold");
  add_alerts(out, plan.detector->name, made.rule, made.scores, made.p_values, made.rule.threshold, data, ctx);
  add_notes(out, plan, made.rule);
  if (times != nullptr) times->lap("reasons");
  put_rule(out.model, made.rule);
  if (!out.model.tensors.empty()) put_text(data, out.model);
  save_model(out, *plan.detector, params, *data.rows, folder, ctx);
  return finish_stage(std::move(out), "anomaly", params, data, folder, "off", ctx);
}

Said anomaly_command(const Invocation& in, Context& ctx) {
  anomaly_plan(in.params);  // refuses bad words before any work
  OutputDir out(out_dir(in), in.overwrite, ctx);
  ctx.spool_dir = in.spool.empty() ? out.scratch() : in.spool;
  const Dataset data = open_dataset(in.input, ctx);
  in.times->lap("read");
  const Stage stage = anomaly_stage(in.params, data, out.path("."), ctx, in.times.get());
  write_record(out, stage.summary, in, ctx);
  on_root(ctx, [&] { write_page(stage.page, out.path(".")); });
  out.commit(manifest_json(stage.summary, ctx, data.content, data.account));
  return {stage.summary, text_of(stage, out.dir())};
}

}  // namespace sluice
