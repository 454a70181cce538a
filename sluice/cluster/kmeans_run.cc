// K-means by name: what the registry calls.
#include <algorithm>
#include <cmath>
#include <memory>

#include "sluice/cluster/kmeans.h"
#include "sluice/core/normalised.h"
#include "sluice/kernels/dist64.h"
#include "sluice/kernels/sparse_rows.h"

namespace sluice {
namespace {

const char* name_of(KMeansMetric metric) {
  switch (metric) {
    case KMeansMetric::kManhattan:
      return "manhattan";
    case KMeansMetric::kCosine:
      return "cosine";
    default:
      return "euclidean";
  }
}

// The distance to one's own centre as people read it: not squared.
double distance_to(const double* row, const double* center, int64_t d, KMeansMetric metric) {
  switch (metric) {
    case KMeansMetric::kManhattan:
      return kernels::manhattan_distance(row, center, d);
    case KMeansMetric::kCosine:
      return std::max(0.0, 1 - kernels::dot(row, center, d));  // rounding may go below
    default:
      return std::sqrt(kernels::squared_distance(row, center, d));
  }
}

void distances_to(const Matrix<double>& centers, KMeansMetric metric, const MatrixBlock& rows, const int32_t* labels, double* out) {
  std::vector<double> scratch(static_cast<size_t>(rows.cols));
  for (int64_t i = 0; i < rows.rows; ++i) {
    const double* row = rows.row(i, scratch.data());
    if (metric == KMeansMetric::kCosine) {
      if (row != scratch.data()) std::copy(row, row + rows.cols, scratch.begin());
      normalise(scratch.data(), rows.cols);
      row = scratch.data();
    }
    out[i] = distance_to(row, centers.row(labels[i]), rows.cols, metric);
  }
}

// The same of sparse rows; where the metric needs every column, one is written out at a time.
void distances_to(const Matrix<double>& centers, KMeansMetric metric, const CsrBlock& rows, const int32_t* labels, double* out) {
  std::vector<double> dense(static_cast<size_t>(rows.cols));
  std::vector<double> unit;
  for (int64_t i = 0; i < rows.rows; ++i) {
    const int32_t* indices = rows.indices + rows.begin(i);
    const double* values = rows.values + rows.begin(i);
    const int64_t count = rows.count(i);
    const double* center = centers.row(labels[i]);
    if (metric == KMeansMetric::kCosine) {
      unit.assign(values, values + count);
      normalise(indices, unit.data(), count);
      out[i] = std::max(0.0, 1 - kernels::sparse_dot(indices, unit.data(), count, center));
      continue;
    }
    for (int64_t p = 0; p < count; ++p) dense[static_cast<size_t>(indices[p])] = values[p];
    out[i] = distance_to(dense.data(), center, rows.cols, metric);
    for (int64_t p = 0; p < count; ++p) dense[static_cast<size_t>(indices[p])] = 0;
  }
}

void put_distances(Outcome& out, const Matrix<double>& centers, KMeansMetric metric) {
  const auto shared = std::make_shared<const Matrix<double>>(centers);
  out.distances = [shared, metric](const MatrixBlock& rows, const int32_t* labels, double* to) {
    distances_to(*shared, metric, rows, labels, to);
  };
  out.distances_csr = [shared, metric](const CsrBlock& rows, const int32_t* labels, double* to) {
    distances_to(*shared, metric, rows, labels, to);
  };
}

}  // namespace

Outcome kmeans_run(const Source& rows, const KMeansParams& params, Context& ctx) {
  Matrix<double> given;
  if (params.init != "k-means++" && params.init != "k-means-parallel" && params.init != "random") given = ctx.read_matrix(params.init);
  KMeansFit fit = kmeans_fit(rows, params, given, ctx);
  Outcome out;
  out.model.about = {{"algorithm", "kmeans"}, {"metric", name_of(params.metric)}};
  out.model.put("cluster_centers", fit.cluster_centers);
  out.result.put("inertia", fit.inertia);
  out.result.put("n_iter", fit.n_iter);
  out.result.put("converged", fit.converged);
  out.result.put("n_clusters", params.n_clusters);
  out.result.put("cluster_sizes", fit.cluster_sizes);
  out.result.put("init", given.empty() ? params.init : std::string("given"));
  out.result.put("metric", name_of(params.metric));
  out.result.put("n_starts", fit.starts);
  out.result.put("n_starts_agreed", fit.starts_agreed);
  if (fit.starts > 1) {
    out.notes.push_back(std::to_string(fit.starts_agreed) + " of " + std::to_string(fit.starts) +
                        " starts came within 0.1 % of the best inertia");
  }
  if (!fit.converged) out.notes.push_back("stopped at max_iter before the centres came to rest");
  out.labels = std::move(fit.labels);
  put_distances(out, fit.cluster_centers, params.metric);
  out.centers = std::move(fit.cluster_centers);
  return out;
}

Outcome kmeans_apply(const ModelFile& model, const Source& rows, Context& ctx) {
  const Matrix<double> centers = model.matrix("cluster_centers");
  const std::string& name = model.text("metric");
  if (name != "euclidean" && name != "manhattan" && name != "cosine") model.damaged("it names no metric that is known");
  const KMeansMetric metric = name == "manhattan" ? KMeansMetric::kManhattan
                              : name == "cosine"  ? KMeansMetric::kCosine
                                                  : KMeansMetric::kEuclidean;
  if (centers.rows < 1 || centers.cols < 1 || centers.rows >= (int64_t{1} << 31)) model.damaged("it holds no centres");
  require_clean(rows);
  if (rows.cols() != centers.cols) {
    fail(ErrorCode::kBadInput, "columns",
         "the model was fitted on " + std::to_string(centers.cols) + " columns and there are " + std::to_string(rows.cols()),
         "choose the same columns with --columns");
  }
  KMeansAssignment assigned = kmeans_assign(centers, metric, rows, ctx);
  Outcome out;
  out.result.put("n_clusters", centers.rows);
  out.result.put("cluster_sizes", assigned.cluster_sizes);
  out.result.put("inertia", assigned.inertia);
  out.result.put("metric", name);
  out.labels = std::move(assigned.labels);
  put_distances(out, centers, metric);
  out.centers = centers;
  return out;
}

}  // namespace sluice
