// The graph of UMAP: how strongly each row is joined to its neighbours. Inside of umap.h; not for other use.
// McInnes, Healy and Melville 2018, arXiv:1802.03426, algorithms 2 and 3; bounds and tolerances are umap-learn's.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/neighbors/knn.h"

namespace sluice::detail {

// A neighbourhood's own scale: strength(distance) = exp(-(distance - rho) / sigma), 1 up to rho.
struct UmapScale {
  double rho = 0;
  double sigma = 1;
};

// For `count` ascending distances of which the first is left out of the sum of strengths, which becomes log2(count). `mean` is that of all
// rows' distances: sigma is not below a thousandth of the row's mean, or of `mean` where rho is 0.
UmapScale umap_scale(const double* distances, int64_t count, double local_connectivity, double mean);
double umap_strength(const UmapScale& scale, double distance);

// Symmetric, as compressed rows in ascending order, without the diagonal; no weight is 0.
struct UmapGraph {
  std::vector<int64_t> starts{0};
  std::vector<int32_t> others;
  std::vector<double> weights;
  int64_t rows() const { return static_cast<int64_t>(starts.size()) - 1; }
};

// From each row's neighbours without itself. Cost O(n k log k). Memory 48 n k. Same bits for any threads.
UmapGraph umap_graph(const Neighbors& neighbors, double local_connectivity, double set_op_mix_ratio, Context& ctx);

// Without the edges below `least`.
UmapGraph without_weak(const UmapGraph& graph, double least);

// The connected parts: of every row the number of its part, numbered by their first rows; `count` becomes how many.
std::vector<int32_t> parts_of(const UmapGraph& graph, int64_t& count);

// body(first, last) over pieces of [0, n) that are fixed by n alone, on the context's threads of this rank.
void for_pieces(int64_t n, int64_t piece, Context& ctx, const std::function<void(int64_t first, int64_t last)>& body);

}  // namespace sluice::detail
