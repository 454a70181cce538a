// HDBSCAN by name: what the registry calls; and its model on disk.
#include <algorithm>
#include <cmath>

#include "sluice/cluster/hdbscan.h"
#include "sluice/cluster/kmeans_init.h"
#include "sluice/cluster/means.h"
#include "sluice/core/memory.h"

namespace sluice {
namespace {

constexpr size_t kMostBranches = 2000;  // of the tree on the page

const char* name_of(HdbscanMetric metric) {
  switch (metric) {
    case HdbscanMetric::kManhattan:
      return "manhattan";
    case HdbscanMetric::kCosine:
      return "cosine";
    default:
      return "euclidean";
  }
}

// All rows as float64, on every rank.
Matrix<double> all_rows(const Source& rows, Context& ctx) {
  Matrix<double> out(rows.rows(), rows.cols());
  on_every_rank(ctx, [&] {
    BlockBuffer buffer;
    const LeafRange range = leaf_range(rows.rows(), rows.cols(), Context{});
    for (int64_t first = 0; first < rows.rows(); first += range.rows_per_leaf) {
      const MatrixBlock block = rows.read(first, std::min(range.rows_per_leaf, rows.rows() - first), buffer);
      std::vector<double> scratch(static_cast<size_t>(rows.cols()));
      for (int64_t i = 0; i < block.rows; ++i) {
        const double* x = block.row(i, scratch.data());
        std::copy(x, x + block.cols, out.row(first + i));
      }
    }
  });
  return out;
}

template <class T>
std::vector<int64_t> wide(const std::vector<T>& values) {
  return {values.begin(), values.end()};
}
// A model holds finite numbers only: what is infinite becomes the largest double, and back.
std::vector<double> finite(std::vector<double> values) {
  for (double& x : values) x = std::min(x, std::numeric_limits<double>::max());
  return values;
}
std::vector<double> with_infinity(std::vector<double> values) {
  for (double& x : values) x = x == std::numeric_limits<double>::max() ? std::numeric_limits<double>::infinity() : x;
  return values;
}

ModelFile save(const HdbscanFit& fit, const Matrix<double>& rows, const HdbscanParams& params) {
  ModelFile model;
  model.about = {{"algorithm", "hdbscan"}, {"metric", name_of(params.metric)}};
  model.put("components", rows);
  model.put("labels", wide(fit.labels));
  model.put("probabilities", fit.probabilities);
  model.put("outlier_scores", fit.outlier_scores);
  model.put("core_distances", finite(fit.core_distances));
  model.put("row_cluster", fit.tree.row_cluster);
  model.put("row_lambda", finite(fit.tree.row_lambda));
  model.put("tree_parent", fit.tree.parent);
  model.put("tree_birth", fit.tree.birth);
  model.put("tree_label", wide(fit.choice.label));
  model.put("tree_densest", fit.choice.densest);
  model.put("least_lambda", finite(fit.choice.least_lambda));
  model.put("full_lambda", fit.choice.full_lambda);
  const std::vector<double> alpha = {params.alpha};
  const std::vector<int64_t> min_samples = {params.min_samples.value_or(params.min_cluster_size)};
  model.put("alpha", alpha);
  model.put("min_samples", min_samples);
  return model;
}

bool all_within(const std::vector<double>& values, double low, double high) {
  return std::all_of(values.begin(), values.end(), [&](double x) { return x >= low && x <= high; });
}
bool all_within(const std::vector<int64_t>& values, int64_t low, int64_t high) {
  return std::all_of(values.begin(), values.end(), [&](int64_t x) { return x >= low && x <= high; });
}

void check_tree(const ModelFile& file, const HdbscanFit& fit) {
  const CondensedTree& tree = fit.tree;
  const size_t clusters = tree.parent.size();
  if (clusters < 1 || tree.birth.size() != clusters || fit.choice.label.size() != clusters || fit.choice.densest.size() != clusters)
    file.damaged("its tree's lists are not equally long");
  if (tree.parent[0] != -1 || tree.birth[0] != 0) file.damaged("its tree does not begin with a root");
  for (size_t c = 1; c < clusters; ++c) {
    if (tree.parent[c] < 0 || tree.parent[c] >= static_cast<int64_t>(c)) file.damaged("its tree is none");
    if (!(tree.birth[c] >= tree.birth[static_cast<size_t>(tree.parent[c])]))
      file.damaged("a cluster of its tree is born before its parent");
  }
  if (!all_within(fit.choice.densest, 0, std::numeric_limits<double>::max())) file.damaged("a level of its tree is below 0");
}

void check_rows(const ModelFile& file, const HdbscanFit& fit, size_t n) {
  for (const size_t size : {fit.labels.size(), fit.probabilities.size(), fit.outlier_scores.size(), fit.core_distances.size(),
                            fit.tree.row_cluster.size(), fit.tree.row_lambda.size()}) {
    if (size != n) file.damaged("its rows and what is said of them are not equally many");
  }
  constexpr double kMax = std::numeric_limits<double>::infinity();
  if (!all_within(fit.probabilities, 0, 1) || !all_within(fit.outlier_scores, 0, 1))
    file.damaged("a probability or score lies outside 0 to 1");
  if (!all_within(fit.core_distances, 0, kMax) || !all_within(fit.tree.row_lambda, 0, kMax)) file.damaged("a distance or level is below 0");
  if (!all_within(fit.tree.row_cluster, 0, fit.tree.clusters() - 1)) file.damaged("a row's cluster is not in its tree");
}

// Labels of the file, which must be those of clusters numbered from 0 without a gap.
std::vector<int32_t> checked_labels(const ModelFile& file, const std::string& name, int64_t n_clusters) {
  const std::vector<int64_t> labels = file.integers(name);
  if (!all_within(labels, -1, n_clusters - 1)) file.damaged("it labels by a cluster it does not have");
  return {labels.begin(), labels.end()};
}

HdbscanModel load_model(const ModelFile& file) {
  HdbscanModel model;
  model.components = file.matrix("components");
  HdbscanFit& fit = model.fit;
  fit.choice.least_lambda = with_infinity(file.vector("least_lambda"));
  fit.choice.full_lambda = file.vector("full_lambda");
  fit.n_clusters = static_cast<int64_t>(fit.choice.least_lambda.size());
  if (fit.choice.full_lambda.size() != fit.choice.least_lambda.size()) file.damaged("it has other levels than clusters");
  if (!all_within(fit.choice.full_lambda, 0, std::numeric_limits<double>::max())) file.damaged("a level of its clusters is below 0");
  fit.labels = checked_labels(file, "labels", fit.n_clusters);
  fit.choice.label = checked_labels(file, "tree_label", fit.n_clusters);
  fit.probabilities = file.vector("probabilities");
  fit.outlier_scores = file.vector("outlier_scores");
  fit.core_distances = with_infinity(file.vector("core_distances"));
  fit.tree.row_cluster = file.integers("row_cluster");
  fit.tree.row_lambda = with_infinity(file.vector("row_lambda"));
  fit.tree.parent = file.integers("tree_parent");
  fit.tree.birth = file.vector("tree_birth");
  fit.choice.densest = file.vector("tree_densest");
  if (model.components.rows < 1 || model.components.cols < 1) file.damaged("it holds no rows");
  check_tree(file, fit);
  check_rows(file, fit, static_cast<size_t>(model.components.rows));
  for (const double x : model.components.values) {
    if (!(std::fabs(x) < 0x1p500)) file.damaged("a row is too large to have distances");
  }
  const std::string& metric = file.text("metric");
  if (metric != "euclidean" && metric != "manhattan" && metric != "cosine") file.damaged("it names no metric that is known");
  model.metric = metric == "manhattan" ? HdbscanMetric::kManhattan
                 : metric == "cosine"  ? HdbscanMetric::kCosine
                                       : HdbscanMetric::kEuclidean;
  const std::vector<double> alpha = file.vector("alpha");
  const std::vector<int64_t> min_samples = file.integers("min_samples");
  if (alpha.size() != 1 || !all_within(alpha, 1e-6, 1e6) || min_samples.size() != 1 || !all_within(min_samples, 1, (int64_t{1} << 31) - 1))
    file.damaged("its alpha or min_samples is none");
  model.alpha = alpha[0];
  model.min_samples = min_samples[0];
  if (file.has("cluster_centers")) model.cluster_centers = file.matrix("cluster_centers");
  if (!model.cluster_centers.empty() &&
      (model.cluster_centers.rows != fit.n_clusters || model.cluster_centers.cols != model.components.cols))
    file.damaged("it has other centres than clusters");
  return model;
}

template <class T>
RowColumn<T> own_rows(const std::vector<T>& all, const LeafRange& range) {
  RowColumn<T> mine(range, T{});
  std::copy(all.begin() + range.first_row(), all.begin() + range.last_row(), mine.at(range.first_row()));
  return mine;
}

OutcomeArray array_of(const char* name, const RowColumn<double>& values) {
  const int64_t first = values.first_row();
  return outcome_array<double>(name, "<f8", 0, first,
                               std::span<const double>(values.at(first), static_cast<size_t>(values.last_row() - first)));
}

// The tree for the page: all of it, or its largest clusters, which are closed upwards.
OutcomeTree page_tree(const HdbscanFit& fit) {
  const CondensedTree& tree = fit.tree;
  std::vector<int64_t> sizes = tree.size;
  int64_t least = 0;
  if (sizes.size() > kMostBranches) {
    std::nth_element(sizes.begin(), sizes.begin() + kMostBranches, sizes.end(), std::greater<>());
    least = sizes[kMostBranches] + 1;
  }
  std::vector<double> death = tree.birth;
  for (size_t i = 0; i < tree.row_cluster.size(); ++i) {
    double& mine = death[static_cast<size_t>(tree.row_cluster[i])];
    if (std::isfinite(tree.row_lambda[i])) mine = std::max(mine, tree.row_lambda[i]);
  }
  for (size_t c = 1; c < death.size(); ++c) {
    double& above = death[static_cast<size_t>(tree.parent[c])];
    above = std::max(above, tree.birth[c]);
  }
  OutcomeTree out;
  out.level_name = "lambda = 1 / reach";
  std::vector<int64_t> number(tree.parent.size(), -1);
  for (size_t c = 0; c < tree.parent.size(); ++c) {
    if (c > 0 && (tree.size[c] < least || number[static_cast<size_t>(tree.parent[c])] < 0)) continue;
    number[c] = static_cast<int64_t>(out.branches.size());
    out.branches.push_back({c == 0 ? -1 : number[static_cast<size_t>(tree.parent[c])], tree.birth[c], death[c], tree.size[c], -1});
  }
  for (size_t label = 0; label < fit.choice.cluster.size(); ++label) {
    const int64_t at = number[static_cast<size_t>(fit.choice.cluster[label])];
    if (at >= 0) out.branches[static_cast<size_t>(at)].label = static_cast<int32_t>(label);
  }
  return out;
}

void explain(const HdbscanFit& fit, const HdbscanParams& params, Outcome& out) {
  const auto n = static_cast<int64_t>(fit.labels.size());
  const int64_t min_samples = params.min_samples.value_or(params.min_cluster_size);
  if (n < min_samples || n < params.min_cluster_size) {
    out.notes.push_back("all rows are noise: " + to_text(n) + (n == 1 ? " row is" : " rows are") + " fewer than min_cluster_size (" +
                        to_text(params.min_cluster_size) + ") or min_samples (" + to_text(min_samples) + ")");
  } else if (fit.n_clusters == 0) {
    out.notes.push_back(
        "no cluster splits off: all rows are noise; --allow-single-cluster takes them as one, a smaller --min-cluster-size finds smaller "
        "ones");
  }
}

}  // namespace

Outcome hdbscan_run(const Source& rows, const HdbscanParams& params, Context& ctx) {
  // The model's rows and its own copy of them, beside what the fit leaves of each row.
  require_left("hdbscan", "the model, which holds all " + to_text(rows.rows()) + " rows,",
               static_cast<double>(rows.rows()) * (16.0 * static_cast<double>(rows.cols()) + 220), rows, ctx,
               "give a larger --memory, or take a sample");
  const HdbscanFit fit = hdbscan_fit(rows, params, ctx);
  const auto n = static_cast<int64_t>(fit.labels.size());
  Outcome out;
  out.model = save(fit, all_rows(rows, ctx), params);
  std::vector<int64_t> sizes(static_cast<size_t>(fit.n_clusters));
  for (const int32_t label : fit.labels) {
    if (label >= 0) ++sizes[static_cast<size_t>(label)];
  }
  std::vector<double> stability;
  for (const int64_t c : fit.choice.cluster) stability.push_back(fit.choice.stability[static_cast<size_t>(c)]);
  out.result.put("n_clusters", fit.n_clusters);
  out.result.put("n_noise", fit.n_noise);
  out.result.put("n_core", n - fit.n_noise);
  out.result.put("cluster_sizes", sizes);
  out.result.put("cluster_stability", stability);
  out.result.put("n_tree_clusters", fit.tree.clusters());
  out.result.put("min_samples", params.min_samples.value_or(params.min_cluster_size));
  out.result.put("metric", name_of(params.metric));
  explain(fit, params, out);
  const LeafRange range = leaf_range(rows.rows(), rows.cols(), ctx);
  out.labels = own_rows(fit.labels, range);
  out.arrays.push_back(array_of("probabilities", own_rows(fit.probabilities, range)));
  out.arrays.push_back(array_of("outlier_scores", own_rows(fit.outlier_scores, range)));
  out.tree = page_tree(fit);
  out.centers = cluster_means(rows, *out.labels, fit.n_clusters, ctx);
  if (!out.centers.empty()) out.model.put("cluster_centers", out.centers);
  if (fit.n_clusters > 0 && out.centers.empty()) out.notes.push_back("there are too many clusters and columns to list the means");
  return out;
}

Outcome hdbscan_apply(const ModelFile& file, const Source& rows, Context& ctx) {
  const HdbscanModel model = load_model(file);
  require_clean(rows);
  if (rows.cols() != model.components.cols) {
    fail(ErrorCode::kBadInput, "columns",
         "the model was fitted on " + to_text(model.components.cols) + " columns and there are " + to_text(rows.cols()),
         "choose the same columns with --columns");
  }
  HdbscanLabels found = hdbscan_assign(model, rows, ctx);
  Outcome out;
  std::vector<int64_t> noise = {std::count(found.labels.at(found.labels.first_row()), found.labels.at(found.labels.last_row()), -1)};
  if (ctx.ranks() > 1) ctx.comm->sum(noise);
  out.result.put("n_clusters", model.fit.n_clusters);
  out.result.put("n_noise", noise[0]);
  out.result.put("n_core", rows.rows() - noise[0]);
  out.arrays.push_back(array_of("probabilities", found.probabilities));
  out.arrays.push_back(array_of("outlier_scores", found.outlier_scores));
  out.labels = std::move(found.labels);
  out.centers = model.cluster_centers;
  return out;
}

}  // namespace sluice
