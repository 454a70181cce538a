#include "sluice/reduce/umap_curve.h"

#include <array>
#include <cmath>

#include "sluice/core/math.h"

namespace sluice::detail {
namespace {

constexpr int kPoints = 300;
constexpr int kMostSteps = 500;

struct Sums {
  double error = 0, aa = 0, ab = 0, bb = 0, ra = 0, rb = 0;  // of squares, and the normal equations' in log a and b
};

// In log a, which keeps a above 0.
Sums sums_at(double log_a, double b, double min_dist, double spread) {
  Sums out;
  for (int i = 1; i < kPoints; ++i) {  // at x = 0 the curve is 1 whatever a and b
    const double x = 3 * spread * i / (kPoints - 1);
    const double wanted = x < min_dist ? 1 : exp64(-(x - min_dist) / spread);
    const double log_x = log64(x);
    const double power = exp64(log_a + 2 * b * log_x);
    const double y = 1 / (1 + power);
    const double rest = wanted - y;
    const double by_a = -y * y * power;
    const double by_b = by_a * 2 * log_x;
    out.error += rest * rest;
    out.aa += by_a * by_a;
    out.ab += by_a * by_b;
    out.bb += by_b * by_b;
    out.ra += by_a * rest;
    out.rb += by_b * rest;
  }
  return out;
}

}  // namespace

UmapCurve umap_curve(double min_dist, double spread) {
  // Levenberg and Marquardt from a = b = 1.
  double log_a = 0;
  double b = 1;
  double damping = 1e-3;
  Sums now = sums_at(log_a, b, min_dist, spread);
  for (int step = 0; step < kMostSteps && damping < 1e12; ++step) {
    const double aa = now.aa * (1 + damping);
    const double bb = now.bb * (1 + damping);
    const double determinant = aa * bb - now.ab * now.ab;
    if (!(determinant > 0)) break;
    const double to_a = log_a + (now.ra * bb - now.rb * now.ab) / determinant;
    const double to_b = b + (now.rb * aa - now.ra * now.ab) / determinant;
    const Sums there = sums_at(to_a, to_b, min_dist, spread);
    if (!(there.error < now.error)) {
      damping *= 10;
      continue;
    }
    log_a = to_a;
    b = to_b;
    now = there;
    damping /= 10;
  }
  return {exp64(log_a), b};
}

}  // namespace sluice::detail
