// DBSCAN by name: what the registry calls; and its model on disk.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "sluice/cluster/dbscan.h"
#include "sluice/cluster/means.h"

namespace sluice {
namespace {

const char* name_of(DbscanMetric metric) {
  switch (metric) {
    case DbscanMetric::kManhattan:
      return "manhattan";
    case DbscanMetric::kCosine:
      return "cosine";
    default:
      return "euclidean";
  }
}

// The core rows of all ranks as float64, on every rank.
Matrix<double> core_rows(const Source& rows, const RowColumn<uint8_t>& core, int64_t n_core, Context& ctx) {
  const double bytes =
      24.0 * static_cast<double>(n_core) * static_cast<double>(rows.cols());  // here, in the model, and as its file is made
  if (bytes > static_cast<double>(ctx.memory)) {
    fail(ErrorCode::kMemory, "dbscan",
         "the model holds " + std::to_string(n_core) + " core rows, which takes " + std::to_string(static_cast<int64_t>(bytes)) +
             " bytes of the budget of " + std::to_string(ctx.memory),
         "give a larger --memory");
  }
  std::vector<double> mine;
  mine.reserve(static_cast<size_t>(std::count(core.at(core.first_row()), core.at(core.last_row()), 1) * rows.cols()));
  BlockBuffer buffer;
  std::vector<double> scratch(static_cast<size_t>(rows.cols()));
  const LeafRange range = leaf_range(rows.rows(), rows.cols(), ctx);
  LeafRange once{1, ctx.ranks(), ctx.rank(), ctx.rank() + 1, ctx.ranks()};
  for_each_leaf(once, ctx, [&](int, int64_t) {
    for (int64_t leaf = range.first; leaf < range.last; ++leaf) {
      const int64_t first = leaf * range.rows_per_leaf;
      const MatrixBlock block = rows.read(first, std::min(range.rows_per_leaf, range.rows - first), buffer);
      for (int64_t i = 0; i < block.rows; ++i) {
        if (core[first + i] == 0) continue;
        const double* x = block.row(i, scratch.data());
        mine.insert(mine.end(), x, x + block.cols);
      }
    }
  });
  Matrix<double> all;
  all.rows = n_core;
  all.cols = rows.cols();
  if (ctx.ranks() == 1) {
    all.values = std::move(mine);
    return all;
  }
  for (const Bytes& part : ctx.comm->all_gather(std::as_bytes(std::span<const double>(mine)))) {
    const size_t before = all.values.size();
    all.values.resize(before + part.size() / sizeof(double));
    if (!part.empty()) std::memcpy(all.values.data() + before, part.data(), part.size());
  }
  return all;
}

ModelFile save(const DbscanFit& fit, const Source& rows, const DbscanParams& params, Context& ctx) {
  const std::vector<int32_t> labels = gather(fit.labels, ctx);
  const std::vector<uint8_t> core = gather(fit.core, ctx);
  std::vector<int64_t> indices, core_labels;
  for (size_t i = 0; i < core.size(); ++i) {
    if (core[i] == 0) continue;
    indices.push_back(static_cast<int64_t>(i));
    core_labels.push_back(labels[i]);
  }
  ModelFile model;
  model.about = {{"algorithm", "dbscan"}, {"metric", name_of(params.metric)}};
  model.put("components", core_rows(rows, fit.core, fit.n_core, ctx));
  model.put("core_sample_indices", indices);
  model.put("labels", core_labels);
  const std::vector<double> eps = {params.eps};
  const std::vector<int64_t> counts = {params.min_samples};
  model.put("eps", eps);
  model.put("min_samples", counts);
  return model;
}

// The labels are those of clusters numbered by their first core row.
bool numbered_in_order(const std::vector<int64_t>& labels) {
  int64_t seen = 0;
  for (const int64_t label : labels) {
    if (label < 0 || label > seen) return false;
    if (label == seen) ++seen;
  }
  return seen < (int64_t{1} << 31);
}

DbscanModel load(const ModelFile& file) {
  DbscanModel model;
  model.components = file.matrix("components");
  model.core_sample_indices = file.integers("core_sample_indices");
  model.labels = file.integers("labels");
  const std::vector<double> eps = file.vector("eps");
  const std::vector<int64_t> min_samples = file.integers("min_samples");
  const std::string& metric = file.text("metric");
  if (metric != "euclidean" && metric != "manhattan" && metric != "cosine") file.damaged("it names no metric that is known");
  model.metric = metric == "manhattan" ? DbscanMetric::kManhattan : metric == "cosine" ? DbscanMetric::kCosine : DbscanMetric::kEuclidean;
  if (eps.size() != 1 || !(eps[0] > 0) || min_samples.size() != 1 || min_samples[0] < 1) file.damaged("its eps or min_samples is none");
  model.eps = eps[0];
  model.min_samples = min_samples[0];
  const auto count = static_cast<size_t>(model.components.rows);
  if (model.core_sample_indices.size() != count || model.labels.size() != count)
    file.damaged("its core rows, their numbers and their labels are not equally many");
  if (model.components.cols < 1) file.damaged("its core rows have no columns");
  for (size_t i = 0; i < count; ++i) {
    const int64_t before = i == 0 ? -1 : model.core_sample_indices[i - 1];
    if (model.core_sample_indices[i] <= before) file.damaged("the numbers of its core rows do not ascend");
  }
  if (!numbered_in_order(model.labels)) file.damaged("its clusters are not numbered by their first core row");
  for (const double x : model.components.values) {
    if (!(std::fabs(x) < 0x1p500)) file.damaged("a core row is too large to have distances");
  }
  if (file.has("cluster_centers")) model.cluster_centers = file.matrix("cluster_centers");
  model.n_clusters = count == 0 ? 0 : *std::max_element(model.labels.begin(), model.labels.end()) + 1;
  if (!model.cluster_centers.empty() &&
      (model.cluster_centers.rows != model.n_clusters || model.cluster_centers.cols != model.components.cols)) {
    file.damaged("it has other centres than clusters");
  }
  return model;
}

}  // namespace

Outcome dbscan_run(const Source& rows, const DbscanParams& params, Context& ctx) {
  DbscanFit fit = dbscan_fit(rows, params, ctx);
  Outcome out;
  out.model = save(fit, rows, params, ctx);
  out.result.put("n_clusters", fit.n_clusters);
  out.result.put("n_noise", fit.n_noise);
  out.result.put("n_core", fit.n_core);
  if (fit.n_clusters == 0)
    out.notes.push_back("no row has min_samples rows within eps: all are noise; a larger eps or a smaller min_samples finds clusters");
  if (fit.n_clusters == 1 && fit.n_noise == 0) out.notes.push_back("all rows are one cluster; a smaller eps tells more apart");
  out.centers = cluster_means(rows, fit.labels, fit.n_clusters, ctx);
  if (!out.centers.empty()) out.model.put("cluster_centers", out.centers);
  if (fit.n_clusters > 0 && out.centers.empty()) out.notes.push_back("there are too many clusters and columns to list the means");
  out.labels = std::move(fit.labels);
  return out;
}

Outcome dbscan_apply(const ModelFile& file, const Source& rows, Context& ctx) {
  const DbscanModel model = load(file);
  require_clean(rows);
  if (rows.cols() != model.components.cols) {
    fail(ErrorCode::kBadInput, "columns",
         "the model was fitted on " + std::to_string(model.components.cols) + " columns and there are " + std::to_string(rows.cols()),
         "choose the same columns with --columns");
  }
  Outcome out;
  out.labels = dbscan_assign(model, rows, ctx);
  std::vector<int64_t> noise = {std::count(out.labels->at(out.labels->first_row()), out.labels->at(out.labels->last_row()), -1)};
  if (ctx.ranks() > 1) ctx.comm->sum(noise);
  out.result.put("n_clusters", model.n_clusters);
  out.result.put("n_noise", noise[0]);
  out.result.put("n_core", model.components.rows);
  out.centers = model.cluster_centers;
  return out;
}

}  // namespace sluice
