#include "sluice/pipeline/plane.h"

#include <cmath>

namespace sluice {

std::pair<double, double> Plane::at(const double* row) const {
  double x = 0, y = 0;
  for (size_t j = 0; j < center.size(); ++j) {
    const double value = row[j] - center[j];
    x = std::fma(value, x_axis[j], x);
    if (!y_axis.empty()) y = std::fma(value, y_axis[j], y);
  }
  return {x, y};
}

Plane plane_of(const Source& rows, Context&) {
  Plane plane;
  const auto cols = static_cast<size_t>(rows.cols());
  plane.center.assign(cols, 0.0);
  plane.x_axis.assign(cols, 0.0);
  plane.x_axis[0] = 1;
  plane.x_name = rows.name_of(0);
  if (cols > 1) {
    plane.y_axis.assign(cols, 0.0);
    plane.y_axis[1] = 1;
    plane.y_name = rows.name_of(1);
  }
  return plane;
}

}  // namespace sluice
