// Distribution functions with one mode, see null_reference.h.
#include <algorithm>
#include <cmath>

#include "sluice/metrics/null_reference.h"

namespace sluice {
namespace {

struct Curve {
  std::vector<double> x, y;
};

// The greatest convex minorant (sign 1) or least concave majorant (sign -1) of the points [first, last].
void add_hull(const Curve& points, size_t first, size_t last, double sign, Curve& hull) {
  const size_t begin = hull.x.size();
  for (size_t i = first; i <= last; ++i) {
    while (hull.x.size() >= begin + 2) {
      const size_t b = hull.x.size() - 1, a = b - 1;
      const double turn = (hull.x[b] - hull.x[a]) * (points.y[i] - hull.y[a]) - (hull.y[b] - hull.y[a]) * (points.x[i] - hull.x[a]);
      if (sign * turn > 0) break;
      hull.x.pop_back();
      hull.y.pop_back();
    }
    hull.x.push_back(points.x[i]);
    hull.y.push_back(points.y[i]);
  }
}

Curve with_mode(const Curve& points, size_t mode) {
  Curve out;
  add_hull(points, 0, mode, 1, out);
  out.x.pop_back();
  out.y.pop_back();
  add_hull(points, mode, points.x.size() - 1, -1, out);
  return out;
}

double at(const Curve& curve, size_t piece, double x) {
  const double width = curve.x[piece + 1] - curve.x[piece];
  return width > 0 ? curve.y[piece] + (curve.y[piece + 1] - curve.y[piece]) * ((x - curve.x[piece]) / width) : curve.y[piece + 1];
}

// The largest difference at the points.
double departure(const Curve& curve, const Curve& points) {
  double most = 0;
  size_t piece = 0;
  for (size_t i = 0; i < points.x.size(); ++i) {
    while (piece + 2 < curve.x.size() && curve.x[piece + 1] < points.x[i]) ++piece;
    most = std::max(most, std::fabs(at(curve, piece, points.x[i]) - points.y[i]));
  }
  return most;
}

// The step of the lattice that all (ascending, distinct) values lie on, if it is coarse: fewer places than values. Else 0.
double lattice_step(const std::vector<double>& distinct, size_t count) {
  double step = distinct[1] - distinct[0];
  for (size_t i = 2; i < distinct.size(); ++i) step = std::min(step, distinct[i] - distinct[i - 1]);
  if (!(step > 0) || (distinct.back() - distinct.front()) / step > static_cast<double>(count)) return 0;
  for (size_t i = 1; i < distinct.size(); ++i) {
    const double steps = (distinct[i] - distinct[i - 1]) / step;
    if (std::fabs(steps - std::nearbyint(steps)) > 1e-4 * steps) return 0;
  }
  return step;
}

// The data's distribution function: by cells of the lattice, else through the values themselves.
Curve distribution_of(const std::vector<double>& distinct, const std::vector<size_t>& counts, size_t n, double step) {
  Curve points;
  double below = 0;
  const auto total = static_cast<double>(n);
  for (size_t i = 0; i < distinct.size(); ++i) {
    const auto here = static_cast<double>(counts[i]);
    if (step > 0) {
      const double left = distinct[i] - step / 2;
      if (points.x.empty() || left - points.x.back() > step / 4) {
        points.x.push_back(left);
        points.y.push_back(below / total);
      }
      points.x.push_back(distinct[i] + step / 2);
      points.y.push_back((below + here) / total);
    } else {
      points.x.push_back(distinct[i]);
      points.y.push_back((below + here / 2) / total);
    }
    below += here;
  }
  const double first = points.y.front(), span = points.y.back() - first;
  for (double& y : points.y) y = (y - first) / span;
  return points;
}

}  // namespace

Unimodal unimodal_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::vector<double> distinct;
  std::vector<size_t> counts;
  for (const double x : values) {
    if (distinct.empty() || x != distinct.back()) {
      distinct.push_back(x);
      counts.push_back(0);
    }
    ++counts.back();
  }
  Unimodal out;
  out.origin = distinct[0];
  if (distinct.size() < 2) {
    out.value = {distinct[0]};
    out.at = {1};
    return out;
  }
  out.step = lattice_step(distinct, values.size());
  const Curve points = distribution_of(distinct, counts, values.size(), out.step);
  constexpr size_t kModes = 48;  // tried, evenly over the points: a mode off by a fiftieth of the rows changes little
  Curve best;
  double least = 2;
  const size_t tried = std::min(kModes, points.x.size());
  for (size_t m = 0; m < tried; ++m) {
    Curve curve = with_mode(points, tried == 1 ? 0 : m * (points.x.size() - 1) / (tried - 1));
    const double departs = departure(curve, points);
    if (departs < least) {
      least = departs;
      best = std::move(curve);
    }
  }
  out.value = std::move(best.x);
  out.at = std::move(best.y);
  return out;
}

double Unimodal::quantile(double p) const {
  const auto above = static_cast<size_t>(std::lower_bound(at.begin(), at.end(), p) - at.begin());
  if (above == 0) return value.front();
  if (above == at.size()) return value.back();
  const double width = at[above] - at[above - 1];
  return width > 0 ? value[above - 1] + (value[above] - value[above - 1]) * ((p - at[above - 1]) / width) : value[above];
}

}  // namespace sluice
