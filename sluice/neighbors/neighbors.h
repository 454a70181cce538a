// Neighbours of rows, by name: for every row its nearest others, or all within a radius. The searches themselves are in knn.h.
// Use to look at what is alike, to choose an eps (the sorted distances to the last neighbour bend there), or to hand a graph to other tools.
#pragma once
#include <limits>
#include <optional>

#include "sluice/core/outcome.h"
#include "sluice/core/params.h"
#include "sluice/neighbors/knn.h"

namespace sluice {

enum class NeighborsAlgorithm { kAuto, kBrute, kKdTree, kNnDescent };

struct NeighborsParams {
  std::optional<int64_t> n_neighbors;
  std::optional<double> radius;
  kernels::Metric metric = kernels::Metric::kSquaredEuclidean;
  NeighborsAlgorithm algorithm = NeighborsAlgorithm::kAuto;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(n_neighbors, "n_neighbors", Range<int64_t>{1, (int64_t{1} << 31) - 1},
      "Nearest rows to find for each row; auto: 5, or none with a radius.");
    v(radius, "radius", Range<double>{0, std::numeric_limits<double>::max()}, "Find all rows within this distance instead.");
    v(metric, "metric",
      Choices<kernels::Metric>{{{"euclidean", kernels::Metric::kSquaredEuclidean},
                                {"manhattan", kernels::Metric::kManhattan},
                                {"cosine", kernels::Metric::kCosine}}},
      "Distance between rows.");
    v(algorithm, "algorithm",
      Choices<NeighborsAlgorithm>{{{"auto", NeighborsAlgorithm::kAuto},
                                   {"brute", NeighborsAlgorithm::kBrute},
                                   {"kd_tree", NeighborsAlgorithm::kKdTree},
                                   {"nn_descent", NeighborsAlgorithm::kNnDescent}}},
      "How they are found. auto, brute and kd_tree: exactly, the same result; nn_descent: nearly, sooner on many rows, its recall "
      "printed.");
  }
};

// indices.npy and distances.npy, n x n_neighbors; with a radius counts.npy (neighbours a row) and edges.csv (row,neighbor,distance in
// ascending order). The model holds the rows as float64, 8 n d bytes, or 16 bytes a value of sparse ones; apply finds the neighbours of new
// rows among them, exactly. Errors: see knn.h; Error{kUsage} when both n_neighbors and radius are given, or a radius with nn_descent
// (nn_descent.h).
Outcome neighbors_run(const Source& rows, const NeighborsParams& params, Context& ctx);
Outcome neighbors_apply(const ModelFile& model, const Source& rows, Context& ctx);

}  // namespace sluice
