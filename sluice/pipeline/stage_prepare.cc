// The first stages: the table opened, and cleaned, imputed, scaled, encoded.
#include <algorithm>

#include "sluice/anomaly/detector.h"
#include "sluice/core/error.h"
#include "sluice/core/memory.h"
#include "sluice/pipeline/files.h"
#include "sluice/pipeline/flow.h"
#include "sluice/pipeline/record.h"
#include "sluice/pipeline/table_commands.h"
#include "sluice/pipeline/text_input.h"

namespace sluice {
namespace {

void preprocess_off(Flow& flow) {
  InputOptions options = flow.plan.input;
  const Dataset plain = dataset_of(flow.table, options, flow.ctx);
  flow.data.rows = plain.rows;
  flow.data.text = plain.text;
  flow.data.ids = plain.ids;
  flow.data.id_name = plain.id_name;
  if (plain.text == nullptr) {
    box(flow, "preprocess").state = ReportState::kOff;
  } else {
    done(flow, "preprocess", {"words of " + plain.text->column, report_number(plain.rows->cols()) + " words kept"});
  }
}

// Bytes of a row. Held throughout: its number among the kept rows, twice, its label and its cluster. Beside them stands what one stage holds
// at a time: labels, bounds and their gathering; witnesses and distances; chosen rows; scores.
int64_t bytes_of_a_row(const Plan& plan) {
  int64_t held = 16 + (plan.input.label.empty() ? 0 : 8), most = 0;
  if (!plan.cluster_off) held += 4;
  if (!plan.cluster_off) most = std::max<int64_t>(most, plan.apply.off ? 16 : 20);
  if (!plan.select.off) most = std::max<int64_t>(most, 40);
  if (!plan.generate.off) most = std::max<int64_t>(most, 16);
  if (!plan.anomaly.off) most = std::max<int64_t>(most, static_cast<int64_t>(kScoreBytes) + 8);
  // A row that preprocessing drops has none of these, but a fate, and twice a number while it is found.
  constexpr int64_t kFate = sizeof(RowFate) + 32;
  return plan.preprocess.off ? held + most : std::max(held + most, kFate);
}

void require_room(Flow& flow) {
  flow.row_memory = flow.table.rows * bytes_of_a_row(flow.plan);
  const MemorySource none(std::vector<double>{}, 0, 0);
  require_left("run", "what its stages say of " + to_text(flow.table.rows) + " rows", static_cast<double>(flow.row_memory), none, flow.ctx,
               "give a larger --memory, or switch off stages that have a word for every row: anomaly, select");
}

}  // namespace

std::shared_ptr<Source> rows_in_flow(const Flow& flow, std::shared_ptr<Source> rows) {
  Context left = flow.ctx;
  left.memory -= flow.row_memory;
  const auto* prepared = dynamic_cast<const MemorySource*>(flow.prepared.get());
  if (prepared != nullptr) left.memory -= prepared->rows() * prepared->cols() * static_cast<int64_t>(size_of(prepared->dtype()));
  return into_memory(std::move(rows), left);
}

void open_rows(Flow& flow) {
  flow.table = open_table(flow.plan.input, flow.ctx);
  require_room(flow);
  flow.features = feature_table(flow.table, flow.plan.input);
  if (!flow.plan.input.label.empty()) flow.data.labels = read_label(flow.table, flow.plan.input.label, flow.ctx);
  flow.data.content = table_content(flow.table, flow.ctx);
  flow.data.account.in = flow.table.rows + flow.table.n_rejected();
  flow.data.account.rejected = flow.table.n_rejected();
}

void preprocess(Flow& flow) {
  if (flow.plan.preprocess.off || !flow.plan.input.text.column.empty()) return preprocess_off(flow);
  const auto params = params_from<PreprocessParams>(flow.plan.preprocess.params);
  PreprocessFit fit = preprocess_fit(flow.features, params, flow.ctx, rows_kind(flow.plan.input));
  const auto n_dropped = static_cast<int64_t>(fit.dropped.size());
  for (const RowFate& fate : fit.dropped) ++flow.data.account.dropped[std::string(fate.reason)];
  flow.curated.unprepared = std::move(fit.dropped);
  flow.units = fit.model.outputs;
  const bool all_kept = fit.kept_rows.empty();
  flow.data.kept = std::move(fit.kept_rows);
  flow.data.rows = rows_in_flow(flow, fit.rows);
  flow.data.ids = row_names(flow.table, flow.plan.input, flow.data.id_name);
  if (flow.data.labels && !all_kept) {
    std::vector<int64_t> left;
    for (const int64_t row : flow.data.kept) left.push_back(flow.data.labels->values[static_cast<size_t>(row)]);
    flow.data.labels->values = std::move(left);
  }
  const std::string folder = folder_for(flow, "preprocess");
  on_root(flow.ctx, [&] {
    ModelFile model = save_preprocess(fit.model);
    model.about["algorithm"] = "preprocess";
    write_file(folder + "/model.safetensors", encode_model(model));
  });
  if (!all_kept) {
    const auto kept = static_cast<int64_t>(flow.data.kept.size());
    const NpyWriter rows(folder + "/rows.npy", "<i8", kept, 0, flow.ctx);
    on_root(flow.ctx, [&] { rows.write(0, kept, flow.data.kept.data()); });
  }
  Json summary = summary_json("preprocess", params_json(param_infos<PreprocessParams>(), param_values(params)), flow.data,
                              {{"n_columns", fit.rows->cols()}, {"n_dropped", n_dropped}, {"notes", fit.notes}});
  write_stage_summary(flow, "preprocess", summary);
  done(flow, "preprocess",
       {report_number(flow.features.rows) + " rows in, " + report_number(fit.rows->rows()) + " kept",
        report_number(fit.rows->cols()) + " columns"});
  flow.page.sections.emplace_back(ReportChapter{"preprocess", ""});
  flow.page.sections.emplace_back(ReportText{"What was decided", fit.notes});
}

}  // namespace sluice
