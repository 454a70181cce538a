// A graph of almost always the nearest neighbours, much sooner than all pairs on many rows of many columns, with its recall measured.
// Use for graphs of hundreds of thousands of rows and more, where a few missed neighbours do no harm. Exact searches are in knn.h.
//
// Random projection trees, cut at medians into leaves of some hundred rows, give each row the nearest of its leaf-mates; then neighbours of
// neighbours are tried until hardly a list changes (NN-descent). Distances are those of kernels/dist64.h; lists are in the order of knn.h.
//
// Determinism: same bits for any threads, ranks and storage. A round reads the lists as they stood at its beginning and writes each row's own
// list; who is tried is drawn by numbers named by (seed, round, pair). Every rank does the whole work.
// Dong, Moses and Li 2011, doi:10.1145/1963405.1963487; Dasgupta and Freund 2008, doi:10.1145/1374376.1374452 (the trees).
#pragma once
#include "sluice/neighbors/knn.h"

namespace sluice {

struct ApproximateNeighbors {
  Neighbors graph;
  int64_t n_iter = 0;  // rounds
  double recall = 1;   // share of the true neighbours found, by distance, over recall_rows rows drawn by seed
  int64_t recall_rows = 0;
};

// As knn_graph, approximately. Cost: about n log n d with a large factor; see docs/algorithms/neighbors.md for measured times. Memory: the
// rows and about 60 n k bytes. Errors as knn_graph.
ApproximateNeighbors nn_descent(const Source& rows, int64_t k, kernels::Metric metric, Context& ctx);

}  // namespace sluice
