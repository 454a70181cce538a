#include "sluice/pipeline/input.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include "sluice/core/exact_sum.h"
#include "sluice/core/fold.h"
#include "sluice/core/text.h"
#include "sluice/io/input.h"
#include "sluice/io/views.h"
#include "sluice/pipeline/share_table.h"
#include "sluice/pipeline/text_input.h"

namespace sluice {
namespace {

// Values rounded to float32, or widened to float64, at each read.
class ConvertedSource final : public Source {
 public:
  ConvertedSource(std::shared_ptr<Source> from, DType dtype) : from_(std::move(from)), dtype_(dtype) { names = from_->names; }
  int64_t rows() const override { return from_->rows(); }
  int64_t cols() const override { return from_->cols(); }
  DType dtype() const override { return dtype_; }
  MatrixBlock read(int64_t first, int64_t count, BlockBuffer& buffer) const override {
    const MatrixBlock raw = from_->read(first, count, buffer.inner());
    std::byte* out = buffer.reserve(static_cast<size_t>(count * cols()) * size_of(dtype_));
    std::vector<double> scratch(static_cast<size_t>(cols()));
    for (int64_t i = 0; i < count; ++i) {
      const double* row = raw.row(i, scratch.data());
      for (int64_t j = 0; j < cols(); ++j) {
        if (dtype_ == DType::kF32) {
          reinterpret_cast<float*>(out)[i * cols() + j] = static_cast<float>(row[j]);
        } else {
          reinterpret_cast<double*>(out)[i * cols() + j] = row[j];
        }
      }
    }
    return {dtype_, out, count, cols(), cols(), first, raw.weights};
  }

 private:
  std::shared_ptr<Source> from_;
  DType dtype_;
};

bool holds_pictures(const InputOptions& options) {
  std::error_code error;
  return !options.inputs.empty() && std::filesystem::is_directory(options.inputs.front(), error);
}

// The column that names the rows: as asked for, or the file names of a folder of pictures.
int64_t id_column(const Table& table, const InputOptions& options) {
  if (!options.id.empty()) return table.find(options.id);
  if (holds_pictures(options)) {
    for (size_t i = 0; i < table.columns.size(); ++i) {
      if (table.columns[i].type == ColumnType::kText && table.columns[i].name == "file") return static_cast<int64_t>(i);
    }
  }
  return -1;
}

bool has_column(const Table& table, const std::string& name) {
  try {
    table.find(name);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::shared_ptr<TextColumn> ids_of(const Table& table, int64_t column) {
  const TableColumn& info = table.columns[static_cast<size_t>(column)];
  if (info.type == ColumnType::kText || info.beyond_double) return table.texts[static_cast<size_t>(info.index)];
  auto out = std::make_shared<TextColumn>();
  BlockBuffer buffer;
  for (int64_t i = 0; i < table.rows; ++i) {
    double value[1];
    const MatrixBlock row = table.numbers->read(i, 1, buffer);
    std::vector<double> scratch(static_cast<size_t>(row.cols));
    value[0] = row.row(0, scratch.data())[info.index];
    if (std::isnan(value[0])) {
      out->append_missing();
    } else {
      out->append(info.type == ColumnType::kInteger ? to_text(static_cast<int64_t>(value[0])) : to_text(value[0]));
    }
  }
  return out;
}

std::vector<double> numeric_column(const Table& table, int64_t index) {
  std::vector<double> out(static_cast<size_t>(table.rows));
  BlockBuffer buffer;
  std::vector<double> scratch(static_cast<size_t>(table.numbers->cols()));
  constexpr int64_t kStep = 4096;
  for (int64_t at = 0; at < table.rows; at += kStep) {
    const MatrixBlock block = table.numbers->read(at, std::min(kStep, table.rows - at), buffer);
    for (int64_t i = 0; i < block.rows; ++i) out[static_cast<size_t>(at + i)] = block.row(i, scratch.data())[index];
  }
  return out;
}

// Words or decimal numbers as places in their sorted list.
template <class T>
Labels coded(const std::vector<T>& values, auto&& name_of) {
  std::map<T, int64_t> code;
  for (const T& value : values) code.emplace(value, 0);
  Labels out;
  for (auto& [value, number] : code) {
    number = static_cast<int64_t>(out.names.size());
    out.names.push_back(name_of(value));
  }
  for (const T& value : values) out.values.push_back(code[value]);
  return out;
}

// Means of the finite values of each column.
std::vector<double> finite_means(const Source& source, Context& ctx) {
  const auto cols = static_cast<size_t>(source.cols());
  std::vector<std::vector<ExactSum>> sums(static_cast<size_t>(ctx.threads), std::vector<ExactSum>(cols));
  map(source, ctx, [&](int worker, const MatrixBlock& leaf) {
    std::vector<double> total(cols), scratch(cols);
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const double* row = leaf.row(i, scratch.data());
      for (size_t j = 0; j < cols; ++j) total[j] += std::isfinite(row[j]) ? row[j] : 0.0;
    }
    for (size_t j = 0; j < cols; ++j) sums[static_cast<size_t>(worker)][j].add(total[j]);
  });
  ByteWriter out;
  for (size_t j = 0; j < cols; ++j) {
    for (size_t w = 1; w < sums.size(); ++w) sums[0][j].merge(sums[w][j]);
    sums[0][j].save(out);
  }
  std::vector<ExactSum> all(cols);
  const Bytes mine = out.take();
  for (const Bytes& theirs : ctx.ranks() == 1 ? std::vector<Bytes>{mine} : ctx.comm->all_gather(mine)) {
    ByteReader in(theirs);
    for (size_t j = 0; j < cols; ++j) {
      ExactSum part;
      part.load(in);
      all[j].merge(part);
    }
  }
  std::vector<double> means(cols);
  for (size_t j = 0; j < cols; ++j) {
    const int64_t finite = source.stats.columns[j].finite;
    if (finite == 0)
      fail(ErrorCode::kBadInput, "column " + source.name_of(static_cast<int64_t>(j)), "it has no value to impute from",
           "leave it out with --exclude");
    means[j] = all[j].value() / static_cast<double>(finite);
  }
  return means;
}

// The rows after dropping or filling; `kept` gets the input rows left when some were dropped.
std::shared_ptr<Source> without_missing(const Source& source, NanPolicy policy, std::vector<int64_t>& kept, Context& ctx) {
  const std::vector<double> means = policy == NanPolicy::kImpute ? finite_means(source, ctx) : std::vector<double>{};
  RowStore store(source.cols(), store_options(ctx));
  BlockBuffer buffer;
  std::vector<double> row(static_cast<size_t>(source.cols()));
  const int64_t step = leaf_rows(source.cols(), ctx);
  for (int64_t at = 0; at < source.rows(); at += step) {
    const MatrixBlock block = source.read(at, std::min(step, source.rows() - at), buffer);
    for (int64_t i = 0; i < block.rows; ++i) {
      const double* from = block.row(i, row.data());
      if (from != row.data()) std::copy(from, from + block.cols, row.begin());
      bool whole = true;
      for (size_t j = 0; j < row.size(); ++j) {
        if (std::isfinite(row[j])) continue;
        whole = false;
        if (policy == NanPolicy::kImpute) row[j] = means[j];
      }
      if (policy == NanPolicy::kDrop && !whole) continue;
      if (policy == NanPolicy::kDrop) kept.push_back(at + i);
      store.append(row.data());
    }
  }
  std::shared_ptr<Source> out = store.finish();
  out->names = source.names;
  return out;
}

void refuse_text(const Table& table, const std::vector<int64_t>& features) {
  for (const int64_t column : features) {
    const TableColumn& info = table.columns[static_cast<size_t>(column)];
    if (info.type == ColumnType::kText) {
      fail(ErrorCode::kBadInput, "column " + info.name, "it holds text, and this command takes numbers",
           "leave it out with --exclude " + info.name + ", set it aside with --label or --id, use its words with --text " + info.name +
               ", or encode it with sluice preprocess");
    }
    if (info.beyond_double) {
      fail(ErrorCode::kBadInput, "column " + info.name, "it holds whole numbers beyond 2^53, which are no exact features",
           "use it as --id, or leave it out with --exclude " + info.name);
    }
  }
}

std::string content_of(const Source& rows, const std::optional<Labels>& labels, const TextColumn* ids) {
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  XXH3_128bits_update(&state, rows.stats.content.data(), 16);
  const auto text = [&](std::string_view value) {
    const uint64_t size = value.size();
    XXH3_128bits_update(&state, &size, sizeof size);
    XXH3_128bits_update(&state, value.data(), value.size());
  };
  for (int64_t j = 0; j < rows.cols(); ++j) text(rows.name_of(j));
  if (labels) {
    XXH3_128bits_update(&state, labels->values.data(), labels->values.size() * 8);
    for (const std::string& name : labels->names) text(name);
  }
  for (int64_t i = 0; ids != nullptr && i < ids->rows(); ++i) text(ids->at(i));
  const XXH128_hash_t digest = XXH3_128bits_digest(&state);
  return content_hex({digest.low64, digest.high64});
}

template <class T>
std::vector<T> at_rows(const std::vector<T>& values, const std::vector<int64_t>& rows) {
  std::vector<T> out;
  out.reserve(rows.size());
  for (const int64_t row : rows) out.push_back(values[static_cast<size_t>(row)]);
  return out;
}

void attach_weights(Dataset& data, std::vector<double> weights) {
  if (!data.kept.empty()) weights = at_rows(weights, data.kept);
  auto memory = load(*data.rows);
  memory->set_weights(std::move(weights));
  data.rows = std::move(memory);
}

}  // namespace

std::vector<double> weight_column(const Table& table, const std::string& name) {
  const TableColumn& info = table.columns[static_cast<size_t>(table.find(name))];
  if (info.type == ColumnType::kText) fail(ErrorCode::kBadInput, "column " + info.name, "weights must be numbers", "name a numeric column");
  std::vector<double> weights = numeric_column(table, info.index);
  const auto bad = std::find_if(weights.begin(), weights.end(), [](double w) { return !(w >= 0) || std::isinf(w); });
  if (bad != weights.end()) {
    fail(ErrorCode::kBadInput, "row " + std::to_string(bad - weights.begin()), "its weight is negative or not finite",
         "give weights of 0 or more");
  }
  if (std::all_of(weights.begin(), weights.end(), [](double w) { return w == 0; }))
    fail(ErrorCode::kBadInput, "--weight", "all weights are 0", "give some row a weight");
  return weights;
}

Json RowAccount::json() const {
  return {{"in", in}, {"kept", kept}, {"rejected", rejected}, {"dropped", dropped}};
}

void RowAccount::check() const {
  int64_t sum = kept + rejected;
  for (const auto& [reason, count] : dropped) sum += count;
  if (sum != in)
    fail(ErrorCode::kBug, "row account", std::to_string(in) + " rows came in and " + std::to_string(sum) + " are accounted for",
         "please report this as a bug");
}

Table open_table(const InputOptions& options, Context& ctx) {
  StoreOptions store = store_options(ctx);
  store.to_file = false;
  Table table = share_table([&] { return read_table(options.inputs, options.read, store, ctx); }, ctx);
  if (table.rows == 0) fail(ErrorCode::kBadInput, options.inputs.front(), "it holds no rows", "give some data");
  return table;
}

std::vector<int64_t> feature_columns(const Table& table, const InputOptions& options) {
  std::set<int64_t> aside;
  for (const std::string& name : options.exclude) aside.insert(table.find(name));
  const int64_t id = id_column(table, options);
  if (id >= 0) aside.insert(id);
  if (!options.label.empty() && has_column(table, options.label)) aside.insert(table.find(options.label));
  if (!options.weight.empty()) aside.insert(table.find(options.weight));
  std::vector<int64_t> out;
  if (!options.columns.empty()) {
    for (const std::string& name : options.columns) {
      bool list = false;  // `emb` also names the columns emb_0, emb_1, ... a list column became
      if (!has_column(table, name)) {
        for (size_t i = 0; i < table.columns.size(); ++i) {
          const std::string& column = table.columns[i].name;
          if (column.starts_with(name + "_") && parse_number<int64_t>(std::string_view(column).substr(name.size() + 1))) {
            out.push_back(static_cast<int64_t>(i));
            list = true;
          }
        }
      }
      if (!list) out.push_back(table.find(name));
    }
    std::erase_if(out, [&](int64_t column) { return aside.contains(column); });
  } else {
    for (int64_t i = 0; i < static_cast<int64_t>(table.columns.size()); ++i) {
      if (!aside.contains(i)) out.push_back(i);
    }
  }
  return out;
}

Labels read_label(const Table& table, const std::string& label, Context&) {
  if (has_column(table, label)) {
    const TableColumn& info = table.columns[static_cast<size_t>(table.find(label))];
    if (info.type == ColumnType::kText) {
      std::vector<std::string> words;
      for (int64_t i = 0; i < table.rows; ++i) words.emplace_back(table.texts[static_cast<size_t>(info.index)]->at(i));
      return coded(words, [](const std::string& word) { return word; });
    }
    const std::vector<double> values = numeric_column(table, info.index);
    for (size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(values[i]))
        fail(ErrorCode::kBadInput, "row " + std::to_string(i) + ", column " + info.name, "the label is missing",
             "give every row a label or leave out --label");
    }
    if (std::all_of(values.begin(), values.end(), [](double x) { return std::nearbyint(x) == x && std::fabs(x) < 0x1p53; })) {
      Labels out;
      for (const double x : values) out.values.push_back(static_cast<int64_t>(x));
      return out;
    }
    return coded(values, [](double x) { return to_text(x); });
  }
  std::error_code error;
  if (!std::filesystem::exists(label, error)) table.find(label);  // throws, naming the columns there are
  LabelFile file = read_labels(label);
  if (static_cast<int64_t>(file.values.size()) != table.rows) {
    fail(ErrorCode::kBadInput, label,
         "it holds " + std::to_string(file.values.size()) + " labels for " + std::to_string(table.rows) + " rows", "give one label a row");
  }
  return {std::move(file.values), std::move(file.names)};
}

std::shared_ptr<Source> into_memory(std::shared_ptr<Source> source, Context& ctx) {
  const bool narrow = source->stats.fits_f32();
  const bool in_memory = dynamic_cast<const MemorySource*>(source.get()) != nullptr;
  if (in_memory && (!narrow || source->dtype() == DType::kF32)) return source;
  const DType dtype = narrow ? DType::kF32 : source->dtype();
  const auto bytes = static_cast<double>(source->rows()) * static_cast<double>(source->cols()) * static_cast<double>(size_of(dtype));
  constexpr double kOwnUse = 64e6;
  if (bytes > (static_cast<double>(ctx.memory) - kOwnUse) * (in_memory ? 0.25 : 0.5)) return source;
  auto keep = std::make_shared<BlockBuffer>();
  std::byte* all = keep->reserve(std::max<size_t>(64, static_cast<size_t>(bytes)));
  Context alone = ctx;  // every rank holds all rows
  alone.comm = nullptr;
  const int64_t cols = source->cols();
  map(*source, alone, [&](int, const MatrixBlock& leaf) {
    std::byte* to = all + static_cast<size_t>(leaf.first_row * cols) * size_of(dtype);
    for (int64_t i = 0; i < leaf.rows; ++i, to += static_cast<size_t>(cols) * size_of(dtype)) {
      if (leaf.dtype == dtype) {
        std::memcpy(to, leaf.slice(i, 1).data, static_cast<size_t>(cols) * size_of(dtype));
      } else {
        const double* from = leaf.view().f64(i);
        for (int64_t j = 0; j < cols; ++j) reinterpret_cast<float*>(to)[j] = static_cast<float>(from[j]);
      }
    }
  });
  auto loaded = std::make_shared<MemorySource>(dtype, all, source->rows(), cols, cols, keep);
  loaded->names = source->names;
  loaded->stats = source->stats;
  return loaded;
}

Dataset dataset_of(const Table& table, const InputOptions& options, Context& ctx) {
  if (!options.text.column.empty()) return text_dataset(table, options, ctx);
  Dataset data;
  const std::vector<int64_t> features = feature_columns(table, options);
  refuse_text(table, features);
  if (features.empty()) fail(ErrorCode::kBadInput, "columns", "no numeric column is left", "name some with --columns");
  std::vector<int64_t> places;
  std::vector<std::string> names;
  for (const int64_t column : features) {
    places.push_back(table.columns[static_cast<size_t>(column)].index);
    names.push_back(table.columns[static_cast<size_t>(column)].name);
  }
  bool all = static_cast<int64_t>(places.size()) == table.numbers->cols();
  for (size_t i = 0; i < places.size(); ++i) all &= places[i] == static_cast<int64_t>(i);
  std::shared_ptr<Source> rows = table.numbers;
  if (!all) rows = std::make_shared<PickedColumns>(table.numbers, places);
  if (options.dtype == "float32" && rows->dtype() != DType::kF32) rows = std::make_shared<ConvertedSource>(rows, DType::kF32);
  if (options.dtype == "float64" && rows->dtype() != DType::kF64) rows = std::make_shared<ConvertedSource>(rows, DType::kF64);
  rows->names = names;
  rows->stats = measure(*rows, ctx);
  if (!options.label.empty()) data.labels = read_label(table, options.label, ctx);
  data.ids = row_names(table, options, data.id_name);
  data.content = content_of(*rows, data.labels, data.ids.get());
  data.account.in = table.rows + table.n_rejected();
  data.account.rejected = table.n_rejected();
  if (!rows->stats.clean() && options.nan != NanPolicy::kRefuse) {
    rows = without_missing(*rows, options.nan, data.kept, ctx);
    if (options.nan == NanPolicy::kDrop) {
      if (data.kept.empty())
        fail(ErrorCode::kBadInput, "rows", "every row has a missing value", "use --nan impute, or leave columns out with --exclude");
      data.account.dropped["missing value"] = table.rows - rows->rows();
      if (data.labels) data.labels->values = at_rows(data.labels->values, data.kept);
      if (rows->rows() == table.rows) data.kept.clear();
    }
    rows->stats = measure(*rows, ctx);
  }
  require_clean(*rows);
  data.rows = into_memory(std::move(rows), ctx);
  data.account.kept = data.rows->rows();
  data.account.check();
  if (!options.weight.empty()) attach_weights(data, weight_column(table, options.weight));
  return data;
}

Dataset open_dataset(const InputOptions& options, Context& ctx) {
  return dataset_of(open_table(options, ctx), options, ctx);
}

std::shared_ptr<TextColumn> row_names(const Table& table, const InputOptions& options, std::string& column) {
  const int64_t id = id_column(table, options);
  if (id < 0) return nullptr;
  column = table.columns[static_cast<size_t>(id)].name;
  return ids_of(table, id);
}

std::string table_content(const Table& table, Context& ctx) {
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  const auto text = [&](std::string_view value) {
    const uint64_t size = value.size();
    XXH3_128bits_update(&state, &size, sizeof size);
    XXH3_128bits_update(&state, value.data(), value.size());
  };
  if (table.numbers != nullptr) {
    if (!table.numbers->stats.measured) table.numbers->stats = measure(*table.numbers, ctx);
    XXH3_128bits_update(&state, table.numbers->stats.content.data(), 16);
  }
  for (const TableColumn& column : table.columns) text(column.name);
  for (const auto& column : table.texts) {
    for (int64_t i = 0; i < column->rows(); ++i) text(column->at(i));
  }
  const XXH128_hash_t digest = XXH3_128bits_digest(&state);
  return content_hex({digest.low64, digest.high64});
}

Matrix<double> read_matrix_file(const std::string& path, Context& ctx) {
  Context alone = ctx;
  alone.comm = nullptr;
  InputOptions options;
  options.inputs = {path};
  const Dataset data = open_dataset(options, alone);
  Matrix<double> out(data.rows->rows(), data.rows->cols());
  for (int64_t i = 0; i < out.rows; ++i) {
    const std::vector<double> row = read_row(*data.rows, i);
    std::copy(row.begin(), row.end(), out.row(i));
  }
  return out;
}

}  // namespace sluice
