#include "sluice/anomaly/threshold.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sluice/anomaly/chosen_rows.h"
#include "sluice/core/error.h"
#include "sluice/core/math.h"
#include "sluice/core/quantiles.h"
#include "sluice/core/random.h"

namespace sluice {
namespace {

constexpr double kUpperQuartile = 0.67448975019608171;  // of the standard normal

// num(x) / den(x), coefficients from the constant up.
double ratio(std::span<const double> num, std::span<const double> den, double x) {
  double a = 0, b = 0;
  for (size_t i = num.size(); i-- > 0;) a = std::fma(a, x, num[i]);
  for (size_t i = den.size(); i-- > 0;) b = std::fma(b, x, den[i]);
  return a / b;
}

double quantile_of(std::vector<double>& scores, double q) {
  const double at = q * static_cast<double>(scores.size() - 1);
  const auto low = static_cast<std::ptrdiff_t>(at);
  std::nth_element(scores.begin(), scores.begin() + low, scores.end());
  const double a = scores[static_cast<size_t>(low)];
  if (static_cast<size_t>(low) + 1 == scores.size()) return a;
  return interpolate(a, *std::min_element(scores.begin() + low + 1, scores.end()), at - static_cast<double>(low));
}

double on_scale(const EmpiricalNull& null, double score) {
  if (null.scale == NullScale::kLog) return score > 0 ? log64(score) : -std::numeric_limits<double>::infinity();
  return score > null.least ? exp64(log64(score - null.least) / 3) : 0;
}

}  // namespace

double normal_tail(double z) {
  constexpr double kNear[] = {18154.981253343561249, 1067.6894854603709582, 161.02823106855587881, 2.2352520354606839287,
                              0.065682337918207449113};
  constexpr double kNearUnder[] = {45507.789335026729956, 10260.932208618978205, 976.09855173777669322, 47.20258190468824187, 1};
  constexpr double kMiddle[] = {9842.7148383839780218, 11602.651437647350124,  6848.1904505362823326,
                                2494.5375852903726711, 597.27027639480026226,  93.506656132177855979,
                                8.8831497943883759412, 0.39894151208813466764, 1.0765576773720192317e-8};
  constexpr double kMiddleUnder[] = {19685.429676859990727, 38912.003286093271411, 34900.952721145977266,
                                     18615.571640885098091, 6485.558298266760755,  1519.377599407554805,
                                     235.38790178262499861, 22.266688044328115691, 1};
  constexpr double kFar[] = {2.9112874951168792e-5, 0.001421619193227893466, 0.022235277870649807,
                             0.1274011611602473639, 0.21589853405795699,     0.02307344176494017303};
  constexpr double kFarUnder[] = {7.29751555083966205e-5, 0.00378239633202758244, 0.0659881378689285515,
                                  0.468238212480865118,   1.28426009614491121,    1};
  constexpr double kInverseRoot = 0.398942280401432677939946059934;  // 1 / sqrt(2 pi)
  const double y = std::fabs(z);
  if (y <= kUpperQuartile) return 0.5 - z * ratio(kNear, kNearUnder, y * y);
  if (!(y < 40)) return z > 0 ? 0 : 1;
  double scaled;  // of exp(-y^2 / 2)
  if (y <= 5.656854249492380195) {
    scaled = ratio(kMiddle, kMiddleUnder, y);
  } else {
    const double square = 1 / (y * y);
    scaled = (kInverseRoot - square * ratio(kFar, kFarUnder, square)) / y;
  }
  const double high = std::floor(y * 16) / 16;  // y^2 in two parts, so that it is not rounded before exp
  const double tail = exp64(-high * high / 2) * exp64(-(y - high) * (y + high) / 2) * scaled;
  return z > 0 ? tail : 1 - tail;
}

EmpiricalNull empirical_null(const std::vector<double>& scores, NullScale scale) {
  EmpiricalNull null;
  null.scale = scale;
  null.least = *std::min_element(scores.begin(), scores.end());
  std::vector<double> scaled;
  scaled.reserve(scores.size());
  for (const double score : scores) scaled.push_back(on_scale(null, score));
  null.middle = quantile_of(scaled, 0.5);
  null.spread = quantile_of(scaled, 0.75) - null.middle;
  return null;
}

double p_value(const EmpiricalNull& null, double score) {
  return normal_tail((on_scale(null, score) - null.middle) / null.spread * kUpperQuartile);
}

double conformal_p_value(std::span<const double> ascending, double score) {
  const auto above = ascending.end() - std::lower_bound(ascending.begin(), ascending.end(), score);
  return static_cast<double>(1 + above) / static_cast<double>(1 + ascending.size());
}

std::optional<double> largest_rejected(std::vector<double> p_values, double fdr) {
  std::sort(p_values.begin(), p_values.end());
  const auto n = static_cast<double>(p_values.size());
  for (size_t k = p_values.size(); k > 0; --k) {
    if (p_values[k - 1] <= fdr * static_cast<double>(k) / n) return p_values[k - 1];
  }
  return std::nullopt;
}

std::optional<double> threshold_of_share(std::vector<double> scores, double share) {
  std::sort(scores.begin(), scores.end(), std::greater<>());
  auto most = static_cast<size_t>(share * static_cast<double>(scores.size()));
  if (most >= scores.size()) return scores.empty() ? std::nullopt : std::optional(scores.back());
  while (most > 0 && scores[most - 1] == scores[most]) --most;
  if (most == 0) return std::nullopt;
  return scores[most - 1];
}

CrossScores cross_scores(const Source& rows, const Detector& detector, Context& ctx) {
  CrossScores out;
  const auto n = static_cast<size_t>(rows.rows());
  out.scores.resize(n);
  out.half.resize(n);
  out.p_values.resize(n);
  std::vector<int64_t> members[2];
  for (size_t i = 0; i < n; ++i) {
    out.half[i] = static_cast<uint8_t>(Random(ctx.seed, RandomStage::kConformalSplit, i).bits() & 1);
    members[out.half[i]].push_back(static_cast<int64_t>(i));
  }
  if (members[0].empty() || members[1].empty())
    fail(ErrorCode::kBadInput, "--p-values", "conformal fits each half of the rows, and one half is empty",
         "give more rows, or use empirical");
  for (int half = 0; half < 2; ++half) {
    ChosenRows others(rows, members[1 - half]);
    others.stats = measure(others, ctx);
    const Outcome fitted = detector(others, ctx);
    ChosenRows own(rows, members[half]);
    RowColumn<double> mine(leaf_range(own.rows(), own.cols(), ctx), 0.0);
    map(own, ctx, [&](int, const MatrixBlock& leaf) { fitted.score(leaf, mine.at(leaf.first_row)); });
    const std::vector<double> scores = gather(mine, ctx);
    std::vector<double> ascending = scores;
    std::sort(ascending.begin(), ascending.end());
    for (size_t i = 0; i < scores.size(); ++i) {
      const auto at = static_cast<size_t>(members[half][i]);
      out.scores[at] = scores[i];
      const auto above = ascending.end() - std::lower_bound(ascending.begin(), ascending.end(), scores[i]);
      out.p_values[at] = static_cast<double>(above) / static_cast<double>(ascending.size());
    }
  }
  return out;
}

}  // namespace sluice
