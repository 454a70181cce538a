#include "sluice/kernels/assign.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sluice/kernels/assign.cc"
// clang-format off
#include "hwy/foreach_target.h"  // must come before highway.h
// clang-format on
#include "hwy/highway.h"
#include "sluice/kernels/assign_job.h"
#include "sluice/kernels/assign_lanes-inl.h"
#include "sluice/kernels/assign_panels-inl.h"
#include "sluice/kernels/cpu.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::kernels {
namespace HWY_NAMESPACE {

void Assign(const AssignJob& job) {
  const bool l1 = job.metric == Metric::kManhattan;
  if (job.filter->layout == FilterLayout::kRowsInLanes) {
    l1 ? assign_lanes<true>(job) : assign_lanes<false>(job);
  } else {
    l1 ? assign_panels<true>(job) : assign_panels<false>(job);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sluice::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice::kernels {
namespace {

// Rows in lanes keep the whole centre number in the score, which costs precision; beyond 128 centres too much of it.
FilterLayout layout_of(int64_t k) {
  return k <= 128 ? FilterLayout::kRowsInLanes : FilterLayout::kCentresInLanes;
}

}  // namespace

HWY_EXPORT(Assign);

AssignPlan::AssignPlan(Metric metric, const double* centers, int64_t k, int64_t d, const double* shift, int scale_exponent, bool sparse)
    : metric_(metric),
      k_(k),
      d_(d),
      centers_(centers, centers + k * d),
      filter_(sparse ? FilterCentres{} : pack_centres(metric, centers, k, d, shift, scale_exponent, layout_of(k), true)) {
  if (sparse) sparse_ = SparseCentres(metric, centers_.data(), k, d);
}

void AssignPlan::assign(const RowsView& rows, int32_t* labels, double* distances, AssignScratch& scratch) const noexcept {
  const bool filtered = k_ > 1 && filter_.usable && (rows.is_f64 || filter_.scale_fits_f32);
  if (!filtered || current_target() == Target::kScalar) return assign_ref(metric_, centers_.data(), k_, d_, rows, labels, distances);
  HWY_DYNAMIC_DISPATCH(Assign)({metric_, centers_.data(), k_, d_, &filter_, &rows, labels, distances, &scratch});
}

}  // namespace sluice::kernels
#endif
