// Scaling of columns: x becomes (x - center) / scale. Use where columns have different units, so that none rules a distance by its unit
// alone; leave it out where all share one unit (pixels, embeddings, coordinates): there a spread is information.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/source.h"

namespace sluice {

enum class Scale : uint8_t {
  kAuto,      // none or standard, by the rule below
  kStandard,  // mean 0, standard deviation 1 (over n)
  kMinMax,    // 0 to 1
  kRobust,    // median 0, interquartile range 1
  kNone,
};

// What is known of the rows beside their values.
enum class RowsKind : uint8_t { kTable, kImages, kEmbeddings };

struct ScaleFit {
  Scale method = Scale::kNone;  // what was done; never kAuto
  std::vector<double> center;   // one a column
  std::vector<double> scale;    // > 0; 1 for a constant column, whose scaled value is exactly 0 (kNone: unchanged)
  std::string reason;           // why this method, with the numbers it was decided on
};

// Fits a method. `indicators` (one byte a column, or empty) marks 0/1 columns made from levels: they stay as they are.
// kAuto decides on the columns that vary, in this order:
//   none      the rows are images or embeddings;
//   standard  there are indicators beside the numbers;
//   none      every value is a whole number from -128 to 255 with at most 255 between least and greatest, or lies in [0, 1], and
//             more than half of the columns span half of that common range (pixels, ratings, bits);
//   none      at least 8 columns, and every row has length 1 within 1 %;
//   none      the largest standard deviation is at most f times the median one, and that at most f times the one at the lowest
//             tenth; f = 4, or 8 from 64 columns on;
//   standard  otherwise.
// Cost: 2 to 8 passes over the rows. Memory: see column_moments and column_quantiles. Same bits for any threads, ranks, memory.
// Asks for source.stats.measured, no infinite and no missing value. Throws Error{kNumerical} when a spread overflows double.
ScaleFit scale_fit(const Source& source, Scale method, std::span<const uint8_t> indicators, RowsKind kind, Context& ctx);

}  // namespace sluice
