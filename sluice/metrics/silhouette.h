// The silhouette: how much nearer a row is to its own cluster than to the next one, from -1 to 1. For compact clusters, and for comparing
// numbers of them; not for chains and rings, which it scores low however clear they are.
//
// s = (b - a) / max(a, b), a = mean distance to the other rows of its cluster, b = the least mean distance to another cluster; 0 for a row
// that is alone in its cluster. Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7. Three distances, and a value says which one it used:
//   euclidean  scikit-learn's. Exact over all pairs: O(n^2 d); above `most_rows` rows, on so many rows drawn by seed (the same for any ranks).
//   squared    squared Euclidean. Exact in O(n k d): mean squared distance to a cluster = |x - mean|^2 + mean squared scatter.
//   cosine     1 - cos. Exact in O(n k d): mean distance = 1 - x . mean of the unit rows. A zero row has distance 1 to all others.
// Same bits for any threads, ranks, leaves and storage: a row's value is one fixed chain, and values add in exact sums.
#pragma once
#include <cstdint>
#include <vector>

#include "sluice/metrics/clusters.h"

namespace sluice {

enum class SilhouetteKind { kEuclidean, kSquared, kCosine };
const char* name_of(SilhouetteKind kind);  // "euclidean", "squared", "cosine"

struct Silhouette {
  double value = 0;  // mean over the rows used; NaN with fewer than 2 clusters, or as many as rows
  SilhouetteKind kind = SilhouetteKind::kEuclidean;
  int64_t rows = 0;  // rows used
  std::vector<double>
      clusters;  // mean of each cluster, in the order of Clusters::labels; NaN where no row of it was drawn, or value is NaN
};

// Memory: euclidean 8 MiB a thread, 4 bytes a row and, when drawn, the drawn rows (in a spool file beyond a quarter of the memory budget).
// Rows must be measured and clean; noise is left out; weights are not used. Collective.
Silhouette silhouette(const Source& rows, const Clusters& clusters, SilhouetteKind kind, int64_t most_rows, Context& ctx);
inline constexpr int64_t kSilhouetteRows = 50'000;

}  // namespace sluice
