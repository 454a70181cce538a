#include "sluice/curate/curate.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "sluice/core/duplicates.h"
#include "sluice/core/error.h"
#include "sluice/core/text.h"
#include "sluice/curate/near_rows.h"
#include "sluice/kernels/dist64.h"

namespace sluice {
namespace {

// The curve takes one row in so many.
int64_t curve_step(int64_t rows) {
  constexpr int64_t kMost = 10'000;
  return std::max<int64_t>(1, (rows + kMost - 1) / kMost);
}

// Some rows with their labels, in memory.
struct Part {
  MemorySource rows;
  std::vector<int32_t> labels;
};

Part part_of(const Source& rows, const std::vector<int32_t>& labels, const std::vector<int64_t>& chosen) {
  std::vector<double> values;
  std::vector<int32_t> own;
  values.reserve(chosen.size() * static_cast<size_t>(rows.cols()));
  BlockBuffer buffer;
  std::vector<double> scratch(static_cast<size_t>(rows.cols()));
  for (const int64_t row : chosen) {
    const double* from = rows.read(row, 1, buffer).row(0, scratch.data());
    values.insert(values.end(), from, from + rows.cols());
    own.push_back(labels[static_cast<size_t>(row)]);
  }
  Part out{{std::move(values), static_cast<int64_t>(chosen.size()), rows.cols()}, std::move(own)};
  out.rows.names = rows.names;
  out.rows.stats = rows.stats;  // bounds of all rows hold for some of them
  return out;
}

Witnesses equal_witnesses(const Source& rows, const std::vector<int32_t>& labels, Context& ctx) {
  Witnesses out{std::vector<int64_t>(labels.size(), -1), std::vector<double>(labels.size(), 0.0)};
  for (const Duplicate& one : find_duplicates(rows, labels, ctx)) out.row[static_cast<size_t>(one.row)] = one.witness;
  return out;
}

}  // namespace

int64_t Witnesses::kept() const {
  return std::count(row.begin(), row.end(), -1);
}

Witnesses duplicate_witnesses(const Source& rows, const std::vector<int32_t>& labels, double distance, Context& ctx) {
  return distance > 0 ? near_witnesses(rows, labels, distance, ctx) : equal_witnesses(rows, labels, ctx);
}

std::vector<std::string> check_witnesses(const Source& rows, const std::vector<int32_t>& labels, const Witnesses& found,
                                         const std::vector<int64_t>& names, double distance, Context& ctx) {
  std::vector<std::string> wrong;
  std::vector<int64_t> kept;
  const auto pair = [&](int64_t a, int64_t b) {
    return "rows " + to_text(names[static_cast<size_t>(a)]) + " and " + to_text(names[static_cast<size_t>(b)]);
  };
  for (int64_t i = 0; i < rows.rows(); ++i) {
    const int64_t witness = found.row[static_cast<size_t>(i)];
    if (witness < 0) {
      kept.push_back(i);
      continue;
    }
    const std::vector<double> mine = read_row(rows, i), theirs = read_row(rows, witness);
    const double apart = std::sqrt(kernels::squared_distance(mine.data(), theirs.data(), rows.cols()));
    if (found.row[static_cast<size_t>(witness)] >= 0) {
      wrong.push_back(pair(i, witness) + ": the second, witness of the first, is dropped itself");
    } else if (labels[static_cast<size_t>(i)] != labels[static_cast<size_t>(witness)]) {
      wrong.push_back(pair(i, witness) + ": the second, witness of the first, is of another cluster");
    } else if (!(apart <= distance) || apart != found.distance[static_cast<size_t>(i)]) {
      wrong.push_back(pair(i, witness) + ": the first is dropped as " + to_text(found.distance[static_cast<size_t>(i)]) +
                      " from the second, and they are " + to_text(apart) + " apart");
    }
  }
  const Part stay = part_of(rows, labels, kept);
  const Witnesses again = duplicate_witnesses(stay.rows, stay.labels, distance, ctx);
  std::set<int32_t> said;
  for (size_t i = 0; i < kept.size(); ++i) {
    if (again.row[i] < 0 || !said.insert(stay.labels[i]).second) continue;
    wrong.push_back(pair(kept[static_cast<size_t>(again.row[i])], kept[i]) + ": both are kept, in one cluster and " +
                    to_text(again.distance[i]) + " apart");
  }
  return wrong;
}

int64_t kept_curve_rows(int64_t rows) {
  return (rows + curve_step(rows) - 1) / curve_step(rows);
}

Figure kept_curve(const Source& rows, const std::vector<int32_t>& labels, double distance, Context& ctx) {
  const int64_t step = curve_step(rows.rows());
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < rows.rows(); i += step) chosen.push_back(i);
  const Part part = part_of(rows, labels, chosen);
  Figure out;
  out.title = "Rows kept against the distance";
  out.x_name = "dedup_distance";
  out.y_name = "rows kept";
  if (step > 1) out.note = "Of every " + to_text(step) + "th row, " + to_text(static_cast<int64_t>(chosen.size())) + " in all.";
  out.marked_x = distance;
  Figure::Line line;
  line.name = "kept";
  for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0}) {
    line.x.push_back(share * distance);
    line.y.push_back(static_cast<double>(duplicate_witnesses(part.rows, part.labels, share * distance, ctx).kept()));
  }
  out.lines.push_back(std::move(line));
  return out;
}

std::map<int32_t, double> balanced_weights(const std::vector<int32_t>& labels, const std::vector<int64_t>& witnesses) {
  std::map<int32_t, int64_t> sizes;
  int64_t kept = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (witnesses[i] >= 0 || labels[i] < 0) continue;
    ++sizes[labels[i]];
    ++kept;
  }
  std::map<int32_t, double> weights;
  for (const auto& [label, size] : sizes)
    weights[label] = static_cast<double>(kept) / (static_cast<double>(sizes.size()) * static_cast<double>(size));
  return weights;
}

}  // namespace sluice
