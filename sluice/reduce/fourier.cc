// Transforms go down columns, kWidth columns at a time, so that every butterfly is a loop over contiguous numbers; a chunk is written back
// transposed, and then the other direction goes down columns too. Forward by decimation in frequency, backward by the same stages undone.
#include "sluice/reduce/fourier.h"

#include <algorithm>
#include <cmath>

#include "sluice/reduce/affinities.h"

namespace sluice {
namespace {

constexpr int64_t kWidth = 16;
constexpr double kPi = 3.14159265358979323846;
constexpr double kHalfRoot3 = 0.86602540378443864676;

// cos and sin of 2 pi k / n by Taylor series on an eighth of the circle: no library's, whose last bits differ.
void unit_root(int64_t k, int64_t n, double& cos, double& sin) {
  k %= n;
  const int64_t quarter = 4 * k / n;         // quadrant
  const int64_t rest = 4 * k - quarter * n;  // angle in it: rest / n of a quarter, [0, n)
  const bool mirrored = 2 * rest > n;
  const double x = kPi / 2 * static_cast<double>(mirrored ? n - rest : rest) / static_cast<double>(n);
  const double z = x * x;
  double c = 0, s = 0;
  for (int t = 10; t >= 0; --t) {
    c = 1 - z * c / ((2.0 * t + 1) * (2.0 * t + 2));
    s = 1 - z * s / ((2.0 * t + 2) * (2.0 * t + 3));
  }
  s *= x;
  if (mirrored) std::swap(c, s);
  const double as_cos[4] = {c, -s, -c, s}, as_sin[4] = {s, c, -s, -c};
  cos = as_cos[quarter];
  sin = as_sin[quarter];
}

// One number of kWidth transforms.
struct Place {
  double* re;
  double* im;
};

// y *= (c, s), over kWidth numbers; backward: conjugated.
template <bool kForward>
void butterfly2(Place a, Place b, const double* c, const double* s) {
  const double wr = c[0], wi = kForward ? -s[0] : s[0];
  for (int64_t v = 0; v < kWidth; ++v) {
    if constexpr (kForward) {
      const double dr = a.re[v] - b.re[v], di = a.im[v] - b.im[v];
      a.re[v] += b.re[v];
      a.im[v] += b.im[v];
      b.re[v] = dr * wr - di * wi;
      b.im[v] = dr * wi + di * wr;
    } else {
      const double tr = b.re[v] * wr - b.im[v] * wi, ti = b.re[v] * wi + b.im[v] * wr;
      b.re[v] = a.re[v] - tr;
      b.im[v] = a.im[v] - ti;
      a.re[v] += tr;
      a.im[v] += ti;
    }
  }
}

template <bool kForward>
void butterfly3(Place a, Place b, Place d, const double* c, const double* s) {
  const double sign = kForward ? -1 : 1;
  const double w1r = c[0], w1i = sign * s[0], w2r = c[1], w2i = sign * s[1], h = sign * kHalfRoot3;
  for (int64_t v = 0; v < kWidth; ++v) {
    double br = b.re[v], bi = b.im[v], dr = d.re[v], di = d.im[v];
    if constexpr (!kForward) {
      const double tr = br * w1r - bi * w1i, ur = dr * w2r - di * w2i;
      bi = br * w1i + bi * w1r;
      di = dr * w2i + di * w2r;
      br = tr;
      dr = ur;
    }
    const double sr = br + dr, si = bi + di, er = br - dr, ei = bi - di;
    const double mr = a.re[v] - 0.5 * sr, mi = a.im[v] - 0.5 * si;
    a.re[v] += sr;
    a.im[v] += si;
    // (m +- i h e)
    const double xr = mr - h * ei, xi = mi + h * er, yr = mr + h * ei, yi = mi - h * er;
    b.re[v] = kForward ? xr * w1r - xi * w1i : xr;
    b.im[v] = kForward ? xr * w1i + xi * w1r : xi;
    d.re[v] = kForward ? yr * w2r - yi * w2i : yr;
    d.im[v] = kForward ? yr * w2i + yi * w2r : yi;
  }
}

template <bool kForward>
void butterfly4(Place a, Place b, Place d, Place e, const double* c, const double* s) {
  const double sign = kForward ? -1 : 1;
  const double w1r = c[0], w1i = sign * s[0], w2r = c[1], w2i = sign * s[1], w3r = c[2], w3i = sign * s[2];
  for (int64_t v = 0; v < kWidth; ++v) {
    double br = b.re[v], bi = b.im[v], dr = d.re[v], di = d.im[v], er = e.re[v], ei = e.im[v];
    if constexpr (!kForward) {
      const double t1 = br * w1r - bi * w1i, t2 = dr * w2r - di * w2i, t3 = er * w3r - ei * w3i;
      bi = br * w1i + bi * w1r;
      di = dr * w2i + di * w2r;
      ei = er * w3i + ei * w3r;
      br = t1;
      dr = t2;
      er = t3;
    }
    const double pr = a.re[v] + dr, pi = a.im[v] + di, qr = a.re[v] - dr, qi = a.im[v] - di;
    const double ur = br + er, ui = bi + ei, xr = br - er, xi = bi - ei;
    const double r1 = qr - sign * xi, i1 = qi + sign * xr, r3 = qr + sign * xi, i3 = qi - sign * xr, r2 = pr - ur, i2 = pi - ui;
    a.re[v] = pr + ur;
    a.im[v] = pi + ui;
    b.re[v] = kForward ? r1 * w1r - i1 * w1i : r1;
    b.im[v] = kForward ? r1 * w1i + i1 * w1r : i1;
    d.re[v] = kForward ? r2 * w2r - i2 * w2i : r2;
    d.im[v] = kForward ? r2 * w2i + i2 * w2r : i2;
    e.re[v] = kForward ? r3 * w3r - i3 * w3i : r3;
    e.im[v] = kForward ? r3 * w3i + i3 * w3r : i3;
  }
}

}  // namespace

int64_t Fourier::fitting(int64_t wanted) {
  int64_t side = 16;
  while (side < wanted) side = side % 3 == 0 ? side / 3 * 4 : side / 2 * 3;
  return side;
}

Fourier::Fourier(int64_t side) : side_(side) {
  for (int64_t length = side; length > 1;) {
    Stage stage;
    stage.length = length;
    stage.radix = length % 3 == 0 ? 3 : length % 4 == 0 ? 4 : 2;
    const int64_t part = length / stage.radix;
    for (int64_t k = 0; k < part; ++k) {
      for (int r = 1; r < stage.radix; ++r) {
        double c = 0, s = 0;
        unit_root(k * r, length, c, s);
        stage.cos.push_back(c);
        stage.sin.push_back(s);
      }
    }
    stages_.push_back(std::move(stage));
    length = part;
  }
  between_.re.resize(static_cast<size_t>(side * side));
  between_.im.resize(between_.re.size());
}

// kWidth transforms side by side: side x kWidth numbers.
void Fourier::transform(double* re, double* im, bool forward) const {
  const auto stage_of = [&](const Stage& stage) {
    const int64_t part = stage.length / stage.radix;
    for (int64_t block = 0; block < side_; block += stage.length) {
      for (int64_t k = 0; k < part; ++k) {
        const auto at = [&](int64_t r) {
          const int64_t offset = (block + k + r * part) * kWidth;
          return Place{re + offset, im + offset};
        };
        const double* c = stage.cos.data() + k * (stage.radix - 1);
        const double* s = stage.sin.data() + k * (stage.radix - 1);
        if (stage.radix == 4) {
          forward ? butterfly4<true>(at(0), at(1), at(2), at(3), c, s) : butterfly4<false>(at(0), at(1), at(2), at(3), c, s);
        } else if (stage.radix == 3) {
          forward ? butterfly3<true>(at(0), at(1), at(2), c, s) : butterfly3<false>(at(0), at(1), at(2), c, s);
        } else {
          forward ? butterfly2<true>(at(0), at(1), c, s) : butterfly2<false>(at(0), at(1), c, s);
        }
      }
    }
  };
  if (forward) {
    for (const Stage& stage : stages_) stage_of(stage);
  } else {
    for (auto stage = stages_.rbegin(); stage != stages_.rend(); ++stage) stage_of(*stage);
  }
}

// Transforms the first `cols` columns of `from` (rows beyond rows_in count as zero) into rows of `to`, the first rows_out numbers of each.
template <bool kForward>
void Fourier::columns(const ComplexGrid& from, int64_t rows_in, int64_t cols, int64_t rows_out, ComplexGrid& to, const Context& ctx) const {
  for_row_blocks(cols, kWidth, ctx, [&](int64_t first, int64_t last) {
    std::vector<double> buffer(static_cast<size_t>(2 * side_ * kWidth));
    double* re = buffer.data();
    double* im = re + side_ * kWidth;
    for (int64_t i = 0; i < rows_in; ++i) {
      std::copy_n(from.re.data() + i * side_ + first, last - first, re + i * kWidth);
      std::copy_n(from.im.data() + i * side_ + first, last - first, im + i * kWidth);
    }
    transform(re, im, kForward);
    for (int64_t j = first; j < last; ++j) {
      for (int64_t i = 0; i < rows_out; ++i) to.re[static_cast<size_t>(j * side_ + i)] = re[i * kWidth + j - first];
      for (int64_t i = 0; i < rows_out; ++i) to.im[static_cast<size_t>(j * side_ + i)] = im[i * kWidth + j - first];
    }
  });
}

void Fourier::forward(const ComplexGrid& grid, int64_t used, ComplexGrid& spectrum, const Context& ctx) {
  spectrum.re.resize(between_.re.size());
  spectrum.im.resize(between_.re.size());
  columns<true>(grid, used, used, side_, between_, ctx);
  columns<true>(between_, used, side_, side_, spectrum, ctx);
}

void Fourier::backward(const ComplexGrid& spectrum, int64_t used, ComplexGrid& grid, const Context& ctx) {
  grid.re.resize(between_.re.size());
  grid.im.resize(between_.re.size());
  columns<false>(spectrum, side_, side_, used, between_, ctx);
  columns<false>(between_, side_, used, used, grid, ctx);
}

}  // namespace sluice
