#include "sluice/kernels/seed_update.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sluice/kernels/seed_update.cc"
// clang-format off
#include "hwy/foreach_target.h"  // must come before highway.h
// clang-format on
#include "hwy/highway.h"
#include "sluice/kernels/cpu.h"
#include "sluice/kernels/filter.h"
#include "sluice/kernels/seed_update-inl.h"
#include "sluice/kernels/seed_update_ref.h"

#if HWY_ONCE
namespace sluice::kernels {

HWY_EXPORT(SeedDistances);

void seed_distances(const RowsView& rows, Metric metric, const double* candidates, int64_t n_candidates, const double* current, double* out,
                    SeedScratch& scratch, const double* shift, int scale_exponent) noexcept {
  if (current == nullptr || n_candidates > kMostCandidates || current_target() == Target::kScalar) {
    scratch.evaluated += rows.rows * n_candidates;
    return seed_distances_ref(rows, metric, candidates, n_candidates, current, out);
  }
  const FilterCentres filter =
      pack_centres(metric, candidates, n_candidates, rows.cols, shift, scale_exponent, FilterLayout::kRowsInLanes, false);
  if (!filter.usable || (!rows.is_f64 && !filter.scale_fits_f32)) {
    scratch.evaluated += rows.rows * n_candidates;
    return seed_distances_ref(rows, metric, candidates, n_candidates, current, out);
  }
  HWY_DYNAMIC_DISPATCH(SeedDistances)({&rows, &filter, candidates, n_candidates, current, out, &scratch});
}

}  // namespace sluice::kernels
#endif
