#include "sluice/kernels/filter.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::kernels {
namespace {

constexpr double kUnit32 = 0x1p-24;
constexpr double kUnit64 = 0x1p-53;
constexpr double kTiny = 0x1p-125;        // what one float32 operation can lose to underflow, flushed or not
constexpr int64_t kMostCols = 1'000'000;  // d u <= 0.06
constexpr int64_t kMostSlots = int64_t{1} << 20;
constexpr double kMostStart = 1e37;  // of |C|^2/2 and of |C|_1; with kFilterLimit it keeps every score finite
constexpr double kMostNorm = 4e18;

// Largest sizes over all centres, of the scaled and shifted values.
struct Extent {
  double norm = 0;      // |C|, or |C|_1 for Manhattan
  double residual = 0;  // |C - c~|, same norm
  double start = 0;     // Kmax
  bool finite = true;
};

FilterBound bound_of(Metric metric, const Extent& x, int64_t cols) {
  const double d = static_cast<double>(cols);
  const double g = d * kUnit32 / (1 - d * kUnit32) * (1 + 0x1p-20);
  const double rho = (d / 8 + 8) * kUnit64;
  const double unit = kUnit32 * (1 + 0x1p-20);
  const double tiny_norm = std::sqrt(d) * 0x1p-62;  // squares below 2^-126 may be missing from the computed norm
  const double norm_error = 1 + (d + 8) * kUnit32 * 1.1;
  double relative = 0, slope = 0, square = 0, offset = 0;
  if (metric == Metric::kManhattan) {
    const double g1 = (d + 1) * kUnit32 / (1 - (d + 1) * kUnit32);
    relative = (1 + g1) / (1 - g1) * (1 + 2.2 * rho) - 1;
    slope = 2 * unit * norm_error;
    offset = 2 * x.residual + 4 * d * kTiny;
    const double spread = (1 + g1) * (1 + g1);
    slope *= spread;
    offset *= spread;
  } else {
    slope = 2 * ((unit + g) * x.norm + x.residual) * norm_error;
    offset = 2 * ((kUnit32 + 0x1p-45 + g) * (1 + 0x1p-20) * x.start + (std::sqrt(d) * x.norm + d + 4) * kTiny) + slope * tiny_norm;
    if (metric == Metric::kSquaredEuclidean) {
      square = 2.5 * rho * norm_error;
      offset += 2.5 * rho * x.norm * x.norm;
    } else {
      slope += 2.5 * (rho + kUnit64) * x.norm * norm_error;
      offset += 2.5 * kUnit64;
    }
  }
  // 2 %: the index bits of the threshold itself (at most 2^-7) and float32 rounding of these constants and of their use.
  constexpr double kRoom = 1.02;
  return {static_cast<float>(relative * kRoom), static_cast<float>(slope * kRoom), static_cast<float>(square * kRoom + 0x1p-126),
          static_cast<float>(offset * kRoom + 0x1p-120)};
}

// One centre into its slot of `f`; grows `extent`.
void pack_one(FilterCentres& f, const double* centre, int64_t slot, Extent& extent) {
  const int64_t width = f.width();
  float* out = f.weights.data() + slot / width * width * f.d + slot % width;
  const bool l1 = f.metric == Metric::kManhattan;
  double norm = 0, residual = 0;
  for (int64_t j = 0; j < f.d; ++j) {
    const double exact = (centre[j] - f.shift64.data()[j]) * f.scale;
    const float rounded = static_cast<float>(exact);
    out[j * width] = -rounded;
    const double rest = exact - static_cast<double>(rounded);
    norm += l1 ? std::fabs(exact) : exact * exact;
    residual += l1 ? std::fabs(rest) : rest * rest;
  }
  const double start = f.metric == Metric::kSquaredEuclidean ? norm / 2 : 0;
  f.start.data()[slot] = static_cast<float>(start);
  if (!l1) {
    norm = std::sqrt(norm);
    residual = std::sqrt(residual);
  }
  if (!(norm < (l1 ? kMostStart : kMostNorm))) extent.finite = false;
  // The float64 arithmetic above: differences to 2^-53, sums of d terms to d 2^-53 (d <= 10^6), squares to 2^-1022.
  extent.norm = std::max(extent.norm, norm * (1 + 0x1p-30) + 0x1p-500);
  extent.residual = std::max(extent.residual, residual * (1 + 0x1p-30) + norm * 0x1p-52 + 0x1p-500);
  extent.start = std::max(extent.start, start * (1 + 0x1p-30));
}

// B and F of filter.h in units of 2^exponent; F is infinite when no centre is left out.
struct Split {
  double core = 0;
  double far = std::numeric_limits<double>::infinity();
};

// Far is worth a split only when it spoils the rest (256 times as far out), and when few centres are: at most an eighth.
Split split_at_gap(std::vector<double> norms) {
  std::sort(norms.begin(), norms.end());
  const int64_t k = static_cast<int64_t>(norms.size());
  for (int64_t core = k - std::max<int64_t>(1, k / 8); core >= 1 && core < k; ++core) {
    const double inner = norms[static_cast<size_t>(core - 1)], outer = norms[static_cast<size_t>(core)];
    // Norms below 2^-400 may have lost squares to underflow: nothing is concluded from them.
    if (outer > 256 * inner && outer > 0x1p-400 && std::isfinite(outer)) return {inner, outer};
  }
  return {norms.back()};
}

std::vector<double> centre_norms(const FilterCentres& f, const double* centers, int exponent) {
  const double unit = std::ldexp(1.0, -exponent);
  std::vector<double> norms(static_cast<size_t>(f.k));
  for (int64_t c = 0; c < f.k; ++c) {
    double sum = 0;
    for (int64_t j = 0; j < f.d; ++j) {
      const double x = (centers[c * f.d + j] - f.shift64.data()[j]) * unit;
      sum += f.metric == Metric::kManhattan ? std::fabs(x) : x * x;
    }
    norms[static_cast<size_t>(c)] = f.metric == Metric::kManhattan ? sum : std::sqrt(sum);
  }
  return norms;
}

// Scale so that the core's norms (or F, when the core has none) are at most one, and the rows' limit that goes with F.
void set_scale(FilterCentres& f, const Split& split, int exponent) {
  int e = exponent;
  const double measure = split.core > 0 ? split.core : split.far;
  if (measure > 0 && std::isfinite(measure)) {
    int of_measure = 0;
    std::frexp(measure, &of_measure);
    e += of_measure;
  }
  e = std::clamp(e, -400, 400);
  if (e > 126 && e <= 140) e = 126;  // all that float32 values can need
  f.scale = std::ldexp(1.0, -e);
  f.scale_fits_f32 = e >= -120 && e <= 126;
  const double change = std::ldexp(1.0, exponent - e);
  if (std::isfinite(split.far)) {
    constexpr double kMargin = 1 - 0x1p-8;
    const double reach = (split.far * kMargin - split.core) / 2 * change * kMargin / (1 + 1.2 * static_cast<double>(f.d + 8) * kUnit32);
    const double limit = f.metric == Metric::kManhattan ? reach : reach * reach;
    f.norm_limit = static_cast<float>(std::min<double>(limit, kFilterLimit));
  }
}

bool set_shift(FilterCentres& f, const double* shift) {
  f.shift.reserve(padded_cols(f.d));
  f.shift64.reserve(padded_cols(f.d));
  if (shift == nullptr || f.metric == Metric::kCosine) return true;
  for (int64_t j = 0; j < f.d; ++j) {
    if (!(std::fabs(shift[j]) < 3e38)) return false;
    f.shift.data()[j] = static_cast<float>(shift[j]);
    f.shift64.data()[j] = static_cast<double>(f.shift.data()[j]);
  }
  return true;
}

}  // namespace

FilterCentres pack_centres(Metric metric, const double* centers, int64_t k, int64_t d, const double* shift, int scale_exponent,
                           FilterLayout layout, bool split_far) {
  FilterCentres f;
  f.layout = layout;
  f.metric = metric;
  f.k = k;
  f.d = d;
  f.slots = (k + f.width() - 1) / f.width() * f.width();
  if (k < 1 || d > kMostCols || f.slots > kMostSlots || (layout == FilterLayout::kRowsInLanes && f.slots > 1 << 16)) return f;
  if (!set_shift(f, shift)) return f;
  std::vector<double> norms;
  double far = std::numeric_limits<double>::infinity();
  const int exponent = std::clamp(scale_exponent, -400, 400);
  if (metric != Metric::kCosine) {
    norms = centre_norms(f, centers, exponent);
    const Split split = split_far ? split_at_gap(norms) : Split{*std::max_element(norms.begin(), norms.end())};
    if (!std::isfinite(split.core)) return f;
    set_scale(f, split, exponent);
    far = split.far;
  }
  f.weights.reserve(f.slots * d);
  f.start.reserve(f.slots);
  for (int64_t c = 0; c < f.slots; ++c) f.start.data()[c] = kEmptyScore;
  Extent extent;
  for (int64_t c = 0; c < k; ++c) {
    if (norms.empty() || norms[static_cast<size_t>(c)] < far) pack_one(f, centers + c * d, c, extent);
  }
  if (!extent.finite) return f;
  f.bound = bound_of(metric, extent, d);
  f.usable = std::isfinite(f.bound.slope) && std::isfinite(f.bound.offset) && std::isfinite(f.bound.square);
  return f;
}

}  // namespace sluice::kernels
