// UMAP by name and as a file: what the registry calls.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "sluice/core/error.h"
#include "sluice/reduce/umap.h"

namespace sluice {
namespace {

constexpr const char* kMetrics[] = {"euclidean", "manhattan", "cosine"};

Outcome outcome_of(Matrix<double> embedding, int64_t n_epochs) {
  Outcome out;
  out.result.put("n_iter", n_epochs);
  out.embedding_cols = embedding.cols;
  out.embedding = std::move(embedding);
  return out;
}

// Settings as tensors of one number, so that they keep their bits.
void put_one(ModelFile& file, const char* name, double value) {
  file.put(name, std::span<const double>(&value, 1));
}
void put_one(ModelFile& file, const char* name, int64_t value) {
  file.put(name, std::span<const int64_t>(&value, 1));
}

double number_of(const ModelFile& file, const char* name, double least, double most) {
  const std::vector<double> values = file.vector(name);
  if (values.size() != 1 || !(values[0] >= least && values[0] <= most)) file.damaged(std::string("its ") + name + " makes no sense");
  return values[0];
}

int64_t count_of(const ModelFile& file, const char* name, int64_t least, int64_t most) {
  const std::vector<int64_t> values = file.integers(name);
  if (values.size() != 1 || values[0] < least || values[0] > most) file.damaged(std::string("its ") + name + " makes no sense");
  return values[0];
}

uint64_t seed_of(const ModelFile& file) {
  const std::string& text = file.text("seed");
  uint64_t seed = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (problem != std::errc() || end != text.data() + text.size()) file.damaged("its seed is not a number");
  return seed;
}

}  // namespace

ModelFile umap_save(const UmapModel& model) {
  ModelFile file;
  file.about = {{"algorithm", "umap"}, {"metric", kMetrics[static_cast<int>(model.metric)]}, {"seed", std::to_string(model.seed)}};
  file.put("raw_data", model.rows);
  file.put("embedding", model.embedding);
  put_one(file, "a", model.a);
  put_one(file, "b", model.b);
  put_one(file, "n_neighbors", model.n_neighbors);
  put_one(file, "n_epochs", model.n_epochs);
  put_one(file, "negative_sample_rate", model.negative_sample_rate);
  put_one(file, "learning_rate", model.learning_rate);
  put_one(file, "local_connectivity", model.local_connectivity);
  put_one(file, "repulsion_strength", model.repulsion_strength);
  return file;
}

UmapModel umap_load(const ModelFile& file) {
  UmapModel model;
  const std::string& metric = file.text("metric");
  const auto* named = std::find(std::begin(kMetrics), std::end(kMetrics), metric);
  if (named == std::end(kMetrics)) file.damaged("it names no metric that is known");
  model.metric = static_cast<UmapMetric>(named - kMetrics);
  model.rows = file.matrix("raw_data");
  model.embedding = file.matrix("embedding");
  if (model.rows.rows < 1 || model.rows.cols < 1 || model.embedding.cols < 1) file.damaged("it holds no rows or no map");
  if (model.rows.rows != model.embedding.rows) file.damaged("its rows and their places are not as many");
  if (model.rows.rows > (int64_t{1} << 31) - 1) file.damaged("it holds more rows than a map can have");
  const auto endless = [](double x) { return std::fabs(x) >= 0x1p500; };
  if (std::ranges::any_of(model.rows.values, endless)) file.damaged("a row is too large to have distances");
  const auto far = [](double x) { return std::fabs(x) > 1e100; };
  if (std::ranges::any_of(model.embedding.values, far)) file.damaged("its places are out of sight");
  model.a = number_of(file, "a", 1e-300, 1e300);
  model.b = number_of(file, "b", 1e-6, 1e6);
  model.n_neighbors = count_of(file, "n_neighbors", 1, model.rows.rows);
  model.n_epochs = count_of(file, "n_epochs", 1, 1'000'000);
  model.negative_sample_rate = count_of(file, "negative_sample_rate", 0, 1000);
  model.seed = seed_of(file);
  model.learning_rate = number_of(file, "learning_rate", 1e-6, 1000);
  model.local_connectivity = number_of(file, "local_connectivity", 0, 1000);
  model.repulsion_strength = number_of(file, "repulsion_strength", 0, 1000);
  return model;
}

Outcome umap_run(const Source& rows, const UmapParams& params, Context& ctx) {
  UmapFit fit = umap_fit(rows, params, ctx);
  ModelFile file = umap_save(fit.model);
  Outcome out = outcome_of(std::move(fit.model.embedding), fit.model.n_epochs);
  out.model = std::move(file);
  if (fit.model.n_neighbors < params.n_neighbors)
    out.notes.push_back("there are only " + to_text(rows.rows()) + " rows, which make one neighbourhood");
  if (fit.n_parts > 1) {
    std::string note =
        "the neighbours fall into " + to_text(fit.n_parts) + " parts that no edge joins; their distances in the map mean nothing";
    if (params.init == UmapInit::kSpectral) note += ", and it started from the principal components";
    out.notes.push_back(note);
  } else if (fit.started != params.init) {
    out.notes.push_back("too few rows for a spectral start: it started at random");
  }
  return out;
}

Outcome umap_apply(const ModelFile& file, const Source& rows, Context& ctx) {
  const UmapModel model = umap_load(file);
  if (rows.cols() != model.rows.cols) {
    fail(ErrorCode::kBadInput, "columns",
         "the model was fitted on " + to_text(model.rows.cols) + " columns and there are " + to_text(rows.cols()),
         "choose the same columns with --columns");
  }
  return outcome_of(umap_transform(model, rows, ctx), model.n_epochs);
}

}  // namespace sluice
