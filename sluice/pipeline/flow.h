// A run in the making: what each stage leaves for the next, and what the page and the summary will say. The stages of the main flow, in its
// order; each is a function of its own file (stage_*.cc) that takes a flow and leaves it one stage further. All are collective.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sluice/cluster/choose_k.h"
#include "sluice/pipeline/algorithm_command.h"
#include "sluice/pipeline/curated.h"
#include "sluice/pipeline/input.h"
#include "sluice/pipeline/plan.h"
#include "sluice/preprocess/preprocess.h"

namespace sluice {

// A run in the making: what each stage leaves for the next, and what the page and the summary will say.
struct Flow {
  Flow(const Plan& plan, const Invocation& in, OutputDir& out, Context& ctx) : plan(plan), in(in), out(out), ctx(ctx) {}

  const Plan& plan;
  const Invocation& in;
  OutputDir& out;
  Context& ctx;
  Table table;                          // as read
  Table features;                       // without label and id
  Dataset data;                         // what the next stage works on
  std::shared_ptr<Source> prepared;     // the rows after preprocessing, before reduction
  std::vector<PreprocessOutput> units;  // their columns, each with what takes scaling off; empty: not scaled
  std::function<Matrix<double>(const Matrix<double>&)>
      unreduce;            // from the clusters' space to prepared's; empty: the same space, or no way
  int64_t row_memory = 0;  // bytes that the stages hold of the rows at their worst, beside the rows themselves
  bool reduced = false;
  bool clusters_apply = false;  // the decision's branches
  bool rules_apply = false;
  Curated curated;
  Json result = Json::object();
  Report page;
  ReportFlow boxes = system_flow();
};

// The box of the flow chart called so.
ReportBox& box(Flow& flow, const std::string& name);
// Marks it done, with a few facts.
void done(Flow& flow, const std::string& name, std::vector<std::string> facts);
// The stage's folder, made.
std::string folder_for(Flow& flow, const std::string& stage);
// Writes it into the stage's folder, and its result into the run's.
void write_stage_summary(Flow& flow, const std::string& stage, const Json& summary);
// Points of the space the clusters lie in (or, `prepared`, of that before reduction) in the input's columns and units; nothing where
// there is no way back.
Matrix<double> in_units(const Flow& flow, const Matrix<double>& points, bool prepared = false);
// The rows in memory, where that leaves room for what the stages hold and for rows that are there already.
std::shared_ptr<Source> rows_in_flow(const Flow& flow, std::shared_ptr<Source> rows);
// A chapter of the page with the sections of a stage's own page, less what the whole run says once.
void add_chapter(Flow& flow, const std::string& title, std::vector<ReportSection> sections);

// Also refuses, before any work, what the plan's stages would hold of so many rows if that is beyond the memory budget.
void open_rows(Flow& flow);
void preprocess(Flow& flow);
void reduce(Flow& flow);
// Clusters, and decides whether there is structure: flow.clusters_apply, flow.rules_apply.
void cluster_and_decide(Flow& flow);
void apply(Flow& flow);
// Which of the kept rows to label first.
void select(Flow& flow);
void rules(Flow& flow);
void generate(Flow& flow);
void anomaly(Flow& flow);

}  // namespace sluice
