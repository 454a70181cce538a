// Rows into the filter's float32 form: shifted, scaled, and laid out so that the micro kernels read them in order.
// Included once per target by foreach_target.
#if defined(SLUICE_KERNELS_FILTER_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICE_KERNELS_FILTER_ROWS_INL_H_
#undef SLUICE_KERNELS_FILTER_ROWS_INL_H_
#else
#define SLUICE_KERNELS_FILTER_ROWS_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"
#include "sluice/kernels/filter.h"
#include "sluice/kernels/rows.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::ScalableTag<float>;
using V32 = hn::Vec<F32>;
constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(F32()));
constexpr int64_t kTransposed = 2 * kLanes;  // rows of a block where lanes are rows

constexpr int64_t kFewCols = 8;

template <class D, class V>
HWY_INLINE auto to_f32(D df, V v) {
  if constexpr (sizeof(hn::TFromV<V>) == 8) {
    return hn::DemoteTo(df, v);
  } else {
    return v;
  }
}

// Adds a converted vector to the norm: squares, or magnitudes for Manhattan.
template <bool kL1, class V>
HWY_INLINE V add_norm(V v, V sum) {
  if constexpr (kL1) {
    return hn::Add(sum, hn::Abs(v));
  } else {
    return hn::MulAdd(v, v, sum);
  }
}

// fl32(scale * (x - shift)) into `out` (padded_cols(cols) values, zeros behind cols); returns sum of squares or magnitudes.
template <bool kL1, class T>
HWY_INLINE float convert_row(double row_scale, int64_t cols, const T* HWY_RESTRICT x, const T* HWY_RESTRICT shift,
                             float* HWY_RESTRICT out) {
  const hn::ScalableTag<T> d;
  const hn::Rebind<float, decltype(d)> df;
  const auto scale = hn::Set(d, static_cast<T>(row_scale));
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  auto sum = hn::Zero(df);
  int64_t j = 0;
  for (; j + lanes <= cols; j += lanes) {
    const auto v = to_f32(df, hn::Mul(hn::Sub(hn::LoadU(d, x + j), hn::LoadU(d, shift + j)), scale));
    hn::StoreU(v, df, out + j);
    sum = add_norm<kL1>(v, sum);
  }
  if (j < cols) {
    const auto x_tail = hn::MaskedLoad(hn::FirstN(d, static_cast<size_t>(cols - j)), d, x + j);
    const auto v = to_f32(df, hn::Mul(hn::Sub(x_tail, hn::LoadU(d, shift + j)), scale));
    hn::StoreU(v, df, out + j);
    sum = add_norm<kL1>(v, sum);
  }
  return hn::GetLane(hn::SumOfLanes(df, sum));
}

template <bool kL1>
HWY_INLINE float convert_row(const FilterCentres& f, const RowsView& rows, int64_t i, float* out) {
  return rows.is_f64 ? convert_row<kL1>(f.scale, f.d, rows.f64(i), f.shift64.data(), out)
                     : convert_row<kL1>(f.scale, f.d, rows.f32(i), f.shift.data(), out);
}

// Four rows of `in` (stride `in_stride`, d rounded up to 4 columns readable) to columns: out[t * out_stride + r], r < 4.
HWY_INLINE void transpose4(const float* in, int64_t in_stride, int64_t d, float* out, int64_t out_stride) {
  const hn::FixedTag<float, 4> d4;
  const hn::FixedTag<double, 2> d2;
  for (int64_t t = 0; t < d; t += 4, out += 4 * out_stride) {
    const auto r0 = hn::LoadU(d4, in + t);
    const auto r1 = hn::LoadU(d4, in + in_stride + t);
    const auto r2 = hn::LoadU(d4, in + 2 * in_stride + t);
    const auto r3 = hn::LoadU(d4, in + 3 * in_stride + t);
    const auto a = hn::BitCast(d2, hn::InterleaveLower(d4, r0, r1));
    const auto b = hn::BitCast(d2, hn::InterleaveLower(d4, r2, r3));
    const auto c = hn::BitCast(d2, hn::InterleaveUpper(d4, r0, r1));
    const auto e = hn::BitCast(d2, hn::InterleaveUpper(d4, r2, r3));
    hn::StoreU(hn::BitCast(d4, hn::InterleaveLower(d2, a, b)), d4, out);
    hn::StoreU(hn::BitCast(d4, hn::InterleaveUpper(d2, a, b)), d4, out + out_stride);
    hn::StoreU(hn::BitCast(d4, hn::InterleaveLower(d2, c, e)), d4, out + 2 * out_stride);
    hn::StoreU(hn::BitCast(d4, hn::InterleaveUpper(d2, c, e)), d4, out + 3 * out_stride);
  }
}

// `count` (at most 4) rows from `first`, converted, to columns of `out`; norms[0..4). Rows that are missing become zeros.
template <bool kL1>
HWY_INLINE void pack4(const FilterCentres& f, const RowsView& rows, int64_t first, int64_t count, float* row_buffer, float* out,
                      int64_t out_stride, float* norms) {
  const int64_t stride = padded_cols(f.d);
  for (int64_t r = 0; r < 4; ++r) {
    float* to = row_buffer + r * stride;
    norms[r] = 0;
    if (r < count) {
      norms[r] = convert_row<kL1>(f, rows, first + r, to);
    } else {
      for (int64_t j = 0; j < stride; ++j) to[j] = 0;
    }
  }
  transpose4(row_buffer, stride, f.d, out, out_stride);
}

// Two columns, nothing between rows: de-interleaved straight from memory. A whole block of kTransposed rows.
template <bool kL1, class T>
HWY_INLINE void pack_pairs(const FilterCentres& f, const T* x, float* out, float* norms) {
  const hn::ScalableTag<T> d;
  const hn::Rebind<float, decltype(d)> df;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto scale = hn::Set(d, static_cast<T>(f.scale));
  const auto m0 = hn::Set(d, static_cast<T>(f.shift64.data()[0]));
  const auto m1 = hn::Set(d, static_cast<T>(f.shift64.data()[1]));
  for (int64_t v = 0; v < kTransposed; v += lanes) {
    hn::Vec<decltype(d)> x0, x1;
    hn::LoadInterleaved2(d, x + 2 * v, x0, x1);
    const auto a = to_f32(df, hn::Mul(hn::Sub(x0, m0), scale));
    const auto b = to_f32(df, hn::Mul(hn::Sub(x1, m1), scale));
    hn::StoreU(a, df, out + v);
    hn::StoreU(b, df, out + kTransposed + v);
    hn::StoreU(add_norm<kL1>(b, add_norm<kL1>(a, hn::Zero(df))), df, norms + v);
  }
}

// Few columns: moved one by one, whatever lies between rows, then converted in lanes. A whole block of kTransposed rows.
// (Gather instructions are several times slower than scalar moves on some CPUs.)
template <bool kL1, class T>
HWY_INLINE void pack_few(const FilterCentres& f, const T* x, int64_t stride, float* out, float* norms) {
  const hn::ScalableTag<T> d;
  const hn::Rebind<float, decltype(d)> df;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  alignas(64) T column[kFewCols * kTransposed];
  for (int64_t r = 0; r < kTransposed; ++r) {
    for (int64_t j = 0; j < f.d; ++j) column[j * kTransposed + r] = x[r * stride + j];
  }
  const auto scale = hn::Set(d, static_cast<T>(f.scale));
  for (int64_t v = 0; v < kTransposed; v += lanes) {
    auto sum = hn::Zero(df);
    for (int64_t j = 0; j < f.d; ++j) {
      const auto shift = hn::Set(d, static_cast<T>(f.shift64.data()[j]));
      const auto exact = hn::Mul(hn::Sub(hn::Load(d, column + j * kTransposed + v), shift), scale);
      const auto a = to_f32(df, exact);
      hn::StoreU(a, df, out + j * kTransposed + v);
      sum = add_norm<kL1>(a, sum);
    }
    hn::StoreU(sum, df, norms + v);
  }
}

// Rows [first, first + count), count <= kTransposed, with rows in lanes: out[t * kTransposed + r]; norms[0..kTransposed).
template <bool kL1>
HWY_INLINE void pack_lanes(const FilterCentres& f, const RowsView& rows, int64_t first, int64_t count, float* row_buffer, float* out,
                           float* norms) {
  if (f.d == 2 && rows.stride == 2 && count == kTransposed) {
    if (rows.is_f64) {
      pack_pairs<kL1>(f, rows.f64(first), out, norms);
    } else {
      pack_pairs<kL1>(f, rows.f32(first), out, norms);
    }
    return;
  }
  if (f.d <= kFewCols && count == kTransposed) {
    if (rows.is_f64) {
      pack_few<kL1>(f, rows.f64(first), rows.stride, out, norms);
    } else {
      pack_few<kL1>(f, rows.f32(first), rows.stride, out, norms);
    }
    return;
  }
  for (int64_t r = 0; r < kTransposed; r += 4) {
    const int64_t left = count - r < 0 ? 0 : count - r;
    pack4<kL1>(f, rows, first + r, left < 4 ? left : 4, row_buffer, out + r, kTransposed, norms + r);
  }
}

// One more dimension of a score: the weight is -C.
template <bool kL1>
HWY_INLINE V32 add_term(V32 x, V32 weight, V32 score) {
  if constexpr (kL1) {
    return hn::Add(score, hn::Abs(hn::Add(x, weight)));
  } else {
    return hn::MulAdd(x, weight, score);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sluice::kernels
HWY_AFTER_NAMESPACE();

#endif  // SLUICE_KERNELS_FILTER_ROWS_INL_H_
