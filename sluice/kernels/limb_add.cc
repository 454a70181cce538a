#include "sluice/kernels/limb_add.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sluice/kernels/limb_add.cc"
// clang-format off
#include "hwy/foreach_target.h"  // must come before highway.h
// clang-format on
#include "hwy/highway.h"
#include "sluice/kernels/cpu.h"
#include "sluice/kernels/limb_add_ref.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE hn::Vec<D> load_row(D d, const double* p) {
  return hn::LoadU(d, p);
}
template <class D>
HWY_INLINE hn::Vec<D> load_row(D d, const float* p) {
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, D>(), p));
}

template <bool kSubtract, class T>
HWY_INLINE void add_vectors(int64_t* sums, const T* row, const double* magic, int64_t cols, int limbs) {
  const hn::ScalableTag<double> d;
  const hn::RebindToSigned<decltype(d)> di;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t j = 0;
  for (; j + lanes <= cols; j += lanes) {
    auto rest = load_row(d, row + j);
    for (int64_t l = 0; l < limbs; ++l) {
      const auto m = hn::LoadU(d, magic + l * cols + j);
      const auto y = hn::Add(rest, m);
      int64_t* to = sums + l * cols + j;
      const auto sum = hn::LoadU(di, to);
      const auto bits = hn::BitCast(di, y);
      hn::StoreU(kSubtract ? hn::Sub(sum, bits) : hn::Add(sum, bits), di, to);
      rest = hn::Sub(rest, hn::Sub(y, m));
    }
  }
  limb_add_ref<kSubtract>(sums, row, magic, j, cols, limbs);
}

template <bool kSubtract, class T>
HWY_INLINE void add_any(int64_t* sums, const T* row, const double* magic, int64_t cols, int limbs) {
  if (limbs == 1) return add_vectors<kSubtract>(sums, row, magic, cols, 1);  // the common case, without its inner loop
  add_vectors<kSubtract>(sums, row, magic, cols, limbs);
}

void Add64(int64_t* s, const double* r, const double* m, int64_t cols, int limbs) {
  add_any<false>(s, r, m, cols, limbs);
}
void Add32(int64_t* s, const float* r, const double* m, int64_t cols, int limbs) {
  add_any<false>(s, r, m, cols, limbs);
}
void Subtract64(int64_t* s, const double* r, const double* m, int64_t cols, int limbs) {
  add_any<true>(s, r, m, cols, limbs);
}
void Subtract32(int64_t* s, const float* r, const double* m, int64_t cols, int limbs) {
  add_any<true>(s, r, m, cols, limbs);
}

template <class T>
HWY_INLINE void add_labelled(int64_t* sums, const T* data, const RowsView& rows, const int32_t* labels, const double* magic, int limbs) {
  constexpr int64_t kAhead = 3;  // rows; enough for sums that lie in L2 or L3
  const int64_t group = limbs * rows.cols;
  for (int64_t i = 0; i < rows.rows; ++i) {
    if (i + kAhead < rows.rows) {
      const int64_t* next = sums + labels[i + kAhead] * group;
      for (int64_t j = 0; j < group; j += 8) __builtin_prefetch(next + j, 1);
    }
    add_any<false>(sums + labels[i] * group, data + i * rows.stride, magic, rows.cols, limbs);
  }
}

void AddRows(int64_t* sums, const RowsView& rows, const int32_t* labels, const double* magic, int limbs) {
  if (rows.is_f64) return add_labelled(sums, rows.f64(0), rows, labels, magic, limbs);
  add_labelled(sums, rows.f32(0), rows, labels, magic, limbs);
}

}  // namespace HWY_NAMESPACE
}  // namespace sluice::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::kernels {

HWY_EXPORT(Add64);
HWY_EXPORT(Add32);
HWY_EXPORT(Subtract64);
HWY_EXPORT(Subtract32);
HWY_EXPORT(AddRows);

void limb_add(int64_t* sums, const double* row, const double* magic, int64_t cols, int limbs) noexcept {
  if (current_target() == Target::kScalar) return limb_add_ref<false>(sums, row, magic, 0, cols, limbs);
  HWY_DYNAMIC_DISPATCH(Add64)(sums, row, magic, cols, limbs);
}
void limb_add(int64_t* sums, const float* row, const double* magic, int64_t cols, int limbs) noexcept {
  if (current_target() == Target::kScalar) return limb_add_ref<false>(sums, row, magic, 0, cols, limbs);
  HWY_DYNAMIC_DISPATCH(Add32)(sums, row, magic, cols, limbs);
}
void limb_subtract(int64_t* sums, const double* row, const double* magic, int64_t cols, int limbs) noexcept {
  if (current_target() == Target::kScalar) return limb_add_ref<true>(sums, row, magic, 0, cols, limbs);
  HWY_DYNAMIC_DISPATCH(Subtract64)(sums, row, magic, cols, limbs);
}
void limb_subtract(int64_t* sums, const float* row, const double* magic, int64_t cols, int limbs) noexcept {
  if (current_target() == Target::kScalar) return limb_add_ref<true>(sums, row, magic, 0, cols, limbs);
  HWY_DYNAMIC_DISPATCH(Subtract32)(sums, row, magic, cols, limbs);
}
void limb_add_rows(int64_t* sums, const RowsView& rows, const int32_t* labels, const double* magic, int limbs) noexcept {
  if (current_target() != Target::kScalar) return HWY_DYNAMIC_DISPATCH(AddRows)(sums, rows, labels, magic, limbs);
  for (int64_t i = 0; i < rows.rows; ++i) {
    int64_t* to = sums + labels[i] * limbs * rows.cols;
    rows.is_f64 ? limb_add_ref<false>(to, rows.f64(i), magic, 0, rows.cols, limbs)
                : limb_add_ref<false>(to, rows.f32(i), magic, 0, rows.cols, limbs);
  }
}

}  // namespace sluice::kernels
#endif
