#include <algorithm>
#include <cmath>

#include "sluice/core/math.h"
#include "sluice/reduce/affinities.h"
#include "sluice/reduce/fourier.h"
#include "sluice/reduce/tsne_forces.h"

namespace sluice::detail {
namespace {

constexpr double kWidestStep = 1.0 / 3;  // between grid places: K changes over a length of 1
constexpr int64_t kFewestSteps = 128;    // across the map
constexpr int64_t kMostSteps = 8192;
constexpr int64_t kReach = 4;  // places a point is spread to, in each direction
constexpr int64_t kRowBlock = 1024, kLineBlock = 8;

// The cubic Lagrange weights of places -1, 0, 1 and 2 at t in [0, 1].
void cubic_weights(double t, double* w) {
  const double a = t + 1, b = t - 1, c = t - 2;
  w[0] = -t * b * c / 6;
  w[1] = a * b * c / 2;
  w[2] = -a * t * c / 2;
  w[3] = a * t * b / 6;
}

struct Spread {
  int64_t place[2];  // the first of the places in each direction
  double weight[2][kReach];
};

}  // namespace

struct GridRepulsion::Grid {
  double low[2] = {0, 0};
  double step = 0;
  int64_t used = 0;  // places in each direction
  std::unique_ptr<Fourier> fourier;
  double kernel_step = 0;           // what the kernels are of
  ComplexGrid force_kernel;         // transforms, divided by side^2: of K^2 x + i K^2 y
  std::vector<double> near_kernel;  // and of K, which is real
  ComplexGrid spectrum;
  ComplexGrid field;       // what goes into a transform, and what comes back
  ComplexGrid near_field;  // frozen maps only
  std::vector<Spread> spread;
  std::vector<int64_t> line_starts, by_line;  // points by their first line

  // Chooses the grid: steps from a ladder of quarter octaves, so that the kernels last while a map grows.
  void fit(const Matrix<double>& map) {
    double high[2];
    for (int c = 0; c < 2; ++c) {
      low[c] = high[c] = map(0, c);
      for (int64_t i = 1; i < map.rows; ++i) {
        low[c] = std::min(low[c], map(i, c));
        high[c] = std::max(high[c], map(i, c));
      }
    }
    const double span = std::max({high[0] - low[0], high[1] - low[1], 1e-30});
    const double finer = 4 * log64(kWidestStep * static_cast<double>(kFewestSteps) / span) / log64(2);
    step = kWidestStep * exp64(-std::ceil(std::max(0.0, finer)) / 4 * log64(2));
    step = std::max(step, span / static_cast<double>(kMostSteps));
    used = static_cast<int64_t>(span / step) + 1 + kReach;
    for (double& edge : low) edge -= step;  // one place before the first point
    const int64_t side = Fourier::fitting(2 * used - 1);
    if (!fourier || fourier->side() != side) {
      fourier = std::make_unique<Fourier>(side);
      kernel_step = 0;
    }
  }

  // field = (re, im) of each pair of distances along the two directions, around the origin.
  template <class Value>
  void fill(Value&& value) {
    const int64_t side = fourier->side();
    clear_field();
    const auto distance = [&](int64_t i) { return step * static_cast<double>(i <= side / 2 ? i : i - side); };
    for (int64_t i = 0; i < side; ++i) {
      for (int64_t j = 0; j < side; ++j) {
        const auto at = static_cast<size_t>(i * side + j);
        value(distance(i), distance(j), field.re[at], field.im[at]);
      }
    }
  }
  void clear_field() {
    const auto size = static_cast<size_t>(fourier->side() * fourier->side());
    field.re.assign(size, 0);
    field.im.assign(size, 0);
  }

  void make_kernels(const Context& ctx) {
    const int64_t side = fourier->side();
    if (kernel_step == step) return;
    kernel_step = step;
    const double scale = 1 / static_cast<double>(side * side);
    fill([&](double x, double y, double& re, double& im) {
      const double k = 1 / (1 + x * x + y * y);
      re = k * k * x * scale;
      im = k * k * y * scale;
    });
    fourier->forward(field, side, force_kernel, ctx);
    fill([&](double x, double y, double& re, double&) { re = scale / (1 + x * x + y * y); });
    fourier->forward(field, side, spectrum, ctx);
    near_kernel = spectrum.re;
  }

  Spread spread_of(const double* point) const {
    Spread out;
    for (int c = 0; c < 2; ++c) {
      const double at = (point[c] - low[c]) / step;
      const auto cell = std::clamp<int64_t>(static_cast<int64_t>(at), 1, used - 3);
      out.place[c] = cell - 1;
      cubic_weights(at - static_cast<double>(cell), out.weight[c]);
    }
    return out;
  }

  void sort_points(const Matrix<double>& map, const Context& ctx) {
    spread.resize(static_cast<size_t>(map.rows));
    for_row_blocks(map.rows, kRowBlock, ctx, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) spread[static_cast<size_t>(i)] = spread_of(map.row(i));
    });
    line_starts.assign(static_cast<size_t>(used + 1), 0);
    by_line.resize(spread.size());
    for (const Spread& s : spread) ++line_starts[static_cast<size_t>(s.place[0]) + 1];
    for (size_t line = 0; line < static_cast<size_t>(used); ++line) line_starts[line + 1] += line_starts[line];
    std::vector<int64_t> at(line_starts.begin(), line_starts.end() - 1);
    for (size_t i = 0; i < spread.size(); ++i)
      by_line[static_cast<size_t>(at[static_cast<size_t>(spread[i].place[0])]++)] = static_cast<int64_t>(i);
  }

  // Each line of the grid gathers its points in a fixed order.
  void spread_charges(const Context& ctx) {
    const int64_t side = fourier->side();
    clear_field();
    for_row_blocks(used, kLineBlock, ctx, [&](int64_t first, int64_t last) {
      for (int64_t line = first; line < last; ++line) {
        double* to = field.re.data() + line * side;
        for (int64_t r = std::min(line, kReach - 1); r >= 0; --r) {
          const auto begin = static_cast<size_t>(line_starts[static_cast<size_t>(line - r)]);
          const auto end = static_cast<size_t>(line_starts[static_cast<size_t>(line - r + 1)]);
          for (size_t p = begin; p < end; ++p) {
            const Spread& s = spread[static_cast<size_t>(by_line[p])];
            for (int64_t t = 0; t < kReach; ++t) to[s.place[1] + t] += s.weight[0][r] * s.weight[1][t];
          }
        }
      }
    });
  }

  // The sum of K over ordered pairs as the grid has it (Parseval), in a fixed order: by rows of the spectrum.
  double near_total(const Context& ctx) const {
    const int64_t side = fourier->side();
    std::vector<double> rows(static_cast<size_t>(side));
    for_row_blocks(side, kLineBlock, ctx, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        double lane[4] = {};
        for (int64_t j = 0; j < side; ++j) {
          const auto at = static_cast<size_t>(i * side + j);
          lane[j % 4] += near_kernel[at] * (spectrum.re[at] * spectrum.re[at] + spectrum.im[at] * spectrum.im[at]);
        }
        rows[static_cast<size_t>(i)] = (lane[0] + lane[2]) + (lane[1] + lane[3]);
      }
    });
    double sum = 0;
    for (const double row : rows) sum += row;
    return sum;
  }

  // spectrum *= kernel
  void multiply(const ComplexGrid& kernel, const Context& ctx) {
    const int64_t side = fourier->side();
    for_row_blocks(side, kLineBlock, ctx, [&](int64_t first, int64_t last) {
      for (int64_t at = first * side; at < last * side; ++at) {
        const double re = spectrum.re[at], im = spectrum.im[at];
        spectrum.re[at] = re * kernel.re[at] - im * kernel.im[at];
        spectrum.im[at] = re * kernel.im[at] + im * kernel.re[at];
      }
    });
  }

  // What the points' own K has become over the grid, in a fixed order; in truth each is 1.
  double own_total(const Context& ctx) const {
    double k[kReach][kReach];
    for (int64_t r = 0; r < kReach; ++r) {
      for (int64_t t = 0; t < kReach; ++t) k[r][t] = 1 / (1 + step * step * static_cast<double>(r * r + t * t));
    }
    std::vector<double> own(spread.size());
    for_row_blocks(static_cast<int64_t>(own.size()), kRowBlock, ctx, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        double lag[2][kReach];  // weights times weights so many places further, both ways
        for (int c = 0; c < 2; ++c) {
          const double* w = spread[static_cast<size_t>(i)].weight[c];
          lag[c][0] = w[0] * w[0] + w[1] * w[1] + w[2] * w[2] + w[3] * w[3];
          lag[c][1] = 2 * (w[0] * w[1] + w[1] * w[2] + w[2] * w[3]);
          lag[c][2] = 2 * (w[0] * w[2] + w[1] * w[3]);
          lag[c][3] = 2 * (w[0] * w[3]);
        }
        double sum = 0;
        for (int64_t r = 0; r < kReach; ++r) {
          for (int64_t t = 0; t < kReach; ++t) sum += lag[0][r] * lag[1][t] * k[r][t];
        }
        own[static_cast<size_t>(i)] = sum;
      }
    });
    double sum = 0;
    for (const double value : own) sum += value;
    return sum;
  }

  double read(const std::vector<double>& from, const Spread& s) const {
    double sum = 0;
    for (int64_t r = 0; r < kReach; ++r) {
      const double* line = from.data() + (s.place[0] + r) * fourier->side() + s.place[1];
      sum +=
          s.weight[0][r] * ((s.weight[1][0] * line[0] + s.weight[1][1] * line[1]) + (s.weight[1][2] * line[2] + s.weight[1][3] * line[3]));
    }
    return sum;
  }
};

GridRepulsion::GridRepulsion() : grid_(std::make_unique<Grid>()) {}
GridRepulsion::~GridRepulsion() = default;

double GridRepulsion::of_map(const Matrix<double>& map, Matrix<double>& force, const Context& ctx) {
  Grid& g = *grid_;
  g.fit(map);
  g.make_kernels(ctx);
  g.sort_points(map, ctx);
  g.spread_charges(ctx);
  g.fourier->forward(g.field, g.used, g.spectrum, ctx);
  const double near = g.near_total(ctx) - g.own_total(ctx);
  g.multiply(g.force_kernel, ctx);
  g.fourier->backward(g.spectrum, g.used, g.field, ctx);
  for_row_blocks(map.rows, kRowBlock, ctx, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      force(i, 0) = g.read(g.field.re, g.spread[static_cast<size_t>(i)]);
      force(i, 1) = g.read(g.field.im, g.spread[static_cast<size_t>(i)]);
    }
  });
  return near;
}

void GridRepulsion::freeze(const Matrix<double>& map, const Context& ctx) {
  Grid& g = *grid_;
  g.fit(map);
  g.make_kernels(ctx);
  g.sort_points(map, ctx);
  g.spread_charges(ctx);
  g.fourier->forward(g.field, g.used, g.spectrum, ctx);
  g.multiply({g.near_kernel, std::vector<double>(g.near_kernel.size())}, ctx);
  g.fourier->backward(g.spectrum, g.used, g.near_field, ctx);
  Matrix<double> force(map.rows, map.cols);
  of_map(map, force, ctx);  // leaves the field of forces
}

bool GridRepulsion::at(const double* place, double& near, double* force) const {
  const Grid& g = *grid_;
  for (int c = 0; c < 2; ++c) {
    const double at = (place[c] - g.low[c]) / g.step;
    if (!(at >= 1) || !(at <= static_cast<double>(g.used - 2))) return false;
  }
  const Spread s = g.spread_of(place);
  near = g.read(g.near_field.re, s);
  force[0] = g.read(g.field.re, s);
  force[1] = g.read(g.field.im, s);
  return true;
}

}  // namespace sluice::detail
