// The fitted steps on other rows.
#include <algorithm>

#include "sluice/core/duplicates.h"
#include "sluice/preprocess/preprocess.h"
#include "sluice/preprocess/preprocess_columns.h"

namespace sluice {
namespace {

bool leaves_gaps(const PreprocessModel& model) {
  return model.params.impute == Impute::kDrop || model.params.impute == Impute::kRefuse;
}

// Codes of the text columns; with unknown error, a level that has no place is refused among the kept rows.
void encode(const PreprocessModel& model, BoundColumns& bound, const KeptRows& kept) {
  encode_columns(model.inputs, bound);
  if (model.params.unknown != Unknown::kError) return;
  for (size_t i = 0; i < model.inputs.size(); ++i) {
    if (bound.codes[i] == nullptr) continue;
    const std::vector<int32_t>& codes = *bound.codes[i];
    const auto n = static_cast<int64_t>(kept != nullptr ? kept->size() : codes.size());
    for (int64_t at = 0; at < n; ++at) {
      const int64_t row = kept != nullptr ? (*kept)[static_cast<size_t>(at)] : at;
      if (codes[static_cast<size_t>(row)] != kNoLevel) continue;
      fail(ErrorCode::kBadInput, "row " + std::to_string(row) + ", column " + model.inputs[i].name,
           "'" + std::string(bound.texts[i]->at(row).substr(0, 40)) + "' is a level that the fit did not see",
           "fit with unknown other, or fit again on rows that have it");
    }
  }
}

[[noreturn]] void refuse_gap(const PreprocessModel& model, const GapRow& gap) {
  fail(ErrorCode::kBadInput, "row " + std::to_string(gap.row) + ", column " + model.inputs[static_cast<size_t>(gap.input)].name,
       "the cell is missing, and the model fills none", "fill it, or fit with impute median");
}

// Rows beyond the fitted limits, as step 3 drops them.
std::vector<RowFate> beyond_limits(const PreprocessModel& model, const BoundColumns& bound, const Table& table, const KeptRows& kept,
                                   Context& ctx) {
  Limits limits;
  std::vector<size_t> inputs;
  for (size_t i = 0; i < model.inputs.size(); ++i) {
    if (bound.number[i] < 0) continue;
    inputs.push_back(i);
    limits.low.push_back(model.inputs[i].low);
    limits.high.push_back(model.inputs[i].high);
  }
  std::vector<RowFate> fates;
  if (inputs.empty()) return fates;
  for (const OutlierRow& found : rows_beyond(numbers_view(model.inputs, bound, table, kept, true), limits, ctx)) {
    const PreprocessInput& in = model.inputs[inputs[static_cast<size_t>(found.column)]];
    fates.push_back({kept != nullptr ? (*kept)[static_cast<size_t>(found.row)] : found.row, "outlier", -1, beyond_text(in, found.value)});
  }
  return fates;
}

}  // namespace

std::shared_ptr<Source> preprocess_apply(const PreprocessModel& model, const Table& table, Context& ctx) {
  BoundColumns bound = bind_columns(model.inputs, table, ctx);
  if (leaves_gaps(model)) {
    const std::vector<GapRow> gaps = rows_with_gaps(model.inputs, bound, table, ctx);
    if (!gaps.empty()) refuse_gap(model, gaps[0]);
  }
  encode(model, bound, nullptr);
  return output_rows(model, bound, table, nullptr, ctx);
}

PreprocessRows preprocess_rows(const PreprocessModel& model, const Table& table, Context& ctx) {
  BoundColumns bound = bind_columns(model.inputs, table, ctx);
  PreprocessRows out;
  KeptRows kept;
  const auto drop = [&](std::vector<RowFate> fates) {
    std::vector<int64_t> gone;
    for (const RowFate& fate : fates) gone.push_back(fate.row);
    kept = without(kept, table.rows, gone);
    out.dropped.insert(out.dropped.end(), fates.begin(), fates.end());
    if (kept != nullptr && kept->empty())
      fail(ErrorCode::kBadInput, "preprocess", "no row is left, the last ones were dropped as " + std::string(out.dropped.back().reason),
           "give other rows");
  };
  if (model.params.duplicates == Keep::kDrop) {
    std::vector<RowFate> fates;
    for (const Duplicate& d : find_duplicates(used_table(model.inputs, bound, table), ctx)) {
      fates.push_back({d.row, "duplicate", d.witness});
    }
    drop(std::move(fates));
  }
  if (leaves_gaps(model)) {
    std::vector<RowFate> fates;
    for (const GapRow& gap : rows_with_gaps(model.inputs, bound, table, ctx)) {
      if (kept != nullptr && !std::binary_search(kept->begin(), kept->end(), gap.row)) continue;
      if (model.params.impute == Impute::kRefuse) refuse_gap(model, gap);
      fates.push_back({gap.row, "missing", -1, "column " + model.inputs[static_cast<size_t>(gap.input)].name + " is missing"});
    }
    drop(std::move(fates));
  }
  if (model.params.outliers == Outliers::kZScore || model.params.outliers == Outliers::kIqr)
    drop(beyond_limits(model, bound, table, kept, ctx));
  encode(model, bound, kept);
  out.rows = output_rows(model, bound, table, kept, ctx);
  if (kept != nullptr) out.kept_rows = *kept;
  std::sort(out.dropped.begin(), out.dropped.end(), [](const RowFate& a, const RowFate& b) { return a.row < b.row; });
  return out;
}

}  // namespace sluice
