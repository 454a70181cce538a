#include "sluice/preprocess/preprocess.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sluice/core/duplicates.h"
#include "sluice/preprocess/preprocess_columns.h"

namespace sluice {
namespace {

// The fit of one table: each method is one step, and leaves model, kept rows and notes as the next one finds them.
class Fitter {
 public:
  Fitter(const Table& table, const PreprocessParams& params, RowsKind kind, Context& ctx) : table_(table), kind_(kind), ctx_(ctx) {
    model_.params = params;
  }
  PreprocessFit run() {
    take_columns();
    drop_duplicates();
    leave_out_empty();
    fill_gaps();
    limit_values();
    encode_texts();
    scale_numbers();
    return finish();
  }

 private:
  const PreprocessParams& params() const { return model_.params; }
  int64_t rows() const { return kept_ != nullptr ? static_cast<int64_t>(kept_->size()) : table_.rows; }
  std::span<const int64_t> kept() const { return kept_ != nullptr ? std::span<const int64_t>(*kept_) : std::span<const int64_t>(); }
  void note(std::string text) { fit_.notes.push_back(std::move(text)); }
  void take_columns();
  void drop_duplicates();
  void leave_out_empty();
  void fill_gaps();
  void fill_with_values();
  void limit_values();
  void encode_texts();
  void scale_numbers();
  PreprocessFit finish();
  void drop(std::vector<RowFate> fates);
  std::vector<size_t> numeric() const;
  void measure_view(Source& view, bool whole);

  const Table& table_;
  RowsKind kind_;
  Context& ctx_;
  PreprocessModel model_;
  PreprocessFit fit_;
  BoundColumns bound_;
  KeptRows kept_;
  bool gaps_filled_ = false;
};

void Fitter::drop(std::vector<RowFate> fates) {
  if (fates.empty()) return;
  std::vector<int64_t> gone;
  for (const RowFate& fate : fates) gone.push_back(fate.row);
  kept_ = without(kept_, table_.rows, gone);
  note(std::to_string(gone.size()) + " rows dropped (" + std::string(fates[0].reason) + ")");
  if (fit_.dropped.empty()) {
    fit_.dropped = std::move(fates);
  } else {
    fit_.dropped.insert(fit_.dropped.end(), std::make_move_iterator(fates.begin()), std::make_move_iterator(fates.end()));
  }
  if (kept_->empty())
    fail(ErrorCode::kBadInput, "preprocess", "no row is left, the last ones were dropped as " + std::string(fit_.dropped.back().reason),
         "change that step");
}

// The inputs in the order of numbers_view.
std::vector<size_t> Fitter::numeric() const {
  std::vector<size_t> out;
  for (size_t i = 0; i < model_.inputs.size(); ++i) {
    if (model_.inputs[i].used && !model_.inputs[i].text) out.push_back(i);
  }
  return out;
}

// Statistics of a view of numbers; those of the table where the view does not change a value (whole: it has all rows, unfilled or
// without gaps).
void Fitter::measure_view(Source& view, bool whole) {
  if (!whole) {
    view.stats = measure(view, ctx_);
    return;
  }
  view.stats.measured = true;
  for (const size_t i : numeric()) view.stats.columns.push_back(table_.numbers->stats.columns[static_cast<size_t>(bound_.number[i])]);
}

void Fitter::take_columns() {
  std::vector<int64_t> used;
  for (const TableColumn& column : table_.columns) {
    PreprocessInput in;
    in.name = column.name;
    in.text = column.type == ColumnType::kText;
    in.low = -std::numeric_limits<double>::max();
    in.high = std::numeric_limits<double>::max();
    if (in.text && params().encode == Encode::kRefuse) {
      fail(ErrorCode::kBadInput, "column " + in.name, "it holds text",
           "use encode onehot or ordinal, or leave the column out with --exclude");
    }
    in.used = !(in.text && params().encode == Encode::kDrop);
    if (!in.used) note("column " + in.name + " left out: it holds text");
    model_.inputs.push_back(std::move(in));
  }
  std::vector<int64_t> all(table_.columns.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i);
  require_usable(table_, all, ctx_);
  bound_ = bind_columns(model_.inputs, table_, ctx_);
}

void Fitter::drop_duplicates() {
  if (params().duplicates == Keep::kKeep) return;
  const std::vector<Duplicate> found = find_duplicates(used_table(model_.inputs, bound_, table_), ctx_);
  std::vector<RowFate> fates;
  fates.reserve(found.size());
  for (const Duplicate& d : found) fates.push_back({d.row, "duplicate", d.witness});
  drop(std::move(fates));
}

// Columns in which no cell holds anything can't be filled from themselves.
void Fitter::leave_out_empty() {
  if (params().impute == Impute::kConstant) return;
  for (size_t i = 0; i < model_.inputs.size(); ++i) {
    PreprocessInput& in = model_.inputs[i];
    if (!in.used) continue;
    bool empty = false;
    if (in.text) {
      empty = true;
      for (int64_t row = 0; row < table_.rows && empty; ++row) empty = bound_.texts[i]->at(row).empty();
    } else {
      empty = table_.numbers->stats.columns[static_cast<size_t>(bound_.number[i])].finite == 0;
    }
    if (!empty) continue;
    in.used = false;
    bound_.number[i] = -1;
    bound_.texts[i] = nullptr;
    note("column " + in.name + " left out: no cell holds a value");
  }
}

void Fitter::fill_gaps() {
  if (params().impute == Impute::kConstant && params().fill_text.empty()) {
    fail(ErrorCode::kUsage, "--fill-text", "it is empty, which is how a missing text looks", "give a text");
  }
  if (params().impute != Impute::kDrop && params().impute != Impute::kRefuse) return fill_with_values();
  std::vector<RowFate> fates;
  for (const GapRow& gap : rows_with_gaps(model_.inputs, bound_, table_, ctx_)) {
    if (kept_ != nullptr && !std::binary_search(kept_->begin(), kept_->end(), gap.row)) continue;
    const std::string& name = model_.inputs[static_cast<size_t>(gap.input)].name;
    if (params().impute == Impute::kRefuse) {
      fail(ErrorCode::kBadInput, "row " + std::to_string(gap.row) + ", column " + name, "the cell is missing", "use impute median or drop");
    }
    fates.push_back({gap.row, "missing", -1, "column " + name + " is missing"});
  }
  drop(std::move(fates));
}

void Fitter::fill_with_values() {
  const std::vector<size_t> columns = numeric();
  if (!columns.empty()) {
    RowsView view = numbers_view(model_.inputs, bound_, table_, kept_, false);
    measure_view(view, kept_ == nullptr);
    const std::vector<double> fill = impute_fit(view, params().impute, params().fill_value, ctx_);
    for (size_t c = 0; c < columns.size(); ++c) {
      PreprocessInput& in = model_.inputs[columns[c]];
      in.fill = fill[c];
      const int64_t missing = view.stats.columns[c].missing;
      if (missing == 0) continue;
      gaps_filled_ = true;
      note("column " + in.name + ": " + std::to_string(missing) + " missing values set to " + to_text(in.fill));
    }
  }
  for (size_t i = 0; i < model_.inputs.size(); ++i) {
    PreprocessInput& in = model_.inputs[i];
    if (!in.used || !in.text) continue;
    const LevelCounts counts = level_counts(*bound_.texts[i], kept());
    in.fill_text = impute_text_fit(counts, params().impute, params().fill_text);
    int64_t missing = rows();
    for (const auto& [level, count] : counts) missing -= count;
    if (missing > 0) note("column " + in.name + ": " + std::to_string(missing) + " missing cells set to '" + in.fill_text + "'");
  }
}

void Fitter::limit_values() {
  const std::vector<size_t> columns = numeric();
  if (params().outliers == Outliers::kNone || columns.empty()) return;
  RowsView view = numbers_view(model_.inputs, bound_, table_, kept_, true);
  measure_view(view, kept_ == nullptr && !gaps_filled_);
  const Limits limits = outlier_limits(view, params().outliers, params().limits, ctx_);
  for (size_t c = 0; c < columns.size(); ++c) {
    model_.inputs[columns[c]].low = limits.low[c];
    model_.inputs[columns[c]].high = limits.high[c];
  }
  if (params().outliers == Outliers::kWinsorize) {
    note("values beyond the quantiles " + to_text(params().limits.lower_quantile) + " and " + to_text(params().limits.upper_quantile) +
         " of their column set to these");
    return;
  }
  std::vector<RowFate> fates;
  for (const OutlierRow& found : rows_beyond(view, limits, ctx_)) {
    const PreprocessInput& in = model_.inputs[columns[static_cast<size_t>(found.column)]];
    fates.push_back({kept_ != nullptr ? (*kept_)[static_cast<size_t>(found.row)] : found.row, "outlier", -1, beyond_text(in, found.value)});
  }
  drop(std::move(fates));
}

void Fitter::encode_texts() {
  for (size_t i = 0; i < model_.inputs.size(); ++i) {
    PreprocessInput& in = model_.inputs[i];
    if (!in.used) continue;
    const auto input = static_cast<int64_t>(i);
    if (!in.text) {
      model_.outputs.push_back({in.name, input, -1, 0, 1});
      continue;
    }
    LevelCounts counts = level_counts(*bound_.texts[i], kept());
    int64_t filled = rows();
    for (const auto& [level, count] : counts) filled -= count;
    if (filled > 0) {  // gaps are of the level that fills them
      const auto at =
          std::lower_bound(counts.begin(), counts.end(), in.fill_text, [](const auto& a, const std::string& b) { return a.first < b; });
      if (at != counts.end() && at->first == in.fill_text) {
        at->second += filled;
      } else {
        counts.insert(at, {in.fill_text, filled});
      }
    }
    Levels levels = choose_levels(counts, rows(), params().min_frequency, params().max_levels);
    if (levels.other)
      note("column " + in.name + ": " + std::to_string(levels.grouped) + " of " + std::to_string(counts.size()) +
           " levels are rare and put together as 'other'");
    in.levels = std::move(levels.kept);
    in.other = levels.other;
    if (params().encode == Encode::kOrdinal) {
      model_.outputs.push_back({in.name, input, -1, 0, 1});
      continue;
    }
    const auto count = static_cast<int64_t>(in.levels.size());
    for (int64_t l = 0; l < count; ++l) model_.outputs.push_back({in.name + "=" + in.levels[static_cast<size_t>(l)], input, l, 0, 1});
    if (in.other) model_.outputs.push_back({in.name + "=other", input, count, 0, 1});
  }
  encode_columns(model_.inputs, bound_);
  if (model_.outputs.empty())
    fail(ErrorCode::kBadInput, "preprocess", "no column is left", "encode the text columns, or fill empty ones by impute constant");
}

void Fitter::scale_numbers() {
  RowsView view = output_view(model_, bound_, table_, kept_);
  const bool texts = std::any_of(model_.inputs.begin(), model_.inputs.end(), [](const PreprocessInput& in) { return in.text && in.used; });
  measure_view(view, kept_ == nullptr && !gaps_filled_ && !texts && params().outliers != Outliers::kWinsorize);
  std::vector<uint8_t> indicators;
  for (const PreprocessOutput& out : model_.outputs) indicators.push_back(out.level >= 0 ? 1 : 0);
  const ScaleFit scaled = scale_fit(view, params().scale, indicators, kind_, ctx_);
  model_.params.scale = scaled.method;
  note("scale " + scaled.reason);
  std::vector<PreprocessOutput> varying;
  std::string constant;
  for (size_t o = 0; o < model_.outputs.size(); ++o) {
    PreprocessOutput& out = model_.outputs[o];
    out.center = scaled.center[o];
    out.scale = scaled.scale[o];
    if (view.stats.columns[o].min != view.stats.columns[o].max) {
      varying.push_back(out);
    } else {
      constant += (constant.empty() ? "" : ", ") + out.name;
    }
  }
  if (params().constant_columns == Keep::kKeep || constant.empty() || kind_ == RowsKind::kImages) return;
  if (varying.empty()) return note("every column holds a single value; all are kept");
  note(std::to_string(model_.outputs.size() - varying.size()) + " columns left out, which hold a single value: " + constant);
  model_.outputs = std::move(varying);
}

PreprocessFit Fitter::finish() {
  fit_.rows = output_rows(model_, bound_, table_, kept_, ctx_);
  if (kept_ != nullptr) fit_.kept_rows = *kept_;
  std::sort(fit_.dropped.begin(), fit_.dropped.end(), [](const RowFate& a, const RowFate& b) { return a.row < b.row; });
  fit_.model = std::move(model_);
  return std::move(fit_);
}

}  // namespace

PreprocessFit preprocess_fit(const Table& table, const PreprocessParams& params, Context& ctx, RowsKind kind) {
  return Fitter(table, params, kind, ctx).run();
}

}  // namespace sluice
