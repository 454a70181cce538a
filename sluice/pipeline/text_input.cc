#include "sluice/pipeline/text_input.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cmath>

#include "sluice/pipeline/files.h"
#include "sluice/pipeline/record.h"
#include "sluice/preprocess/tokenise.h"

namespace sluice {
namespace {

TfidfParams params_of(const std::map<std::string, std::string>& given) {
  TfidfParams params;
  for (const auto& [name, text] : given) set_param(params, name, text);
  check_tfidf(params);
  return params;
}

bool is_file(const std::string& stop_words) {
  return stop_words != "auto" && stop_words != "english" && stop_words != "none";
}

StopWords own_stop_words(const TfidfParams& params) {
  if (!is_file(params.stop_words)) return {};
  const std::string text = read_text_file(params.stop_words);
  if (!is_utf8(text)) fail(ErrorCode::kBadInput, params.stop_words, "it is not valid UTF-8", "save it as UTF-8, one word a line");
  return stop_words_of(text);
}

void refuse_what_means_nothing(const InputOptions& options) {
  const auto refuse = [](const char* option, const char* why) { fail(ErrorCode::kUsage, option, why, "leave it out"); };
  if (!options.columns.empty()) refuse("--columns", "the features are the words of --text alone");
  if (!options.exclude.empty()) refuse("--exclude", "the features are the words of --text alone");
  if (options.nan != NanPolicy::kRefuse) refuse("--nan", "words have no missing values: an empty text is a row of zeros");
}

std::shared_ptr<TextColumn> column_of(const Table& table, const std::string& name) {
  const TableColumn& info = table.columns[static_cast<size_t>(table.find(name))];
  if (info.type != ColumnType::kText)
    fail(ErrorCode::kBadInput, "column " + info.name, "it holds numbers, and --text takes text",
         "leave out --text, or name another column");
  return table.texts[static_cast<size_t>(info.index)];
}

class Hash {
 public:
  Hash() { XXH3_128bits_reset(&state_); }
  void bytes(const void* data, size_t size) { XXH3_128bits_update(&state_, data, size); }
  void text(std::string_view value) {
    const uint64_t size = value.size();
    bytes(&size, sizeof size);
    bytes(value.data(), value.size());
  }
  std::array<uint64_t, 2> digest() const {
    const XXH128_hash_t digest = XXH3_128bits_digest(&state_);
    return {digest.low64, digest.high64};
  }

 private:
  XXH3_state_t state_;
};

// The texts as they were read, leaf by leaf, the column's name, labels and ids.
std::string content_of(const TextColumn& texts, const std::string& column, const std::optional<Labels>& labels, const TextColumn* ids) {
  constexpr int64_t kLeaf = 4096;
  Hash whole;
  for (int64_t first = 0; first < texts.rows(); first += kLeaf) {
    Hash leaf;
    for (int64_t i = first; i < std::min(texts.rows(), first + kLeaf); ++i) leaf.text(texts.at(i));
    const auto digest = leaf.digest();
    whole.bytes(digest.data(), sizeof digest);
  }
  whole.text(column);
  if (labels) {
    whole.bytes(labels->values.data(), labels->values.size() * 8);
    for (const std::string& name : labels->names) whole.text(name);
  }
  for (int64_t i = 0; ids != nullptr && i < ids->rows(); ++i) whole.text(ids->at(i));
  return content_hex(whole.digest());
}

std::string percent(double share) {
  return to_text(static_cast<int64_t>(std::floor(share * 100 + 0.5))) + " %";
}

std::vector<std::string> notes_of(const TfidfFit& fit, const TfidfParams& params) {
  std::vector<std::string> notes{to_text(static_cast<int64_t>(fit.model.vocabulary.size())) + " of " + to_text(fit.n_distinct) +
                                 " distinct words are kept (in at least " + params.min_df + " texts)"};
  if (params.min_df.find('.') != std::string::npos)
    notes[0] = to_text(static_cast<int64_t>(fit.model.vocabulary.size())) + " of " + to_text(fit.n_distinct) + " distinct words are kept";
  if (params.stop_words == "auto") {
    notes.push_back(percent(fit.english_share) + " of all words are English stop words: " +
                    (fit.english ? "the texts are English and those are left out" : "too few for English, no word is left out for it"));
  }
  return notes;
}

int64_t empty_rows(const CsrSource& rows) {
  int64_t empty = 0;
  BlockBuffer buffer;
  constexpr int64_t kStep = 4096;
  for (int64_t at = 0; at < rows.rows(); at += kStep) {
    const CsrBlock block = rows.read_csr(at, std::min(kStep, rows.rows() - at), buffer);
    for (int64_t i = 0; i < block.rows; ++i) empty += block.count(i) == 0 ? 1 : 0;
  }
  return empty;
}

// Fits or takes the vocabulary and makes the rows.
std::shared_ptr<TextFeatures> features_of(std::shared_ptr<TextColumn> texts, const InputOptions& options, Context& ctx) {
  auto out = std::make_shared<TextFeatures>();
  out->column = options.text.column;
  out->texts = std::move(texts);
  const TextColumn& column = *out->texts;
  const TextAt at = [&column](int64_t row) { return column.at(row); };
  if (options.text.fitted != nullptr) {
    out->model = *options.text.fitted;
  } else {
    const TfidfParams params = params_of(options.text.params);
    TfidfFit fit = tfidf_fit(column.rows(), at, params, own_stop_words(params), ctx);
    out->notes = notes_of(fit, params);
    out->model = std::move(fit.model);
    out->params = params_json(param_infos<TfidfParams>(), param_values(params));
  }
  out->params["text"] = out->column;
  out->rows = tfidf_rows(out->model, column.rows(), at, options.dtype == "float32", ctx);
  if (const int64_t empty = empty_rows(*out->rows); empty > 0)
    out->notes.push_back(to_text(empty) + " texts hold no word of the vocabulary and are rows of zeros");
  return out;
}

}  // namespace

std::vector<ParamInfo> text_param_infos() {
  return param_infos<TfidfParams>();
}

void check_text_params(const std::map<std::string, std::string>& given) {
  params_of(given);
}

Dataset text_dataset(const Table& table, const InputOptions& options, Context& ctx) {
  refuse_what_means_nothing(options);
  Dataset data;
  const std::shared_ptr<TextFeatures> text = features_of(column_of(table, options.text.column), options, ctx);
  if (!options.label.empty()) data.labels = read_label(table, options.label, ctx);
  data.ids = row_names(table, options, data.id_name);
  data.content = content_of(*text->texts, text->column, data.labels, data.ids.get());
  if (!options.weight.empty()) text->rows->set_weights(weight_column(table, options.weight));
  text->rows->stats = measure(*text->rows, ctx);
  data.rows = text->rows;
  data.text = text;
  data.account.in = table.rows + table.n_rejected();
  data.account.rejected = table.n_rejected();
  data.account.kept = table.rows;
  data.account.check();
  return data;
}

Json with_text_params(Json params, const Dataset& data) {
  if (data.text != nullptr && data.text->rows == data.rows) params.update(data.text->params);
  return params;
}

void put_text(const Dataset& data, ModelFile& model) {
  if (data.text == nullptr || data.text->rows != data.rows) return;
  const Json about = {{"column", data.text->column}, {"sublinear_tf", data.text->model.sublinear_tf}, {"unicode", unicode_version()}};
  model.about["text"] = about.dump(-1, ' ', false, Json::error_handler_t::replace);
  model.put("text_idf", std::span<const double>(data.text->model.idf));
}

InputOptions text_of_model(const ModelFile& model, InputOptions options) {
  const auto found = model.about.find("text");
  if (found == model.about.end()) {
    if (!options.text.column.empty())
      fail(ErrorCode::kUsage, "--text", "the model was not fitted on text", "leave it out, or fit a model with --text");
    return options;
  }
  if (!options.text.params.empty()) {
    std::string name = options.text.params.begin()->first;
    std::replace(name.begin(), name.end(), '_', '-');
    fail(ErrorCode::kUsage, "--" + name, "the model has its own", "leave it out");
  }
  const Json about = Json::parse(found->second, nullptr, false);
  if (!about.is_object() || !about.contains("column") || !about["column"].is_string() || !about.contains("sublinear_tf") ||
      !about["sublinear_tf"].is_boolean())
    model.damaged("what it says of its text can't be read");
  const Json words = Json::parse(model.text("features"), nullptr, false);
  if (!words.is_array() || words.empty()) model.damaged("its vocabulary can't be read");
  auto fitted = std::make_shared<TfidfModel>();
  for (const Json& word : words) {
    if (!word.is_string()) model.damaged("its vocabulary can't be read");
    fitted->vocabulary.push_back(word.get<std::string>());
  }
  if (!std::is_sorted(fitted->vocabulary.begin(), fitted->vocabulary.end(), std::less_equal<>()))
    model.damaged("its vocabulary is not in order");
  fitted->idf = model.vector("text_idf");
  if (fitted->idf.size() != fitted->vocabulary.size() ||
      !std::all_of(fitted->idf.begin(), fitted->idf.end(), [](double x) { return x >= 1 && x < 1e3; }))
    model.damaged("the weights of its words can't be");
  fitted->sublinear_tf = about["sublinear_tf"].get<bool>();
  if (options.text.column.empty()) options.text.column = about["column"].get<std::string>();
  options.text.fitted = std::move(fitted);
  return options;
}

}  // namespace sluice
