// The fitted steps as a model file: tensors for the numbers, one run of bytes for all texts (levels may hold any bytes).
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "sluice/preprocess/preprocess.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

// Texts one after another, each ending at its number in text_ends.
struct Texts {
  std::vector<uint8_t> bytes;
  std::vector<int64_t> ends;
  void add(const std::string& text) {
    bytes.insert(bytes.end(), text.begin(), text.end());
    ends.push_back(static_cast<int64_t>(bytes.size()));
  }
};

class TextReader {
 public:
  explicit TextReader(const ModelFile& file) : file_(file), bytes_(file.bytes("texts")), ends_(file.integers("text_ends")) {
    int64_t last = 0;
    for (const int64_t end : ends_) {
      if (end < last || end > static_cast<int64_t>(bytes_.size())) file.damaged("its texts overlap");
      last = end;
    }
    if (last != static_cast<int64_t>(bytes_.size())) file.damaged("its texts have bytes left over");
  }
  std::string next() {
    if (at_ >= ends_.size()) file_.damaged("it holds too few texts");
    const int64_t begin = at_ == 0 ? 0 : ends_[at_ - 1];
    const int64_t end = ends_[at_++];
    return {bytes_.begin() + begin, bytes_.begin() + end};
  }
  int64_t left() const { return static_cast<int64_t>(ends_.size() - at_); }

 private:
  const ModelFile& file_;
  std::vector<uint8_t> bytes_;
  std::vector<int64_t> ends_;
  size_t at_ = 0;
};

std::string params_json(const PreprocessParams& params) {
  std::string text;
  for (const auto& [name, value] : param_values(params)) text += (text.empty() ? "{" : ",") + json_quoted(name) + ":" + value;
  return text + "}";
}

PreprocessParams read_params(const ModelFile& file) {
  PreprocessParams params;
  const Json json = Json::parse(file.text("params"), nullptr, false);
  if (json.is_discarded() || !json.is_object() || json.size() != param_values(params).size()) file.damaged("its parameters can't be read");
  for (const auto& [name, value] : json.items()) {
    try {
      set_param(params, name, value.is_string() ? value.get<std::string>() : value.dump());
    } catch (const Error& error) {
      file.damaged("its parameters are not possible (" + error.where + ")");
    }
  }
  if (params.scale == Scale::kAuto) file.damaged("its scaling was never decided");
  return params;
}

PreprocessInput read_input(const ModelFile& file, TextReader& texts, int64_t flags, int64_t levels, double fill, double low, double high) {
  PreprocessInput in;
  in.name = texts.next();
  in.fill_text = texts.next();
  if (flags < 0 || flags > 7) file.damaged("a column is of no known kind");
  in.text = (flags & 1) != 0;
  in.used = (flags & 2) != 0;
  in.other = (flags & 4) != 0;
  in.fill = fill;
  in.low = low;
  in.high = high;
  if (!(low <= high)) file.damaged("limits of a column are the wrong way round");
  if (levels < 0 || levels > texts.left() || (levels > 0 && !in.text)) file.damaged("a column has an impossible number of levels");
  for (int64_t i = 0; i < levels; ++i) {
    in.levels.push_back(texts.next());
    if (in.levels.back().empty() || (i > 0 && !(in.levels[static_cast<size_t>(i) - 1] < in.levels.back())))
      file.damaged("levels are out of order");
  }
  return in;
}

}  // namespace

ModelFile save_preprocess(const PreprocessModel& model) {
  ModelFile file;
  file.about["algorithm"] = "preprocess";
  file.about["params"] = params_json(model.params);
  std::string features;
  std::vector<int64_t> flags, levels, input, level;
  std::vector<double> fill, low, high, center, scale;
  Texts texts;
  for (const PreprocessInput& in : model.inputs) {
    features += (features.empty() ? "[" : ",") + json_quoted(in.name);
    flags.push_back((in.text ? 1 : 0) + (in.used ? 2 : 0) + (in.other ? 4 : 0));
    levels.push_back(static_cast<int64_t>(in.levels.size()));
    fill.push_back(in.fill);
    low.push_back(in.low);
    high.push_back(in.high);
    texts.add(in.name);
    texts.add(in.fill_text);
    for (const std::string& text : in.levels) texts.add(text);
  }
  for (const PreprocessOutput& out : model.outputs) {
    texts.add(out.name);
    input.push_back(out.input);
    level.push_back(out.level);
    center.push_back(out.center);
    scale.push_back(out.scale);
  }
  file.about["features"] = features.empty() ? "[]" : features + "]";
  file.put("input_flags", std::span<const int64_t>(flags));
  file.put("input_levels", std::span<const int64_t>(levels));
  file.put("statistics", std::span<const double>(fill));
  file.put("lower", std::span<const double>(low));
  file.put("upper", std::span<const double>(high));
  file.put("output_input", std::span<const int64_t>(input));
  file.put("output_level", std::span<const int64_t>(level));
  file.put("center", std::span<const double>(center));
  file.put("scale", std::span<const double>(scale));
  file.put("texts", std::span<const uint8_t>(texts.bytes));
  file.put("text_ends", std::span<const int64_t>(texts.ends));
  return file;
}

PreprocessModel load_preprocess(const ModelFile& file) {
  if (file.text("algorithm") != "preprocess") file.damaged("it is a model of " + file.text("algorithm") + ", not of preprocess");
  PreprocessModel model;
  model.params = read_params(file);
  const auto flags = file.integers("input_flags");
  const auto levels = file.integers("input_levels");
  const auto fill = file.vector("statistics"), low = file.vector("lower"), high = file.vector("upper");
  if (levels.size() != flags.size() || fill.size() != flags.size() || low.size() != flags.size() || high.size() != flags.size()) {
    file.damaged("its columns have different numbers");
  }
  TextReader texts(file);
  for (size_t i = 0; i < flags.size(); ++i) model.inputs.push_back(read_input(file, texts, flags[i], levels[i], fill[i], low[i], high[i]));
  const auto input = file.integers("output_input"), level = file.integers("output_level");
  const auto center = file.vector("center"), scale = file.vector("scale");
  if (level.size() != input.size() || center.size() != input.size() || scale.size() != input.size() || input.empty()) {
    file.damaged("its outputs have different numbers");
  }
  for (size_t i = 0; i < input.size(); ++i) {
    if (input[i] < 0 || input[i] >= static_cast<int64_t>(model.inputs.size())) file.damaged("an output is of no input");
    const PreprocessInput& in = model.inputs[static_cast<size_t>(input[i])];
    const auto most = in.text ? static_cast<int64_t>(in.levels.size()) - (in.other ? 0 : 1) : -1;
    if (!in.used || level[i] < -1 || level[i] > most) file.damaged("an output is of a level that there is not");
    if (!(scale[i] > 0)) file.damaged("a scale is not positive");
    model.outputs.push_back({texts.next(), input[i], level[i], center[i], scale[i]});
  }
  if (texts.left() != 0) file.damaged("it holds texts left over");
  return model;
}

}  // namespace sluice
