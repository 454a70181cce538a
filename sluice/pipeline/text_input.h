// Rows from a column of text (--text): TF-IDF of its words (preprocess/tfidf.h), the vocabulary fitted on these texts or taken from a model.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "sluice/core/model_file.h"
#include "sluice/core/params.h"
#include "sluice/pipeline/input.h"
#include "sluice/preprocess/tfidf.h"

namespace sluice {

// What a text input knows beside its rows.
struct TextFeatures {
  std::string column;
  TfidfModel model;
  Json params;                        // column and resolved parameters, as summary.json and checkpoints name them
  std::shared_ptr<CsrSource> rows;    // one a text, columns named by the words
  std::shared_ptr<TextColumn> texts;  // as they were read
  std::vector<std::string> notes;     // sentences for people
};

// The parameters that go with --text, and whether given ones are in order (Error{kUsage}).
std::vector<ParamInfo> text_param_infos();
void check_text_params(const std::map<std::string, std::string>& given);

// dataset_of() for an input with a text column. An empty or missing text is a row of zeros. Collective; every rank makes the same rows.
// Throws Error{kBadInput} for a column that is no text or has no word left.
Dataset text_dataset(const Table& table, const InputOptions& options, Context& ctx);

// `params` with those of the text that the rows of `data` are, if they are; as fit_stage and checkpoints name them.
Json with_text_params(Json params, const Dataset& data);

// Into a model fitted on `data`, where its rows are those of a text: the key `text` (column, weighing) and the tensor `text_idf`, beside
// `features`, which are the words.
void put_text(const Dataset& data, ModelFile& model);
// The input as the model reads it: the column it was fitted on, unless --text names another, with its vocabulary. A model without text is
// left to the options, which may not name a text then.
InputOptions text_of_model(const ModelFile& model, InputOptions options);

}  // namespace sluice
