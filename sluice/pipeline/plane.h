// Two axes to draw rows on: the columns themselves when there are two, else the two directions of most variance.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/source.h"

namespace sluice {

struct Plane {
  std::vector<double> center;
  std::vector<double> x_axis;
  std::vector<double> y_axis;  // empty: everything at height 0
  std::string x_name;
  std::string y_name;
  std::string note;
  bool same_scale = false;
  double x_center = 0, y_center = 0;  // the center along the axes

  std::pair<double, double> at(const double* row) const;
  // Of row i, from its non-zeros; the same but for rounding.
  std::pair<double, double> at(const CsrBlock& rows, int64_t i) const;
};

// Collective. Cost: nothing for one or two columns, else a PCA of at most 200,000 rows and 67 million values (about a second), and a few
// megabytes whatever --memory says; of sparse rows the values that are not zero count alone. Rows that do not vary, or that PCA refuses, are drawn on their first two columns.
Plane plane_of(const Source& rows, Context& ctx);

}  // namespace sluice
