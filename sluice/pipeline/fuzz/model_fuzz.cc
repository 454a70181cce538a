// A model file of any bytes is refused, or applied to a few rows or texts without harm, as `sluice apply` would.
#include <cstdint>
#include <cstring>
#include <random>

#include "sluice/core/error.h"
#include "sluice/core/statistics.h"
#include "sluice/pipeline/alerts.h"
#include "sluice/pipeline/registry.h"
#include "sluice/pipeline/text_input.h"
#include "sluice/preprocess/preprocess.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace sluice {
namespace {

// The words of a model's own text among strangers, or three rows of two columns, of which the model may have seen the first.
Dataset rows_for(const ModelFile& model, Context& ctx) {
  Dataset data;
  const InputOptions options = text_of_model(model, {});
  if (options.text.fitted != nullptr) {
    const std::string& word = options.text.fitted->vocabulary.front();
    const std::string texts[] = {word + " and " + word, "", "\xf0\x9f\x98\x80 none of it"};
    std::shared_ptr<CsrSource> rows = tfidf_rows(*options.text.fitted, 3, [&](int64_t i) { return std::string_view(texts[i]); }, true, ctx);
    rows->stats = measure(*rows, ctx);
    data.rows = rows;
    return data;
  }
  auto rows = std::make_shared<MemorySource>(std::vector<double>{0, 0, 1, 0.5, -3, 2}, 3, 2);
  rows->stats = measure(*rows, ctx);
  data.rows = rows;
  return data;
}

// Everything an outcome offers that apply would write.
void use(Outcome& outcome, const Dataset& data) {
  BlockBuffer buffer;
  const MatrixBlock rows = data.rows->read(0, data.rows->rows(), buffer);
  if (outcome.embed && outcome.embedding_cols < 100) {
    Matrix<double> embedded(rows.rows, outcome.embedding_cols);
    outcome.embed(rows, embedded.values.data());
    if (outcome.inverse) outcome.inverse(embedded);
  }
  std::vector<double> numbers(static_cast<size_t>(rows.rows));
  if (outcome.labels && outcome.distances) outcome.distances(rows, outcome.labels->at(0), numbers.data());
  if (outcome.score) outcome.score(rows, numbers.data());
  for (const OutcomeFile& file : outcome.files) file.write([](std::string_view) {});
}

void apply(std::span<const std::byte> file) {
  const ModelFile model = decode_model(file, "fuzz");
  if (model.text("algorithm") == "preprocess") {
    load_preprocess(model);
    return;
  }
  const Algorithm* algorithm = find_algorithm(model.text("algorithm"));
  if (algorithm == nullptr || algorithm->apply == nullptr) return;
  // A model may honestly ask for a million steps a row; here none is given that time.
  if (const auto epochs = model.tensors.find("n_epochs"); epochs != model.tensors.end()) {
    for (const int64_t n : model.integers("n_epochs")) {
      if (n > 100) return;
    }
  }
  Context ctx;
  const Dataset data = rows_for(model, ctx);
  Outcome outcome = algorithm->apply(model, *data.rows, ctx);
  if (algorithm->kind == Kind::kDetector) judge_new_rows(outcome, model, data, ctx);
  use(outcome, data);
}

// One number of one tensor becomes another, in a file whose form stays whole; false if the bytes are no model or it has no numbers.
bool change_number(std::span<const std::byte> bytes, std::minstd_rand& random, Bytes& out) {
  ModelFile model;
  try {
    model = decode_model(bytes, "fuzz");
  } catch (const Error&) {
    return false;
  }
  std::vector<Tensor*> numbers;
  for (auto& [name, tensor] : model.tensors) {
    if (tensor.data.size() >= 8) numbers.push_back(&tensor);
  }
  if (numbers.empty()) return false;
  Tensor& tensor = *numbers[random() % numbers.size()];
  std::byte* at = tensor.data.data() + 8 * (random() % (tensor.data.size() / 8));
  const double reals[] = {0, -0.0, -1, 0.5, 1e-310, 1e308, -1e308, 0x1p499};
  const int64_t integers[] = {-1, 0, 1, 2, 3, 7, static_cast<int64_t>(random() % 64), INT64_MAX, INT64_MIN, int64_t{1} << 31};
  if (random() % 4 == 0) {
    LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(at), 8, 8);
  } else if (tensor.dtype == "F64") {
    std::memcpy(at, &reals[random() % std::size(reals)], 8);
  } else {
    std::memcpy(at, &integers[random() % std::size(integers)], 8);
  }
  out = encode_model(model);
  return true;
}

}  // namespace
}  // namespace sluice

// Half of the changes leave the file's form whole, which bytes changed at random hardly ever do.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  sluice::Bytes changed;
  if (random() % 2 == 0 && sluice::change_number(std::as_bytes(std::span(data, size)), random, changed) && changed.size() <= max_size) {
    std::memcpy(data, changed.data(), changed.size());
    return changed.size();
  }
  return LLVMFuzzerMutate(data, size, max_size);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    sluice::apply(std::as_bytes(std::span(data, size)));
  } catch (const sluice::Error& error) {
    if (error.code == sluice::ErrorCode::kBug) throw;
  }
  return 0;
}
