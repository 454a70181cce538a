// From scores to alerts: how surprising a score is, and from which score on rows are flagged.
// Use on the scores of any detector of this room. Nothing here looks at the rows.
//
// Two ways to a p-value, the chance of a score at least as high when nothing is wrong:
//   empirical  an empirical null (Efron 2004): the upper half of the body of the scores, from the median to the upper quartile, is taken to
//              come from usual rows and to continue as a normal distribution, after the scores were brought to a scale where it can: the cube
//              root of what a score has above the least one (Wilson and Hilferty 1931: right for sums of squares and of exponentials), or
//              the logarithm where the score is itself an exponential of a mean (isolation forest). Assumes that anomalies are well below a
//              quarter of the rows and that usual scores have no heavier tail than that; where the columns themselves are heavy-tailed,
//              usual extremes are flagged too.
//   conformal  the rank among calibration scores, which come from models that did not see those rows. Assumes only that calibration rows
//              and usual new rows are exchangeable (Vovk, Gammerman and Shafer 2005): exact, if the calibration rows are usual ones, and on
//              the safe side if some are not. Among themselves such p-values are uniform, so the fit's own rows can't be flagged by them:
//              the fit is the reference, and `apply` judges new rows against it.
//
// Benjamini and Hochberg's rule flags the rows with the smallest p-values so that the expected share of false alarms among the alerts is
// at most `fdr`: doi:10.1111/j.2517-6161.1995.tb02031.x; for conformal p-values Bates, Candes, Lei, Romano and Sesia 2023,
// doi:10.1214/22-AOS2244. Efron 2004, doi:10.1198/016214504000000089; Wilson and Hilferty 1931, doi:10.1073/pnas.17.12.684.
//
// Determinism: functions of the sorted scores; same bits for any threads, ranks and CPU.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "sluice/core/outcome.h"

namespace sluice {

// The chance that a standard normal number exceeds z. Relative error about 1e-14. Cody 1969, doi:10.1090/S0025-5718-1969-0247736-4.
double normal_tail(double z);

enum class NullScale { kCubeRoot, kLog };

struct EmpiricalNull {
  NullScale scale = NullScale::kCubeRoot;
  double least = 0;   // score; cube root only
  double middle = 0;  // the median, on the scale
  double spread = 0;  // from there to the upper quartile; 0: more than a quarter of the scores are equal, and nothing can be said
};
// From all scores, in any order; at least one, all finite, for kLog above 0. Cost O(n).
EmpiricalNull empirical_null(const std::vector<double>& scores, NullScale scale);
// Falls as the score rises. spread must be above 0.
double p_value(const EmpiricalNull& null, double score);

// (1 + the number of calibration scores >= score) / (1 + their number); `ascending` sorted.
double conformal_p_value(std::span<const double> ascending, double score);

// The largest p-value that Benjamini and Hochberg's rule still flags, or nothing.
std::optional<double> largest_rejected(std::vector<double> p_values, double fdr);

// The lowest score t such that at most floor(share * n) rows score >= t; nothing if that flags none. Rows of equal score stand or fall together.
std::optional<double> threshold_of_share(std::vector<double> scores, double share);

// Scores of every row by a model fitted on the other half of the rows. The halves are drawn by (seed, row).
struct CrossScores {
  std::vector<double> scores;    // one a row, on every rank
  std::vector<uint8_t> half;     // 0 or 1
  std::vector<double> p_values;  // the share of rows of the own half that score at least as high
};
using Detector = std::function<Outcome(const Source& rows, Context& ctx)>;
// Two fits on half of the rows each, one after the other. Error{kBadInput} when a half has no row. Collective.
CrossScores cross_scores(const Source& rows, const Detector& detector, Context& ctx);

}  // namespace sluice
