#include "sluice/pipeline/commands.h"

#include "sluice/advise/advise.h"
#include "sluice/cluster/choose_k.h"
#include "sluice/pipeline/advise_command.h"
#include "sluice/pipeline/algorithm_command.h"
#include "sluice/pipeline/anomaly_command.h"
#include "sluice/pipeline/evaluate.h"
#include "sluice/pipeline/make_command.h"
#include "sluice/pipeline/make_data.h"
#include "sluice/pipeline/mine_command.h"
#include "sluice/pipeline/output_dir.h"
#include "sluice/pipeline/run.h"
#include "sluice/pipeline/select_command.h"
#include "sluice/pipeline/table_commands.h"
#include "sluice/pipeline/verify_curated.h"
#include "sluice/preprocess/preprocess.h"

namespace sluice {
namespace {

struct ApplyParams {
  std::string model;
  template <class Visitor>
  void describe(Visitor&& v) {
    v(model, "model", FilePath{}, "The fitted model.");
  }
};

Said verify_command(const Invocation& in, Context& ctx) {
  const std::string& dir = in.input.inputs.front();
  std::vector<std::string> differ = verify_dir(dir);
  if (differ.empty()) differ = verify_curated(dir, ctx);
  if (!differ.empty())
    fail(ErrorCode::kBadModel, dir, differ.front() + (differ.size() > 1 ? " and " + std::to_string(differ.size() - 1) + " more" : ""),
         "run the command again");
  return {{{"command", "verify"}, {"result", {{"differ", differ}}}}, dir + ": every file is as its manifest says\n"};
}

std::vector<Command> all_commands() {
  std::vector<Command> out;
  for (const Algorithm& algorithm : algorithms()) {
    if (algorithm.kind == Kind::kDetector) continue;  // words for `anomaly --method`
    if (algorithm.kind == Kind::kSelector) continue;  // select, below
    const bool mines = algorithm.kind == Kind::kMiner;
    out.push_back({algorithm.name, algorithm.summary, Takes::kData, "INPUT...", mines ? mine_params(algorithm) : algorithm.params(),
                   mines ? mine_command : fit_command});
  }
  out.push_back(
      {"apply", "use a fitted model on new rows", Takes::kModelAndData, "MODEL INPUT...", param_infos<ApplyParams>(), apply_command});
  out.push_back({"anomaly", "rows that do not fit the rest, with reasons and a threshold that is not guessed", Takes::kData, "INPUT...",
                 anomaly_param_infos(), anomaly_command});
  out.push_back(
      {"select", find_algorithm("select")->summary, Takes::kData, "INPUT...", param_infos<SelectCommandParams>(), select_command});
  out.push_back({"make", "data sets to try things on", Takes::kNothing, "blobs|moons|circles|swiss-roll|baskets|mixtures",
                 param_infos<MakeParams>(), make_command});
  out.push_back({"profile", "what a table holds, and what looks wrong", Takes::kData, "INPUT...", {}, profile_command});
  out.push_back({"preprocess", "raw columns to rows of numbers, fitted and saved", Takes::kData, "INPUT...",
                 param_infos<PreprocessParams>(), preprocess_command});
  out.push_back({"choose-k", "how many clusters, if any", Takes::kData, "INPUT...", param_infos<ChooseKParams>(), choose_k_command});
  out.push_back({"advise", "which method to take, with which parameters, and why", Takes::kData, "INPUT...", param_infos<AdviseParams>(),
                 advise_command});
  out.push_back(
      {"evaluate", "how good a labelling is", Takes::kData, "INPUT... --labels FILE", param_infos<EvaluateParams>(), evaluate_command});
  out.push_back({"init", "propose a pipeline file for a data set", Takes::kData, "INPUT...", {}, init_command});
  out.push_back({"plan", "check a pipeline file and read it back", Takes::kFile, "PIPELINE.yaml", {}, plan_command});
  out.push_back({"run", "run a pipeline file", Takes::kFile, "PIPELINE.yaml", {}, run_pipeline_command});
  out.push_back({"verify", "check a finished folder against its manifest", Takes::kFolder, "DIR", {}, verify_command});
  return out;
}

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<Command> kAll = all_commands();
  return kAll;
}

const Command* find_command(const std::string& name) {
  for (const Command& command : commands()) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

Said run_command(const Invocation& in, Context& ctx) {
  const Command* command = find_command(in.command);
  if (command == nullptr) fail(ErrorCode::kUsage, in.command, "there is no such command", "see sluice --help");
  ctx.read_matrix = [&ctx](const std::string& path) { return read_matrix_file(path, ctx); };
  return command->run(in, ctx);
}

}  // namespace sluice
