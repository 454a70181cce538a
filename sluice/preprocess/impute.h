// Filling gaps. Numbers: mean, median, most frequent value or a constant of the column. Texts: the most frequent one or a constant.
// Use when few cells are missing at random. A column that is missing for a reason is better split by that reason first.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/source.h"

namespace sluice {

enum class Impute : uint8_t { kMean, kMedian, kMostFrequent, kConstant, kDrop, kRefuse };

// What to put for a missing value of each column: NaN where nothing can be said, because every value is missing (and for kDrop and
// kRefuse, which fill nothing). kConstant fills even such a column. kMedian is numpy's (mean of the middle two). Ties of kMostFrequent go
// to the least value. Cost: 1 to 7 passes; none for columns without gaps is saved, since new rows may have them. Asks for
// source.stats.measured and no infinite value. Same bits for any threads, ranks, memory.
std::vector<double> impute_fit(const Source& source, Impute method, double fill_value, Context& ctx);

// The same for a text column with the given levels and counts (ascending by text): "" where nothing can be said.
std::string impute_text_fit(const std::vector<std::pair<std::string, int64_t>>& levels, Impute method, const std::string& fill_text);

}  // namespace sluice
