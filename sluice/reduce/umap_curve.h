// The curve of nearness in the map, 1 / (1 + a x^(2 b)). Inside of umap.h; not for other use.
#pragma once

namespace sluice::detail {

struct UmapCurve {
  double a = 1;
  double b = 1;
};

// The least-squares fit to 1 below min_dist and exp(-(x - min_dist) / spread) beyond, at 300 points up to 3 spread, as umap-learn's.
// Cost: microseconds.
UmapCurve umap_curve(double min_dist, double spread);

}  // namespace sluice::detail
