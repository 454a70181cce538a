// t-SNE by name: what the registry calls; and its model on disk.
#include <cmath>

#include "sluice/reduce/tsne.h"
#include "sluice/reduce/tsne_parts.h"

namespace sluice {
namespace {

constexpr double kLargest = 0x1p500;  // of a model's rows: their squares stay finite
constexpr double kWidest = 1e12;      // of a map

const char* name_of(kernels::Metric metric) {
  switch (metric) {
    case kernels::Metric::kManhattan:
      return "manhattan";
    case kernels::Metric::kCosine:
      return "cosine";
    default:
      return "euclidean";
  }
}

Matrix<double> all_rows(const Source& rows, Context& ctx) {
  Matrix<double> all(rows.rows(), rows.cols());
  Context alone = ctx;
  alone.comm = nullptr;
  detail::on_every_rank(ctx, [&] {
    map(rows, alone, [&](int, const MatrixBlock& leaf) {
      for (int64_t i = 0; i < leaf.rows; ++i) {
        double* to = all.row(leaf.first_row + i);
        const double* from = leaf.row(i, to);
        if (from != to) std::copy_n(from, leaf.cols, to);
      }
    });
  });
  return all;
}

TsneModel load(const ModelFile& file) {
  TsneModel model;
  model.rows = file.matrix("rows");
  model.embedding = file.matrix("embedding");
  const std::vector<double> perplexity = file.vector("perplexity");
  const std::string& metric = file.text("metric");
  if (metric != "euclidean" && metric != "manhattan" && metric != "cosine") file.damaged("it names no metric that is known");
  if (metric != "euclidean") model.metric = metric == "manhattan" ? kernels::Metric::kManhattan : kernels::Metric::kCosine;
  if (perplexity.size() != 1 || !(perplexity[0] > 0)) file.damaged("its perplexity is none");
  model.perplexity = perplexity[0];
  if (model.rows.rows < 4 || model.rows.cols < 1) file.damaged("it holds too few rows");
  if (model.embedding.rows != model.rows.rows) file.damaged("its map has other rows than it was made of");
  if (model.embedding.cols != 2 && model.embedding.cols != 3) file.damaged("its map has neither 2 nor 3 columns");
  for (const double x : model.rows.values) {
    if (!(std::fabs(x) < kLargest)) file.damaged("a row is too large to have distances");
  }
  for (const double x : model.embedding.values) {
    if (!(std::fabs(x) < kWidest)) file.damaged("its map is too wide");
  }
  return model;
}

Figure curve(const TsneFit& fit) {
  Figure figure;
  figure.title = "KL divergence";
  figure.x_name = "step";
  figure.y_name = "KL divergence";
  figure.note = "How far the map's neighbourhoods are from those of the rows, in nats. It should have flattened out; else give more steps.";
  figure.lines.push_back({"", fit.iteration, fit.divergence, {}, {}});
  return figure;
}

}  // namespace

Outcome tsne_run(const Source& rows, const TsneParams& params, Context& ctx) {
  if (rows.max_weight() > 0) fail(ErrorCode::kUsage, "--weight", "rows have no weights in a map", "leave it out");
  TsneFit fit = tsne_fit(rows, params, ctx);
  Outcome out;
  out.result.put("n_iter", fit.n_iter);
  out.result.put("kl_divergence", fit.kl_divergence);
  out.result.put("kl_kind", fit.kl_exact ? "exact" : "interpolated");
  out.result.put("method", fit.grid ? "fft" : "exact");
  out.result.put("perplexity", fit.perplexity);
  if (fit.perplexity < params.perplexity) {
    out.notes.push_back("perplexity " + to_text(params.perplexity) + " is more than " + to_text(rows.rows()) + " rows can have; " +
                        to_text(fit.perplexity) + " was used, (rows - 1) / 3");
  }
  if (!fit.iteration.empty()) out.figures.push_back(curve(fit));
  out.model.about = {{"algorithm", "tsne"}, {"metric", name_of(params.metric)}};
  out.model.put("rows", all_rows(rows, ctx));
  out.model.put("embedding", fit.embedding);
  const std::vector<double> perplexity = {fit.perplexity};
  out.model.put("perplexity", perplexity);
  out.embedding = std::move(fit.embedding);
  return out;
}

Outcome tsne_apply(const ModelFile& file, const Source& rows, Context& ctx) {
  const TsneModel model = load(file);
  require_clean(rows);
  if (rows.cols() != model.rows.cols) {
    fail(ErrorCode::kBadInput, "columns",
         "the model was fitted on " + to_text(model.rows.cols) + " columns and there are " + to_text(rows.cols()),
         "choose the same columns with --columns");
  }
  Outcome out;
  out.result.put("perplexity", model.perplexity);
  out.embedding = tsne_place(model, rows, ctx);
  return out;
}

}  // namespace sluice
