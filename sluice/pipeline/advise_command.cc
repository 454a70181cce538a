#include "sluice/pipeline/advise_command.h"

#include "sluice/advise/advise.h"
#include "sluice/io/format.h"
#include "sluice/pipeline/basket_input.h"
#include "sluice/pipeline/files.h"
#include "sluice/pipeline/output_dir.h"
#include "sluice/pipeline/page.h"
#include "sluice/pipeline/record.h"
#include "sluice/pipeline/table_commands.h"
#include "sluice/preprocess/preprocess.h"
#include "sluice/preprocess/profile.h"
#include "sluice/report/report.h"

namespace sluice {
namespace {

Json params_of(const Candidate& candidate) {
  Json out = Json::object();
  for (const auto& [name, value] : candidate.params) out[name] = Json::parse(value);
  return out;
}

Json result_of(const Advice& advice) {
  Json candidates = Json::array();
  for (const Candidate& one : advice.candidates) candidates.push_back({{"method", one.method}, {"params", params_of(one)}});
  return {{"structure", advice.structure},
          {"method", advice.chosen.method},
          {"params", params_of(advice.chosen)},
          {"reasons", advice.reasons},
          {"candidates", candidates}};
}

Json measures_json(const Measured& found) {
  return {{"sample_rows", found.sample_rows},
          {"excess", found.excess},
          {"limit", found.limit},
          {"null", found.null},
          {"k", found.k},
          {"silhouette", found.silhouette},
          {"density_clusters", found.density_clusters},
          {"noise", found.noise},
          {"largest_cluster", found.largest},
          {"agreement_kmeans", found.agreement_kmeans},
          {"agreement_mixture", found.agreement_mixture},
          {"components", found.components},
          {"density_spread", found.density_spread},
          {"pca_columns", found.pca_columns}};
}

const char* name_of(Scale scale) {
  switch (scale) {
    case Scale::kStandard:
      return "standard";
    case Scale::kMinMax:
      return "minmax";
    case Scale::kRobust:
      return "robust";
    default:
      return "none";
  }
}

std::string command_line(const Advice& advice) {
  std::string words = "sluice " + advice.chosen.method + " INPUT";
  for (const auto& [name, value] : advice.chosen.params) {
    std::string flag = name;
    for (char& c : flag) c = c == '_' ? '-' : c;
    const Json parsed = Json::parse(value);
    words += " --" + flag + (parsed == true ? "" : " " + (parsed.is_string() ? parsed.get<std::string>() : value));
  }
  return words;
}

// The end of both ways: record, page, manifest, and the words for people.
Said finish(OutputDir& out, const Invocation& in, const Advice& advice, const Json& result, const Json& params, const Dataset& data,
            int64_t columns, Context& ctx) {
  Json summary = summary_json("advise", params, data, result);
  summary["input"]["rows"] = data.account.kept;
  summary["input"]["columns"] = columns;
  in.times->lap("advise");
  write_record(out, summary, in, ctx);
  Report page;
  page.title = "advise";
  page.lead = "Take " + advice.chosen.method + ": " + command_line(advice);
  page.sections.emplace_back(ReportText{"Why", advice.reasons});
  ReportTable candidates;
  candidates.title = "What each method would be given";
  candidates.header = {"method", "parameters"};
  for (const Candidate& one : advice.candidates) candidates.rows.push_back({one.method, params_of(one).dump()});
  if (!candidates.rows.empty()) page.sections.emplace_back(std::move(candidates));
  on_root(ctx, [&] { write_page(page, out.path(".")); });
  out.commit(manifest_json(summary, ctx, data.content, data.account));
  std::string text = "structure  " + std::string(advice.structure ? "yes" : "no") + "\nmethod     " + advice.chosen.method +
                     "\ncommand    " + command_line(advice) + "\nwhy\n";
  for (const std::string& reason : advice.reasons) text += "  - " + reason + "\n";
  return {summary, text + "report: " + out.dir() + "/report.html\n"};
}

bool holds_baskets(const InputOptions& input) {
  if (!input.read.format.empty()) return format_of_word(input.read.format) == Format::kBaskets;
  return format_of_name(input.inputs.front()) == Format::kBaskets;
}

Said advise_baskets(OutputDir& out, const Invocation& in, const Json& params, Context& ctx) {
  const BasketData baskets = open_baskets(in.input, {}, ctx);
  Advice advice;
  advice.chosen = {"eclat", {{"min_support", "0.01"}, {"rules", "true"}}};
  advice.reasons = {"eclat: the input is " + report_number(baskets.set.rows()) + " baskets of " + report_number(baskets.set.n_items()) +
                    " different items; what they share is said by rules, not by distances"};
  Dataset data;
  data.rows = std::make_shared<MemorySource>(std::vector<double>{}, baskets.set.rows(), 0);
  data.account = baskets.account;
  data.content = baskets.content;
  return finish(out, in, advice, result_of(advice), params, data, baskets.columns, ctx);
}

}  // namespace

Said advise_command(const Invocation& in, Context& ctx) {
  const auto given = params_from<AdviseParams>(in.params);
  const Json params = params_json(param_infos<AdviseParams>(), param_values(given));
  OutputDir out(out_dir(in), in.overwrite, ctx);
  ctx.spool_dir = in.spool.empty() ? out.scratch() : in.spool;
  if (holds_baskets(in.input)) return advise_baskets(out, in, params, ctx);
  const Table table = open_table(in.input, ctx);
  const Table features = feature_table(table, in.input);
  in.times->lap("read");
  TableFacts facts;
  facts.columns = static_cast<int64_t>(features.columns.size());
  for (const ColumnProfile& column : profile(features, ctx).columns) {
    facts.missing_cells += column.missing;
    facts.text_columns += column.type == ColumnType::kText ? 1 : 0;
  }
  const PreprocessFit fit = preprocess_fit(features, PreprocessParams{}, ctx, rows_kind(in.input));
  Dataset data;
  data.rows = into_memory(fit.rows, ctx);
  data.account.in = table.rows + table.n_rejected();
  data.account.rejected = table.n_rejected();
  data.account.kept = fit.rows->rows();
  for (const RowFate& fate : fit.dropped) ++data.account.dropped[std::string(fate.reason)];
  data.account.check();
  data.content = table_content(table, ctx);
  const Measured found = measure_for_advice(*data.rows, given, ctx);
  Advice advice = sluice::advise(found, facts);
  const std::string scale = name_of(fit.model.params.scale);
  if (scale != "none")
    advice.reasons.insert(advice.reasons.begin() + 1, "preprocess first, with scale " + scale + ": the parameters are for the " +
                                                          report_number(data.rows->cols()) +
                                                          " columns that makes (`sluice preprocess`, or `sluice run`)");
  Json result = result_of(advice);
  result["measures"] = measures_json(found);
  result["preprocess"] = {{"scale", scale}, {"impute", "median"}, {"encode", "onehot"}};
  if (found.pca_columns > 0) result["reduce"] = {{"method", "pca"}, {"n_components", found.pca_columns}};
  return finish(out, in, advice, result, params, data, facts.columns, ctx);
}

}  // namespace sluice
