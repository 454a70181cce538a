#include "sluice/kernels/pairs.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sluice/kernels/pairs.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "sluice/kernels/cpu.h"
#include "sluice/kernels/pair_sums-inl.h"
#include "sluice/kernels/pairs-inl.h"
#include "sluice/kernels/pairs_ref.h"

#if HWY_ONCE
namespace sluice::kernels {

HWY_EXPORT(CountPairs);
HWY_EXPORT(VisitPairs);
HWY_EXPORT(NearestPairs);
HWY_EXPORT(SumPairs);

namespace {
bool scalar() {
  return current_target() == Target::kScalar;
}
}  // namespace

// Beyond 2^+-1000 the factor itself would leave the range of double; the filter then knows less, and results stay.
PairPlan::PairPlan(Metric metric, int64_t d, const double* shift, int scale_exponent)
    : metric_(metric), scale_exponent_(metric == Metric::kCosine ? 0 : std::clamp(scale_exponent, -1000, 1000)), shift_(d) {
  if (shift != nullptr && metric != Metric::kCosine) shift_.assign(shift, shift + d);
}

void PairPlan::count_within(const RowsView& a, const RowsView& b, double limit, int64_t* counts, PairScratch& scratch) const noexcept {
  if (scalar()) return count_within_ref(metric_, a, b, limit, counts);
  HWY_DYNAMIC_DISPATCH(CountPairs)(*this, a, b, limit, counts, scratch);
}

void PairPlan::visit_within(const RowsView& a, const RowsView& b, double limit, void* context, Hit hit,
                            PairScratch& scratch) const noexcept {
  if (scalar()) return visit_within_ref(metric_, a, b, limit, context, hit);
  HWY_DYNAMIC_DISPATCH(VisitPairs)(*this, a, b, limit, context, hit, scratch);
}

void PairPlan::nearest(const RowsView& a, const RowsView& b, int64_t b_first_row, int64_t a_first_row, int64_t k, double* distance,
                       int64_t* index, PairScratch& scratch) const noexcept {
  if (scalar()) return nearest_ref(metric_, a, b, b_first_row, a_first_row, k, distance, index);
  HWY_DYNAMIC_DISPATCH(NearestPairs)(*this, a, b, b_first_row, a_first_row, k, distance, index, scratch);
}

void PairPlan::distance_sums(const RowsView& a, const RowsView& b, const int32_t* b_labels, int64_t k, double* sums,
                             PairScratch& scratch) const noexcept {
  if (scalar()) return distance_sums_ref(metric_, a, b, b_labels, k, sums);
  HWY_DYNAMIC_DISPATCH(SumPairs)(metric_, a, b, b_labels, k, sums, scratch);
}

}  // namespace sluice::kernels
#endif
