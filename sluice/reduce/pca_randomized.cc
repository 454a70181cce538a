// The randomised solver: a random subspace of the centred rows.
#include "sluice/core/moments.h"
#include "sluice/reduce/pca_solvers.h"
#include "sluice/reduce/subspace.h"

namespace sluice::detail {

Spectrum randomized_spectrum(const Source& rows, const std::vector<double>& center, int64_t wanted, int64_t width, int64_t power,
                             Context& ctx) {
  ctx.stage("variance");
  const Moments all = moments(rows, ctx);
  Spectrum out;
  out.weight = all.weight;
  const double degrees = degrees_of_freedom(all.weight);
  for (const double variance : all.variance) out.total += variance * (all.weight / degrees);
  Subspace found = leading_subspace(rows, center, wanted, width, power, ctx);
  for (const double value : found.values) out.variances.push_back(value / degrees);
  out.directions = std::move(found.directions);
  return out;
}

}  // namespace sluice::detail
