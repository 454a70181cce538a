#include "sluice/reduce/pca_count.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "sluice/core/error.h"
#include "sluice/core/math.h"
#include "sluice/core/text.h"

namespace sluice {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kNothing = 1e-15;  // scikit-learn's: variances below it do not count

// log(Gamma(m / 2)) for m = 0 (not used) to `most`.
std::vector<double> log_gamma_halves(size_t most) {
  std::vector<double> out(std::max<size_t>(most + 1, 3));
  out[1] = 0.5 * log64(kPi);
  out[2] = 0;
  for (size_t m = 3; m < out.size(); ++m) out[m] = out[m - 2] + log64(static_cast<double>(m - 2) / 2);
  return out;
}

// Equal variances would give log 0, and the likelihood of a degenerate posterior is no reason to stop.
double log_of(double x) {
  return log64(std::max(x, std::numeric_limits<double>::min()));
}

}  // namespace

PcaCount parse_pca_count(const std::string& text) {
  if (text == "all") return {};
  if (text == "mle") return {.kind = PcaCount::Kind::kMle};
  if (const auto count = parse_number<int64_t>(text); count && *count >= 1) return {.kind = PcaCount::Kind::kCount, .count = *count};
  if (const auto share = parse_number<double>(text); share && *share > 0 && *share < 1)
    return {.kind = PcaCount::Kind::kShare, .share = *share};
  fail(ErrorCode::kUsage, "--n-components", "'" + text + "' is not a value for it",
       "give a whole number from 1, a share between 0 and 1, mle or all");
}

void check_pca_count(const PcaCount& count, int64_t n, int64_t d) {
  const std::string shape = to_text(n) + " rows of " + to_text(d) + " columns";
  if (count.kind == PcaCount::Kind::kCount && count.count > std::min(n, d)) {
    fail(ErrorCode::kBadInput, "--n-components",
         shape + " have at most " + to_text(std::min(n, d)) + " components, not " + to_text(count.count), "ask for fewer");
  }
  if (count.kind == PcaCount::Kind::kMle && n < d) {
    fail(ErrorCode::kBadInput, "--n-components", "mle needs at least as many rows as columns, and there are " + shape,
         "give a count or a share");
  }
}

int64_t components_to_keep(const PcaCount& count, std::span<const double> variances, double total, double weight) {
  const auto all = static_cast<int64_t>(variances.size());
  switch (count.kind) {
    case PcaCount::Kind::kCount:
      return count.count;
    case PcaCount::Kind::kMle:
      return minka_dimension(variances, weight);
    case PcaCount::Kind::kAll:
      return all;
    default:
      break;
  }
  double sum = 0;
  int64_t below = 0;
  for (const double variance : variances) {
    sum += total > 0 ? variance / total : 0;
    if (sum > count.share) break;
    ++below;
  }
  return std::min(below + 1, all);
}

// The likelihood of rank r has a sum over pairs i < r, i < j, whose term depends on r only through j >= r: kept as running sums,
// so all ranks together cost O(d^2).
int64_t minka_dimension(std::span<const double> variances, double n) {
  const size_t d = variances.size();
  const std::vector<double> log_gamma = log_gamma_halves(d);
  const double log_n = log64(n);
  const auto gap = [&](size_t i, size_t j) { return log_of(variances[i] - variances[j]); };
  double tail = 0;  // sum of the variances from rank on
  for (const double variance : variances) tail += variance;
  double inside = 0;  // pairs i < j < r
  double across = 0;  // sum of gap(i, j) for i < r <= j
  double pairs = 0;   // i < r, i < j
  double prior = 0;   // of the directions
  double logs = 0;    // of the first r variances
  double best = -std::numeric_limits<double>::infinity();
  size_t chosen = 1;
  for (size_t r = 1; r < d; ++r) {
    const size_t added = r - 1;  // the variance that joins
    if (variances[added] < kNothing) break;
    for (size_t i = 0; i < added; ++i) {
      const double g = gap(i, added);
      across -= g;
      inside += g + log_of(1 / variances[added] - 1 / variances[i]);
    }
    for (size_t j = r; j < d; ++j) across += gap(added, j);
    pairs += static_cast<double>(d - r);
    prior += log_gamma[d - added] - log64(kPi) * static_cast<double>(d - added) / 2;
    logs += log64(variances[added]);
    tail -= variances[added];
    const auto rank = static_cast<double>(r);
    const auto left = static_cast<double>(d - r);
    const double noise = std::max(kNothing, tail / left);
    double outside = 0;
    for (size_t i = 0; i < r; ++i) outside += log_of(1 / noise - 1 / variances[i]);
    const double parameters = static_cast<double>(d) * rank - rank * (rank + 1) / 2;
    const double laplace = inside + across + left * outside + pairs * log_n;
    const double likelihood = -rank * log64(2) + prior - logs * n / 2 - log64(noise) * n * left / 2 +
                              log64(2 * kPi) * (parameters + rank) / 2 - laplace / 2 - rank * log_n / 2;
    if (likelihood > best) {
      best = likelihood;
      chosen = r;
    }
  }
  return static_cast<int64_t>(chosen);
}

}  // namespace sluice
