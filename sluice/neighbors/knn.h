// The k nearest rows of every row, and all rows within a radius: exact, whatever the way they are found.
// Use for neighbour lists, local densities, graphs, duplicates. For clusters by density see cluster/dbscan.h; for graphs of millions of
// rows where a few wrong neighbours do no harm see nn_descent.h.
//
// Distances are those of kernels/dist64.h, and the order is that of a plain loop over them: ascending by (distance, row), so equal
// distances go to the lowest row. What is handed over is, per metric,
//   kSquaredEuclidean  the square root (order and ties are those of the squares, which may tell apart what the roots do not)
//   kManhattan         the sum of absolute differences
//   kCosine            1 - cos, not below 0; rows of any length are taken and brought to length 1 (core/normalised.h); a zero row is at
//                      distance 1 from all
//
// Three ways, one result: a kd-tree in few columns; sparse rows (core/csr.h) by an inverted index, at the cost of the entries that rows
// share; else all pairs, float32 tiles with a proven error bound and float64 for the undecided (kernels/pairs.h). Determinism: the same bits for any threads, ranks, memory, storage, CPU and `way`; permuting the rows permutes the
// result, but for ties. Every rank gets all rows' neighbours.
#pragma once
#include <cstdint>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/source.h"
#include "sluice/kernels/metric.h"

namespace sluice {

enum class NeighborWay { kAuto, kBrute, kKdTree };

struct Neighbors {
  int64_t k = 0;
  std::vector<int64_t> indices;   // n x k
  std::vector<double> distances;  // n x k
  int64_t rows() const { return k == 0 ? 0 : static_cast<int64_t>(indices.size()) / k; }
  const int64_t* row(int64_t i) const { return indices.data() + i * k; }
  const double* distance(int64_t i) const { return distances.data() + i * k; }
};

// Rows within a radius, as compressed rows: those of row i are [starts[i], starts[i + 1]), ascending by (distance, row).
struct RadiusNeighbors {
  std::vector<int64_t> starts;  // n + 1
  std::vector<int64_t> indices;
  std::vector<double> distances;
};

// The k nearest other rows of every row; a row is not its own neighbour, its duplicates are. Cost: at most O(n^2 d) float32 operations; in
// few columns O(n log n d) typically. Memory: 16 n k bytes (twice that over ranks), the tree 16 n (d + 1). Streams the rows unless a tree
// is used. Rows must be measured (statistics.h). Throws Error{kBadInput} unless 1 <= k < n and all values are finite, Error{kUsage} for a
// tree with cosine, Error{kMemory} when the result does not fit ctx.memory, Error{kInterrupted} when asked to stop.
Neighbors knn_graph(const Source& rows, int64_t k, kernels::Metric metric, Context& ctx, NeighborWay way = NeighborWay::kAuto);

// The k nearest of `rows` to every row of `queries` (a query equal to a row has it at distance 0). As above, with 1 <= k <= n; for n rows
// and q queries 16 q k bytes.
Neighbors knn_search(const Source& rows, const Source& queries, int64_t k, kernels::Metric metric, Context& ctx,
                     NeighborWay way = NeighborWay::kAuto);

// The rows whose distance as handed over is at most `radius` (euclidean: the correctly rounded root), a row itself left out. Memory: 16 bytes
// a pair found, on every rank; Error{kMemory} as soon as they pass half of ctx.memory. radius >= 0 and finite.
RadiusNeighbors radius_graph(const Source& rows, double radius, kernels::Metric metric, Context& ctx, NeighborWay way = NeighborWay::kAuto);
RadiusNeighbors radius_search(const Source& rows, const Source& queries, double radius, kernels::Metric metric, Context& ctx,
                              NeighborWay way = NeighborWay::kAuto);

}  // namespace sluice
