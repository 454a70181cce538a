#include "sluice/pipeline/algorithm_command.h"

#include <algorithm>
#include <set>

#include "sluice/pipeline/alerts.h"
#include "sluice/pipeline/checkpoint.h"
#include "sluice/pipeline/files.h"
#include "sluice/pipeline/measures.h"
#include "sluice/pipeline/page.h"
#include "sluice/pipeline/record.h"
#include "sluice/pipeline/row_files.h"
#include "sluice/pipeline/table_commands.h"
#include "sluice/pipeline/text_input.h"
#include "sluice/pipeline/topics.h"

namespace sluice {
namespace {

const Algorithm& algorithm_of(const std::string& name) {
  const Algorithm* found = find_algorithm(name);
  if (found == nullptr) fail(ErrorCode::kUsage, name, "there is no such algorithm", "see sluice --help");
  return *found;
}

std::string identity_of(const Json& params, const std::string& command, const Dataset& data, const Context& ctx) {
  return to_json_text({{"command", command},
                       {"params", params},
                       {"content", data.content},
                       {"rows", data.rows->rows()},
                       {"seed", ctx.seed},
                       {"version", version()}});
}

bool numbered(const std::vector<std::string>& names) {
  for (size_t j = 0; j < names.size(); ++j) {
    if (names[j] != "c" + std::to_string(j)) return false;
  }
  return true;
}

// The columns a model was fitted on, found by their names where both sides have names; by their place where one has none, or where
// --columns says which.
InputOptions columns_of_model(const ModelFile& model, const Table& table, InputOptions options) {
  const auto about = model.about.find("features");
  if (about == model.about.end() || !options.columns.empty()) return options;
  const Json names = Json::parse(about->second, nullptr, false);
  if (!names.is_array()) model.damaged("its list of features can't be read");
  std::vector<std::string> wanted, there;
  for (const Json& name : names) {
    if (!name.is_string()) model.damaged("its list of features can't be read");
    wanted.push_back(name.get<std::string>());
  }
  for (const TableColumn& column : table.columns) there.push_back(column.name);
  const std::set<std::string> distinct(wanted.begin(), wanted.end());
  if (numbered(wanted) || numbered(there) || distinct.size() < wanted.size()) return options;
  for (const std::string& name : wanted) {
    if (std::find(there.begin(), there.end(), name) != there.end()) continue;
    const std::string near = closest(name, there);
    fail(ErrorCode::kBadInput, "columns", "the model was fitted on a column " + name + " and there is none called so",
         (near.empty() ? std::string("rename it") : "rename " + near) +
             ", or say with --columns which columns to take, in the model's order");
  }
  options.columns = wanted;
  return options;
}

}  // namespace

void save_model(Outcome& outcome, const Algorithm& algorithm, const Json& params, const Source& rows, const std::string& folder,
                Context& ctx) {
  if (outcome.model.tensors.empty()) return;
  outcome.model.about["algorithm"] = algorithm.name;
  outcome.model.about["version"] = version();
  outcome.model.about["params"] = params.dump();
  Json names = Json::array();
  for (int64_t j = 0; j < rows.cols(); ++j) names.push_back(rows.name_of(j));
  outcome.model.about["features"] = names.dump(-1, ' ', false, Json::error_handler_t::replace);
  on_root(ctx, [&] { write_model(folder + "/model.safetensors", outcome.model); });
}

Stage finish_stage(Outcome outcome, const std::string& command, const Json& params, const Dataset& data, const std::string& folder,
                   const std::string& assignments, Context& ctx) {
  Stage stage;
  if (data.text != nullptr) {
    outcome.notes.insert(outcome.notes.end(), data.text->notes.begin(), data.text->notes.end());
    if (outcome.labels) add_topics(outcome, data, ctx);
  }
  write_row_files(outcome, data, folder, assignments, ctx);
  add_label_measures(outcome, data, ctx);
  stage.summary = summary_json(command, params, data, to_json(outcome.result));
  stage.page = page_of(outcome, command, stage.summary, data, ctx);
  stage.outcome = std::move(outcome);
  return stage;
}

Stage fit_stage(const Algorithm& algorithm, const ParamTexts& given, const Dataset& data, const std::string& folder,
                const std::string& assignments, Context& ctx, StageTimes* times) {
  const Json params = with_text_params(params_json(algorithm.params(), algorithm.resolve(given)), data);
  Outcome outcome = algorithm.run(*data.rows, given, ctx);
  if (times != nullptr) times->lap("fit");
  if (!outcome.model.tensors.empty()) put_text(data, outcome.model);
  save_model(outcome, algorithm, params, *data.rows, folder, ctx);
  return finish_stage(std::move(outcome), algorithm.name, params, data, folder, assignments, ctx);
}

Said fit_command(const Invocation& in, Context& ctx) {
  const Algorithm& algorithm = algorithm_of(in.command);
  const Json params = params_json(algorithm.params(), algorithm.resolve(in.params));  // refuses bad words before any work
  OutputDir out(out_dir(in), in.overwrite, ctx);
  ctx.spool_dir = in.spool.empty() ? out.scratch() : in.spool;
  const Dataset data = open_dataset(in.input, ctx);
  CheckpointFolder checkpoints(out.checkpoints(), identity_of(with_text_params(params, data), in.command, data, ctx), ctx);
  ctx.checkpoints = &checkpoints;
  try {
    in.times->lap("read");
    const Stage stage = fit_stage(algorithm, in.params, data, out.path("."), in.assignments, ctx, in.times.get());
    write_record(out, stage.summary, in, ctx);
    on_root(ctx, [&] { write_page(stage.page, out.path(".")); });
    out.commit(manifest_json(stage.summary, ctx, data.content, data.account));
    return {stage.summary, text_of(stage, out.dir())};
  } catch (const Error& error) {
    if (error.code == ErrorCode::kInterrupted) out.keep_for_resume();
    throw;
  }
}

Said apply_command(const Invocation& in, Context& ctx) {
  const std::string& path = in.params.at("model");
  ModelFile model;
  on_each(ctx, [&] { model = read_model(path); });
  const std::string digest = digest_file(path).sha256;
  if (model.text("algorithm") == "preprocess") return apply_preprocess(in, model, digest, ctx);
  const Algorithm* algorithm = find_algorithm(model.text("algorithm"));
  if (algorithm == nullptr || algorithm->apply == nullptr)
    model.damaged("it is of the algorithm " + model.text("algorithm") + ", which is not known here");
  OutputDir out(out_dir(in), in.overwrite, ctx);
  ctx.spool_dir = in.spool.empty() ? out.scratch() : in.spool;
  const InputOptions options = text_of_model(model, in.input);
  const Table table = open_table(options, ctx);
  const Dataset data = dataset_of(table, options.text.column.empty() ? columns_of_model(model, table, options) : options, ctx);
  const Json params = {{"model", "sha256:" + digest}};
  in.times->lap("read");
  Outcome outcome = algorithm->apply(model, *data.rows, ctx);
  if (algorithm->kind == Kind::kDetector) judge_new_rows(outcome, model, data, ctx);
  in.times->lap("apply");
  const Stage stage = finish_stage(std::move(outcome), "apply", params, data, out.path("."), in.assignments, ctx);
  write_record(out, stage.summary, in, ctx);
  on_root(ctx, [&] { write_page(stage.page, out.path(".")); });
  out.commit(manifest_json(stage.summary, ctx, data.content, data.account));
  return {stage.summary, text_of(stage, out.dir())};
}

}  // namespace sluice
