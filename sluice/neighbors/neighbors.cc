#include "sluice/neighbors/neighbors.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "sluice/core/csr.h"
#include "sluice/core/exact_sum.h"
#include "sluice/core/memory.h"
#include "sluice/neighbors/nn_descent.h"

namespace sluice {
namespace {

constexpr int64_t kDefaultNeighbors = 5;
constexpr double kLargest = 0x1p500;  // of a model's values: their squares stay finite

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

NeighborWay way_of(NeighborsAlgorithm algorithm) {
  switch (algorithm) {
    case NeighborsAlgorithm::kBrute:
      return NeighborWay::kBrute;
    case NeighborsAlgorithm::kKdTree:
      return NeighborWay::kKdTree;
    default:
      return NeighborWay::kAuto;
  }
}

// What is asked of a search: the nearest n_neighbors, or all within the radius.
struct Question {
  int64_t n_neighbors = 0;
  std::optional<double> radius;
  kernels::Metric metric;
  NeighborWay way;
  bool nearly = false;  // by nn_descent
};

template <class T>
OutcomeArray own_rows(const char* name, const char* type, int64_t cols, const std::vector<T>& all, const LeafRange& range) {
  const int64_t each = std::max<int64_t>(1, cols);
  const std::span<const T> mine(all.data() + range.first_row() * each, static_cast<size_t>((range.last_row() - range.first_row()) * each));
  return outcome_array(name, type, cols, range.first_row(), mine);
}

// The distances to the last neighbour in ascending order, thinned out to what a plot can show.
Figure distance_curve(const Neighbors& found) {
  constexpr int64_t kMost = 512;
  std::vector<double> last;
  for (int64_t i = 0; i < found.rows(); ++i) last.push_back(found.distance(i)[found.k - 1]);
  std::sort(last.begin(), last.end());
  Figure figure;
  figure.title = "Distance to neighbour " + to_text(found.k);
  figure.x_name = "share of the rows";
  figure.y_name = "distance";
  figure.note = "All rows in ascending order. Where the curve bends up, rows begin that lie alone: an eps for dbscan.";
  Figure::Line line;
  const auto n = static_cast<int64_t>(last.size());
  const int64_t points = std::min(n, kMost);
  for (int64_t p = 0; p < points; ++p) {
    const int64_t at = points == 1 ? 0 : p * (n - 1) / (points - 1);
    line.x.push_back(static_cast<double>(at + 1) / static_cast<double>(n));
    line.y.push_back(last[static_cast<size_t>(at)]);
  }
  figure.lines.push_back(std::move(line));
  return figure;
}

void put_mean(Outcome& out, const std::vector<double>& distances) {
  out.result.put("n_pairs", static_cast<int64_t>(distances.size()));
  if (distances.empty()) return out.result.put("mean_distance", std::nullopt);
  ExactSum sum;
  for (const double distance : distances) sum.add(distance);
  out.result.put("mean_distance", sum.value() / static_cast<double>(distances.size()));
}

OutcomeFile edges_file(std::shared_ptr<const RadiusNeighbors> found) {
  return {"edges.csv", [found](const std::function<void(std::string_view)>& put) {
            put("row,neighbor,distance\n");
            std::string line;
            for (size_t i = 0; i + 1 < found->starts.size(); ++i) {
              for (auto e = static_cast<size_t>(found->starts[i]); e < static_cast<size_t>(found->starts[i + 1]); ++e) {
                line = to_text(static_cast<int64_t>(i)) + ',' + to_text(found->indices[e]) + ',' + to_text(found->distances[e]) + '\n';
                put(line);
              }
            }
          }};
}

// `among` null: the rows' own neighbours.
Outcome answer(const Question& question, const Source* among, const Source& rows, Context& ctx) {
  Outcome out;
  out.result.put("metric", name_of(question.metric));
  out.result.put("recall", 1.0);
  const LeafRange range = leaf_range(rows.rows(), rows.cols(), ctx);
  if (question.radius) {
    auto found = std::make_shared<RadiusNeighbors>(among == nullptr
                                                       ? radius_graph(rows, *question.radius, question.metric, ctx, question.way)
                                                       : radius_search(*among, rows, *question.radius, question.metric, ctx, question.way));
    std::vector<int64_t> counts;
    for (size_t i = 0; i + 1 < found->starts.size(); ++i) counts.push_back(found->starts[i + 1] - found->starts[i]);
    out.result.put("radius", *question.radius);
    out.result.put("n_neighbors", std::nullopt);
    out.result.put("n_alone", static_cast<int64_t>(std::count(counts.begin(), counts.end(), 0)));
    put_mean(out, found->distances);
    out.arrays.push_back(own_rows("counts", "<i8", 0, counts, range));
    out.files.push_back(edges_file(std::move(found)));
    return out;
  }
  const int64_t k = question.n_neighbors;
  Neighbors found;
  if (question.nearly) {
    ApproximateNeighbors nearly = nn_descent(rows, k, question.metric, ctx);
    out.result.put("recall", nearly.recall);
    out.notes.push_back("neighbours by nn_descent: " + to_text(nearly.recall) + " of the true ones were found, measured on " +
                        to_text(nearly.recall_rows) + " rows drawn by seed");
    found = std::move(nearly.graph);
  } else {
    found = among == nullptr ? knn_graph(rows, k, question.metric, ctx, question.way)
                             : knn_search(*among, rows, k, question.metric, ctx, question.way);
  }
  out.result.put("radius", std::nullopt);
  out.result.put("n_neighbors", k);
  out.result.put("n_alone", int64_t{0});
  put_mean(out, found.distances);
  if (found.rows() > 0) out.figures.push_back(distance_curve(found));
  out.arrays.push_back(own_rows("indices", "<i8", k, found.indices, range));
  out.arrays.push_back(own_rows("distances", "<f8", k, found.distances, range));
  return out;
}

double model_bytes(const Source& rows) {
  const auto n = static_cast<double>(rows.rows());
  if (!rows.sparse()) return 8 * n * static_cast<double>(rows.cols());
  double entries = 0;
  for (const ColumnStatistics& column : rows.stats.columns) entries += n - static_cast<double>(column.zeros);
  return 16 * entries + 8 * n;
}

// Refuses what does not fit: the neighbours twice while they are handed over, or once beside the model's rows, which are copied into it. How
// many lie within a radius is not known before; of them the search takes no more than half of the budget.
void check_memory(const Source& rows, const Question& question, const Context& ctx) {
  const double found = question.radius ? 0 : 16.0 * static_cast<double>(rows.rows()) * static_cast<double>(question.n_neighbors);
  const double bytes = found + std::max(found, 2 * model_bytes(rows));
  require_left("neighbors", "what is found and the model, which holds all " + to_text(rows.rows()) + " rows,",
               question.radius ? 2 * bytes : bytes, rows, ctx, "give a larger --memory, or take a sample of the rows");
}

Matrix<double> all_rows(const Source& rows, Context& ctx) {
  Matrix<double> all(rows.rows(), rows.cols());
  Context alone = ctx;
  alone.comm = nullptr;
  map(rows, alone, [&](int, const MatrixBlock& leaf) {
    for (int64_t i = 0; i < leaf.rows; ++i) {
      double* to = all.row(leaf.first_row + i);
      const double* from = leaf.row(i, to);
      if (from != to) std::copy_n(from, leaf.cols, to);
    }
  });
  return all;
}

// Of sparse rows the entries: row i's are [row_starts[i], row_starts[i + 1]) of row_columns and row_values.
void put_sparse_rows(ModelFile& model, const Source& rows, const Context& ctx) {
  std::vector<int64_t> starts{0}, columns;
  std::vector<double> values;
  const int64_t step = leaf_rows(rows.cols(), ctx);
  BlockBuffer buffer;
  for (int64_t at = 0; at < rows.rows(); at += step) {
    const CsrBlock block = rows.read_csr(at, std::min(step, rows.rows() - at), buffer);
    for (int64_t i = 0; i < block.rows; ++i) starts.push_back(starts.back() + block.count(i));
    columns.insert(columns.end(), block.indices, block.indices + block.begin(block.rows));
    values.insert(values.end(), block.values, block.values + block.begin(block.rows));
  }
  model.put("row_starts", starts);
  model.put("row_columns", columns);
  model.put("row_values", values);
  model.put("n_columns", std::vector<int64_t>{rows.cols()});
}

std::unique_ptr<Source> sparse_rows_of(const ModelFile& model) {
  std::vector<int64_t> starts = model.integers("row_starts");
  const std::vector<int64_t> columns = model.integers("row_columns");
  std::vector<double> values = model.vector("row_values");
  const std::vector<int64_t> cols = model.integers("n_columns");
  constexpr int64_t kMostColumns = std::numeric_limits<int32_t>::max();
  if (cols.size() != 1 || cols[0] < 1 || cols[0] > kMostColumns) model.damaged("its number of columns can't be");
  if (starts.size() < 2 || starts.front() != 0 || !std::is_sorted(starts.begin(), starts.end()) || columns.size() != values.size() ||
      starts.back() != static_cast<int64_t>(values.size()))
    model.damaged("its rows do not begin and end where their values do");
  for (size_t i = 0; i + 1 < starts.size(); ++i) {
    int64_t before = -1;
    for (auto p = static_cast<size_t>(starts[i]); p < static_cast<size_t>(starts[i + 1]); ++p) {
      if (columns[p] <= before || columns[p] >= cols[0]) model.damaged("a row's columns are not in order");
      if (values[p] == 0) model.damaged("a value that is kept is zero");
      before = columns[p];
    }
  }
  for (const double x : values) {
    if (!(std::fabs(x) < kLargest)) model.damaged("a row is too large to have distances");
  }
  return std::make_unique<CsrSource>(std::move(starts), std::vector<int32_t>(columns.begin(), columns.end()), std::move(values), cols[0]);
}

std::unique_ptr<Source> rows_of(const ModelFile& model) {
  if (model.has("row_starts")) return sparse_rows_of(model);
  Matrix<double> rows = model.matrix("rows");
  if (rows.rows < 1 || rows.cols < 1) model.damaged("it holds no rows");
  for (const double x : rows.values) {
    if (!(std::fabs(x) < kLargest)) model.damaged("a row is too large to have distances");
  }
  return std::make_unique<MemorySource>(std::move(rows.values), rows.rows, rows.cols);
}

}  // namespace

Outcome neighbors_run(const Source& rows, const NeighborsParams& params, Context& ctx) {
  if (params.n_neighbors && params.radius) {
    fail(ErrorCode::kUsage, "--radius", "it finds all rows within it, and --n-neighbors the nearest few", "give one of the two");
  }
  if (rows.max_weight() > 0) fail(ErrorCode::kUsage, "--weight", "weights change no neighbour", "leave it out");
  const bool nearly = params.algorithm == NeighborsAlgorithm::kNnDescent;
  if (nearly && params.radius)
    fail(ErrorCode::kUsage, "--algorithm", "nn_descent finds the nearest few, not all within a radius", "leave one of the two out");
  const Question question{params.n_neighbors.value_or(kDefaultNeighbors), params.radius, params.metric, way_of(params.algorithm), nearly};
  require_clean(rows);
  check_memory(rows, question, ctx);
  Outcome out = answer(question, nullptr, rows, ctx);
  out.model.about = {{"algorithm", "neighbors"}, {"metric", name_of(params.metric)}};
  if (rows.sparse()) {
    put_sparse_rows(out.model, rows, ctx);
  } else {
    out.model.put("rows", all_rows(rows, ctx));
  }
  const std::vector<double> radius = {params.radius.value_or(-1)};
  const std::vector<int64_t> k = {params.radius ? 0 : question.n_neighbors};
  out.model.put("radius", radius);
  out.model.put("n_neighbors", k);
  return out;
}

Outcome neighbors_apply(const ModelFile& model, const Source& rows, Context& ctx) {
  const std::unique_ptr<Source> among = rows_of(model);
  const std::vector<double> radius = model.vector("radius");
  const std::vector<int64_t> k = model.integers("n_neighbors");
  const std::string& metric = model.text("metric");
  if (metric != "euclidean" && metric != "manhattan" && metric != "cosine") model.damaged("it names no metric that is known");
  if (radius.size() != 1 || k.size() != 1) model.damaged("it has not one radius and one number of neighbours");
  const bool nearest = radius[0] == -1 && k[0] >= 1 && k[0] <= among->rows();
  const bool within = radius[0] >= 0 && k[0] == 0;
  if (!nearest && !within) model.damaged("its radius or number of neighbours is none");
  Context alone = ctx;
  alone.comm = nullptr;
  among->stats = measure(*among, alone);
  Question question{k[0], std::nullopt, kernels::Metric::kSquaredEuclidean, NeighborWay::kAuto};
  if (within) question.radius = radius[0];
  if (metric != "euclidean") question.metric = metric == "manhattan" ? kernels::Metric::kManhattan : kernels::Metric::kCosine;
  return answer(question, among.get(), rows, ctx);
}

}  // namespace sluice
