// The repulsion of t-SNE: sums over all points of a map of K = 1 / (1 + r^2) and K^2 (y - y_j), exactly or over a grid. Not for other use.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/matrix.h"

namespace sluice::detail {

// Points of a map, coordinate by coordinate, filled up to a multiple of 8 with points too far away to count.
class MapPoints {
 public:
  explicit MapPoints(const Matrix<double>& map);
  int64_t dims() const { return dims_; }
  // The sum of K over all points at `at`, those there among them; force (dims values): the sum of K^2 (at - y_j). Cost O(n).
  double sums(const double* at, double* force) const;

 private:
  int64_t dims_, padded_;
  std::vector<double> values_;
};

// force (n x dims): of every point of a map. Returns the sum of K over all ordered pairs. Cost O(n^2) on ctx.threads of this rank alone; the
// same bits for any number of them.
double exact_repulsion(const Matrix<double>& map, Matrix<double>& force, const Context& ctx);

// The same over a regular grid: points are spread to the 16 grid places around them by cubic interpolation, the grid is convolved with the
// kernels by Fourier transforms, and the result is read back by the same interpolation (FIt-SNE: Linderman et al. 2019,
// doi:10.1038/s41592-018-0308-4). Two dimensions. Relative error of forces: about 1e-3. Cost O(n + cells log cells) a call; the transforms of
// the kernels are kept while the grid stays what it was. Same bits for any threads.
class GridRepulsion {
 public:
  GridRepulsion();
  ~GridRepulsion();
  double of_map(const Matrix<double>& map, Matrix<double>& force, const Context& ctx);

  // Keeps the sums of a finished map, for at().
  void freeze(const Matrix<double>& map, const Context& ctx);
  // As MapPoints::sums at any place near the frozen map; false where it lies outside the grid. Any thread.
  bool at(const double* place, double& near, double* force) const;

 private:
  struct Grid;
  std::unique_ptr<Grid> grid_;
};

}  // namespace sluice::detail
