#include "sluice/pipeline/run.h"

#include "sluice/core/error.h"
#include "sluice/pipeline/checkpoint.h"
#include "sluice/pipeline/files.h"
#include "sluice/pipeline/flow.h"
#include "sluice/pipeline/output_dir.h"
#include "sluice/pipeline/page.h"
#include "sluice/pipeline/record.h"

namespace sluice {
namespace {

Json plan_json(const Plan& plan) {
  const auto stage = [](const StagePlan& one) {
    Json out = one.params;
    out.update(Json(one.more));
    if (!one.method.empty()) out["method"] = one.method;
    return one.off ? Json("off") : out;
  };
  Json clusters = Json::array();
  for (const StagePlan& one : plan.cluster) clusters.push_back(stage(one));
  return {{"preprocess", stage(plan.preprocess)},
          {"reduce", stage(plan.reduce)},
          {"cluster", plan.cluster_off ? Json("off") : clusters},
          {"decision", decision_word(plan.decision)},
          {"apply", stage(plan.apply)},
          {"select", stage(plan.select)},
          {"rules", stage(plan.rules)},
          {"generate", stage(plan.generate)},
          {"anomaly", stage(plan.anomaly)}};
}

Report finished_page(Flow& flow, const Json& summary) {
  Report page;
  page.title = "sluice run";
  page.lead = report_number(flow.table.rows) + " rows in; " + report_number(flow.data.account.kept) +
              " kept. Cluster structure: " + (flow.boxes.decision.empty() ? "not decided" : flow.boxes.decision) + ".";
  page.sections.emplace_back(flow.boxes);
  for (ReportSection& section : flow.page.sections) page.sections.push_back(std::move(section));
  page.sections.emplace_back(ReportChapter{"the record", ""});
  ReportPairs params;
  params.title = "Parameters";
  for (const auto& [stage, value] : summary["params"].items()) params.pairs.emplace_back(stage, value.dump());
  params.pairs.emplace_back("seed", std::to_string(flow.ctx.seed));
  page.sections.emplace_back(std::move(params));
  ReportRowAccount account;
  account.rows = flow.data.account.in;
  account.kept = flow.data.account.kept;
  account.rejected = flow.data.account.rejected;
  for (const auto& [reason, count] : flow.data.account.dropped) account.dropped.emplace_back(reason, count);
  page.sections.emplace_back(std::move(account));
  return page;
}

}  // namespace

Said run_pipeline_command(const Invocation& in, Context& ctx) {
  const Plan plan = read_plan(in.input.inputs.front());
  if (!in.seed_given) ctx.seed = plan.seed;
  OutputDir out(out_dir(in), in.overwrite, ctx);
  ctx.spool_dir = in.spool.empty() ? out.scratch() : in.spool;
  try {
    Flow flow(plan, in, out, ctx);
    open_rows(flow);
    in.times->lap("read");
    const Json params = plan_json(plan);
    CheckpointFolder checkpoints(
        out.checkpoints(), to_json_text({{"run", params}, {"content", flow.data.content}, {"seed", ctx.seed}, {"version", version()}}),
        ctx);
    preprocess(flow);
    in.times->lap("preprocess");
    flow.prepared = flow.data.rows;
    reduce(flow);
    in.times->lap("reduce");
    ctx.checkpoints = flow.plan.cluster.size() == 1 ? &checkpoints : nullptr;
    cluster_and_decide(flow);
    in.times->lap("cluster");
    ctx.checkpoints = nullptr;
    apply(flow);
    in.times->lap("apply");
    select(flow);
    in.times->lap("select");
    rules(flow);
    in.times->lap("rules");
    generate(flow);
    in.times->lap("generate");
    anomaly(flow);
    in.times->lap("anomaly");
    flow.data.account.kept = flow.table.rows - static_cast<int64_t>(flow.curated.unprepared.size() + flow.curated.duplicates.size());
    flow.data.account.check();
    on_root(ctx, [&] { write_curated(flow.curated, flow.table, flow.data.ids.get(), out.path("curated")); });
    Json summary = summary_json("run", params, flow.data, flow.result);
    summary["input"]["columns"] = flow.table.columns.size();
    write_record(out, summary, in, ctx);
    const Report page = finished_page(flow, summary);
    on_root(ctx, [&] { write_page(page, out.path(".")); });
    out.commit(manifest_json(summary, ctx, flow.data.content, flow.data.account));
    return {summary, plan_text(plan) + "\ncluster structure: " + flow.boxes.decision + " (" + flow.boxes.reason +
                         ")\nreport: " + out.dir() + "/report.html\n"};
  } catch (const Error& error) {
    if (error.code == ErrorCode::kInterrupted) out.keep_for_resume();
    throw;
  }
}

Said plan_command(const Invocation& in, Context&) {
  const Plan plan = read_plan(in.input.inputs.front());
  return {{{"command", "plan"}, {"version", version()}, {"params", plan_json(plan)}, {"result", Json::object()}}, plan_text(plan)};
}

}  // namespace sluice
