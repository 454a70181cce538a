#include "sluice/metrics/ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "sluice/core/error.h"
#include "sluice/core/text.h"

namespace sluice {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

struct Scored {
  double score;
  bool positive;
};

std::vector<Scored> falling(std::span<const double> scores, std::span<const uint8_t> positive) {
  if (scores.size() != positive.size()) {
    fail(ErrorCode::kBadInput, "labels",
         to_text(static_cast<int64_t>(positive.size())) + " labels for " + to_text(static_cast<int64_t>(scores.size())) + " scores",
         "give one label a row");
  }
  std::vector<Scored> all(scores.size());
  for (size_t i = 0; i < all.size(); ++i) {
    if (std::isnan(scores[i])) fail(ErrorCode::kBadInput, "scores", "row " + std::to_string(i) + " has no score", "give finite scores");
    all[i] = {scores[i], positive[i] != 0};
  }
  std::ranges::sort(all, [](const Scored& a, const Scored& b) { return a.score > b.score; });
  return all;
}

// Calls f(positives, negatives) for each distinct score, falling.
template <class F>
void each_score(const std::vector<Scored>& all, const F& f) {
  for (size_t i = 0; i < all.size();) {
    int64_t positives = 0, negatives = 0;
    const double score = all[i].score;
    for (; i < all.size() && all[i].score == score; ++i) ++(all[i].positive ? positives : negatives);
    f(positives, negatives);
  }
}

int64_t count_positive(const std::vector<Scored>& all) {
  return std::ranges::count_if(all, [](const Scored& row) { return row.positive; });
}

}  // namespace

double roc_auc(std::span<const double> scores, std::span<const uint8_t> positive) {
  const std::vector<Scored> all = falling(scores, positive);
  using Wide = unsigned __int128;
  Wide twice = 0;  // pairs won, in halves
  int64_t above = 0, negatives_seen = 0;
  each_score(all, [&](int64_t positives, int64_t negatives) {
    twice += static_cast<Wide>(negatives) * static_cast<Wide>(2 * above + positives);
    above += positives;
    negatives_seen += negatives;
  });
  if (above == 0 || negatives_seen == 0) return kNothing;
  return static_cast<double>(twice) / static_cast<double>(2 * static_cast<Wide>(above) * static_cast<Wide>(negatives_seen));
}

double average_precision(std::span<const double> scores, std::span<const uint8_t> positive) {
  const std::vector<Scored> all = falling(scores, positive);
  const int64_t wanted = count_positive(all);
  if (wanted == 0) return kNothing;
  double sum = 0, lost = 0;  // Kahan's sum
  int64_t taken = 0, right = 0;
  each_score(all, [&](int64_t positives, int64_t negatives) {
    taken += positives + negatives;
    right += positives;
    const double term = static_cast<double>(positives) * (static_cast<double>(right) / static_cast<double>(taken)) - lost;
    const double next = sum + term;
    lost = (next - sum) - term;
    sum = next;
  });
  return sum / static_cast<double>(wanted);
}

double precision_at(std::span<const double> scores, std::span<const uint8_t> positive, int64_t n) {
  const std::vector<Scored> all = falling(scores, positive);
  if (n < 0 || n > static_cast<int64_t>(all.size()))
    fail(ErrorCode::kUsage, "n", to_text(n) + " of " + to_text(static_cast<int64_t>(all.size())) + " rows", "ask for 1 up to all rows");
  if (n == 0) n = count_positive(all);
  if (n == 0) return kNothing;
  double right = 0;
  int64_t left = n;
  each_score(all, [&](int64_t positives, int64_t negatives) {
    const int64_t here = std::min(left, positives + negatives);
    if (here == positives + negatives) {
      right += static_cast<double>(positives);
    } else if (here > 0) {
      right += static_cast<double>(positives) * (static_cast<double>(here) / static_cast<double>(positives + negatives));
    }
    left -= here;
  });
  return right / static_cast<double>(n);
}

}  // namespace sluice
