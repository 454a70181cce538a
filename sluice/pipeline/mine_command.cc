#include "sluice/pipeline/mine_command.h"

#include <algorithm>

#include "sluice/pipeline/files.h"
#include "sluice/pipeline/page.h"
#include "sluice/pipeline/page_sections.h"
#include "sluice/pipeline/record.h"
#include "sluice/pipeline/row_files.h"

namespace sluice {
namespace {

std::map<std::string, std::string> resolved(const Algorithm& algorithm, const ParamTexts& given) {
  const SplitParams split = split_basket_params(given);
  std::map<std::string, std::string> all = algorithm.resolve(split.others);
  all.merge(param_values(params_from<BasketParams>(split.baskets)));
  return all;
}

std::string plain(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.is_number_float() ? report_number(value.get<double>()) : value.dump();
}

ReportBars bars_of(const Figure& figure) {
  ReportBars bars;
  bars.title = figure.title;
  bars.unit = figure.y_name;
  bars.note = figure.note;
  for (const Figure::Line& line : figure.lines) {
    for (size_t i = 0; i < line.x.size(); ++i) {
      bars.names.push_back(to_text(line.x[i]) + " " + figure.x_name);
      bars.values.push_back(line.y[i]);
    }
  }
  return bars;
}

Report mine_page(const Outcome& outcome, const std::string& command, const Json& summary, const BasketData& data, const Context& ctx) {
  Report page;
  page.title = command;
  page.lead = report_number(data.set.rows()) + " baskets of " + report_number(data.set.n_items()) + " different items.";
  for (const std::string& note : outcome.notes) page.lead += " " + note + ".";
  for (const auto& [key, value] : summary["result"].items()) {
    if (!value.is_number()) continue;
    std::string name = key;
    std::replace(name.begin(), name.end(), '_', ' ');
    page.facts.push_back({name, plain(value), ""});
  }
  for (const OutcomeTable& table : outcome.tables) page.sections.emplace_back(table_of(table));
  for (const Figure& figure : outcome.figures) page.sections.emplace_back(bars_of(figure));
  ReportPairs params;
  params.title = "Parameters";
  for (const auto& [key, value] : summary["params"].items()) params.pairs.emplace_back(key, plain(value));
  params.pairs.emplace_back("seed", std::to_string(ctx.seed));
  page.sections.emplace_back(std::move(params));
  ReportRowAccount account;
  account.rows = data.account.in;
  account.kept = data.account.kept;
  account.rejected = data.account.rejected;
  page.sections.emplace_back(std::move(account));
  return page;
}

}  // namespace

std::vector<ParamInfo> mine_params(const Algorithm& algorithm) {
  std::vector<ParamInfo> all = algorithm.params();
  const std::vector<ParamInfo> more = param_infos<BasketParams>();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

Stage mine_stage(const Algorithm& algorithm, const ParamTexts& given, const BasketData& data, const std::string& folder, Context& ctx,
                 StageTimes* times) {
  const Json params = params_json(mine_params(algorithm), resolved(algorithm, given));
  Stage stage;
  on_each(ctx, [&] {
    Context alone = ctx;  // a search is no sum of rows: every rank does all of it
    alone.comm = nullptr;
    stage.outcome = algorithm.mine(data.set, split_basket_params(given).others, alone);
  });
  if (times != nullptr) times->lap("fit");
  stage.summary = {{"command", algorithm.name},
                   {"version", version()},
                   {"params", params},
                   {"input", {{"rows", data.account.in}, {"columns", data.columns}}},
                   {"result", to_json(stage.outcome.result)}};
  on_root(ctx, [&] {
    for (const OutcomeFile& file : stage.outcome.files) write_own_file(file, folder);
  });
  stage.page = mine_page(stage.outcome, algorithm.name, stage.summary, data, ctx);
  return stage;
}

Said mine_command(const Invocation& in, Context& ctx) {
  const Algorithm* algorithm = find_algorithm(in.command);
  if (algorithm == nullptr || algorithm->mine == nullptr) fail(ErrorCode::kUsage, in.command, "it mines no baskets", "see sluice --help");
  resolved(*algorithm, in.params);  // refuses bad words before any work
  OutputDir out(out_dir(in), in.overwrite, ctx);
  ctx.spool_dir = in.spool.empty() ? out.scratch() : in.spool;
  const BasketData data = open_baskets(in.input, in.params, ctx);
  in.times->lap("read");
  const Stage stage = mine_stage(*algorithm, in.params, data, out.path("."), ctx, in.times.get());
  write_record(out, stage.summary, in, ctx);
  on_root(ctx, [&] { write_page(stage.page, out.path(".")); });
  out.commit(manifest_json(stage.summary, ctx, data.content, data.account));
  return {stage.summary, text_of(stage, out.dir())};
}

}  // namespace sluice
