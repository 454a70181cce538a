#include "sluice/reduce/tsne_forces.h"

#include <cstring>

#include "sluice/reduce/affinities.h"

namespace sluice::detail {
namespace {

constexpr double kFar = 1e150;  // its square is finite, and its K and K^2 add nothing to a sum of 1 and more
constexpr int64_t kLanes = 8;

// Four points at a time, in GCC's and Clang's portable vectors.
using Four = double __attribute__((vector_size(32)));

Four load(const double* p) {
  Four v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

double total(const Four* half) {
  const Four sum = half[0] + half[1];
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

template <int kDims>
double sums_of(const double* values, int64_t padded, const double* at, double* force) {
  Four near[2] = {}, pull[kDims][2] = {};
  for (int64_t j = 0; j < padded; j += kLanes) {
    for (int half = 0; half < 2; ++half) {
      Four step[kDims], one_plus = {1, 1, 1, 1};
      for (int c = 0; c < kDims; ++c) {
        step[c] = at[c] - load(values + c * padded + j + 4 * half);
        one_plus = one_plus + step[c] * step[c];
      }
      const Four k = 1.0 / one_plus;
      near[half] = near[half] + k;
      const Four k2 = k * k;
      for (int c = 0; c < kDims; ++c) pull[c][half] = pull[c][half] + k2 * step[c];
    }
  }
  for (int c = 0; c < kDims; ++c) force[c] = total(pull[c]);
  return total(near);
}

}  // namespace

MapPoints::MapPoints(const Matrix<double>& map) : dims_(map.cols), padded_((map.rows + kLanes - 1) / kLanes * kLanes) {
  values_.assign(static_cast<size_t>(dims_ * padded_), kFar);
  for (int64_t i = 0; i < map.rows; ++i) {
    for (int64_t c = 0; c < dims_; ++c) values_[static_cast<size_t>(c * padded_ + i)] = map(i, c);
  }
}

double MapPoints::sums(const double* at, double* force) const {
  return dims_ == 2 ? sums_of<2>(values_.data(), padded_, at, force) : sums_of<3>(values_.data(), padded_, at, force);
}

double exact_repulsion(const Matrix<double>& map, Matrix<double>& force, const Context& ctx) {
  constexpr int64_t kBlock = 64;
  const MapPoints points(map);
  std::vector<double> near(static_cast<size_t>(map.rows));
  for_row_blocks(map.rows, kBlock, ctx, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) near[static_cast<size_t>(i)] = points.sums(map.row(i), force.row(i)) - 1;  // less its own K
  });
  double sum = 0;
  for (const double value : near) sum += value;
  return sum;
}

}  // namespace sluice::detail
