// The first stages: the table opened, and cleaned, imputed, scaled, encoded.
#include "sluice/core/error.h"
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

}  // namespace

void open_rows(Flow& flow) {
  flow.table = open_table(flow.plan.input, flow.ctx);
  flow.features = feature_table(flow.table, flow.plan.input);
  if (!flow.plan.input.label.empty()) flow.data.labels = read_label(flow.table, flow.plan.input.label, flow.ctx);
  flow.data.content = table_content(flow.table, flow.ctx);
  flow.data.account.in = flow.table.rows + flow.table.n_rejected();
  flow.data.account.rejected = flow.table.n_rejected();
  flow.curated.ledger.resize(static_cast<size_t>(flow.table.rows));
  flow.curated.cluster.assign(static_cast<size_t>(flow.table.rows), -1);
  flow.curated.weight.assign(static_cast<size_t>(flow.table.rows), 1.0);
}

void preprocess(Flow& flow) {
  if (flow.plan.preprocess.off || !flow.plan.input.text.column.empty()) return preprocess_off(flow);
  const auto params = params_from<PreprocessParams>(flow.plan.preprocess.params);
  PreprocessFit fit = preprocess_fit(flow.features, params, flow.ctx, rows_kind(flow.plan.input));
  for (const RowFate& fate : fit.dropped) {
    flow.curated.ledger[static_cast<size_t>(fate.row)] = {false, "preprocess",
                                                          fate.reason + (fate.detail.empty() ? "" : ": " + fate.detail), fate.witness};
    ++flow.data.account.dropped[fate.reason];
  }
  flow.units = fit.model.outputs;
  flow.data.kept = fit.kept_rows;
  flow.data.rows = into_memory(fit.rows, flow.ctx);
  flow.data.ids = row_names(flow.table, flow.plan.input, flow.data.id_name);
  if (flow.data.labels && !fit.kept_rows.empty()) {
    std::vector<int64_t> left;
    for (const int64_t row : fit.kept_rows) left.push_back(flow.data.labels->values[static_cast<size_t>(row)]);
    flow.data.labels->values = std::move(left);
  }
  const std::string folder = folder_for(flow, "preprocess");
  on_root(flow.ctx, [&] {
    ModelFile model = save_preprocess(fit.model);
    model.about["algorithm"] = "preprocess";
    write_file(folder + "/model.safetensors", encode_model(model));
  });
  if (!fit.kept_rows.empty()) {
    const NpyWriter rows(folder + "/rows.npy", "<i8", static_cast<int64_t>(fit.kept_rows.size()), 0, flow.ctx);
    on_root(flow.ctx, [&] { rows.write(0, static_cast<int64_t>(fit.kept_rows.size()), fit.kept_rows.data()); });
  }
  Json summary = summary_json("preprocess", params_json(param_infos<PreprocessParams>(), param_values(params)), flow.data,
                              {{"n_columns", fit.rows->cols()}, {"n_dropped", fit.dropped.size()}, {"notes", fit.notes}});
  write_stage_summary(flow, "preprocess", summary);
  done(flow, "preprocess",
       {report_number(flow.features.rows) + " rows in, " + report_number(fit.rows->rows()) + " kept",
        report_number(fit.rows->cols()) + " columns"});
  flow.page.sections.emplace_back(ReportChapter{"preprocess", ""});
  flow.page.sections.emplace_back(ReportText{"What was decided", fit.notes});
}

}  // namespace sluice
