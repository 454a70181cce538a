#include "sluice/kernels/syrk.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sluice/kernels/syrk.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "sluice/kernels/cpu.h"
#include "sluice/kernels/syrk-inl.h"
#include "sluice/kernels/syrk_ref.h"

#if HWY_ONCE
namespace sluice::kernels {

HWY_EXPORT(Syrk);

namespace {
void run(const RowsView& rows, const double* center, const double* weights, double* upper, SyrkScratch& scratch) noexcept {
  if (current_target() == Target::kScalar) return syrk_ref(rows, center, weights, upper);
  HWY_DYNAMIC_DISPATCH(Syrk)(rows, center, weights, upper, scratch);
}
}  // namespace

void syrk_add(const RowsView& rows, const double* center, double* upper, SyrkScratch& scratch) noexcept {
  run(rows, center, nullptr, upper, scratch);
}

void syrk_add_weighted(const RowsView& rows, const double* center, const double* weights, double* upper, SyrkScratch& scratch) noexcept {
  run(rows, center, weights, upper, scratch);
}

}  // namespace sluice::kernels
#endif
