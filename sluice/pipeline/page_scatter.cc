#include "sluice/pipeline/page_scatter.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "sluice/core/error.h"
#include "sluice/core/fold.h"
#include "sluice/core/random.h"
#include "sluice/pipeline/plane.h"
#include "sluice/pipeline/row_files.h"

namespace sluice {
namespace {

constexpr int64_t kMostPoints = 100'000;  // about 1.4 MB of the page
constexpr size_t kMostKnownLabels = 64;   // more are no groups

// The rows to draw: all, or as many as a page can hold, drawn by seed; in ascending order.
std::vector<int64_t> drawn_rows(int64_t rows, const Context& ctx) {
  std::vector<int64_t> out;
  if (rows <= kMostPoints) {
    for (int64_t i = 0; i < rows; ++i) out.push_back(i);
    return out;
  }
  std::set<int64_t> chosen;
  Random random(ctx.seed, RandomStage::kSubsample, 0);
  while (static_cast<int64_t>(chosen.size()) < kMostPoints) chosen.insert(static_cast<int64_t>(random.below(static_cast<uint64_t>(rows))));
  return {chosen.begin(), chosen.end()};
}

void put(ReportScatter& scatter, double x, double y) {
  scatter.x.push_back(static_cast<float>(x));
  scatter.y.push_back(static_cast<float>(y));
}

// use(first, count) for the runs of neighbours among `rows`, none across a leaf.
void for_each_run(const std::vector<int64_t>& rows, int64_t leaf, const std::function<void(int64_t first, int64_t count)>& use) {
  for (size_t i = 0; i < rows.size();) {
    size_t end = i + 1;
    while (end < rows.size() && rows[end] == rows[end - 1] + 1 && rows[end] % leaf != 0) ++end;
    use(rows[i], static_cast<int64_t>(end - i));
    i = end;
  }
}

bool has_map(const Outcome& outcome) {
  return outcome.embedding.cols >= 2 || (outcome.embed != nullptr && outcome.embedding_cols >= 2);
}

std::string dimension_name(const Json& result, size_t dimension) {
  const std::string name = "dim " + std::to_string(dimension + 1);
  const auto shares = result.find("explained_variance_ratio");
  if (shares == result.end() || !shares->is_array() || shares->size() <= dimension || !(*shares)[dimension].is_number()) return name;
  return name + " (" + report_number(std::floor((*shares)[dimension].get<double>() * 1000 + 0.5) / 10) + " % of variance)";
}

// The map itself: distances along its dimensions mean the same thing.
void draw_map(ReportScatter& scatter, const Outcome& outcome, const std::vector<int64_t>& rows, const Json& result, const Dataset& data,
              Context& ctx) {
  scatter.title = "The map";
  scatter.x_name = dimension_name(result, 0);
  scatter.y_name = dimension_name(result, 1);
  scatter.same_scale = true;
  const int64_t cols = outcome.embedding.empty() ? outcome.embedding_cols : outcome.embedding.cols;
  if (!outcome.embedding.empty()) {
    for (const int64_t row : rows) put(scatter, outcome.embedding(row, 0), outcome.embedding(row, 1));
  } else {
    std::vector<double> places;
    BlockBuffer buffer;
    const bool sparse = data.rows->sparse() && outcome.embed_csr != nullptr;
    for_each_run(rows, leaf_rows(data.rows->cols(), ctx), [&](int64_t first, int64_t count) {
      places.resize(static_cast<size_t>(count * cols));
      sparse ? outcome.embed_csr(data.rows->read_csr(first, count, buffer), places.data())
             : outcome.embed(data.rows->read(first, count, buffer), places.data());
      for (int64_t i = 0; i < count; ++i) put(scatter, places[static_cast<size_t>(i * cols)], places[static_cast<size_t>(i * cols + 1)]);
    });
  }
  if (cols > 2) scatter.note = "The first two of " + report_number(cols) + " dimensions.";
}

// a' C b
double form(const std::vector<double>& a, const Matrix<double>& c, const std::vector<double>& b) {
  double sum = 0;
  for (int64_t i = 0; i < c.rows; ++i) {
    double row = 0;
    for (int64_t j = 0; j < c.cols; ++j) row = std::fma(c(i, j), b[static_cast<size_t>(j)], row);
    sum = std::fma(a[static_cast<size_t>(i)], row, sum);
  }
  return sum;
}

// A Gaussian seen in the plane is one with the covariance P C P'.
void draw_ellipses(ReportScatter& scatter, const Outcome& outcome, const Plane& plane) {
  const int64_t count = std::min({outcome.centers.rows, static_cast<int64_t>(outcome.covariances.size()), kMostCenters});
  for (int64_t c = 0; c < count; ++c) {
    const Matrix<double>& covariance = outcome.covariances[static_cast<size_t>(c)];
    if (covariance.rows != outcome.centers.cols || covariance.cols != outcome.centers.cols)
      fail(ErrorCode::kBug, "page", "a covariance is not of the centres' size", "please report this as a bug");
    const auto [x, y] = plane.at(outcome.centers.row(c));
    ReportEllipse ellipse{x, y, form(plane.x_axis, covariance, plane.x_axis), 0, 0, static_cast<int32_t>(c)};
    if (!plane.y_axis.empty()) {
      ellipse.xy = form(plane.x_axis, covariance, plane.y_axis);
      ellipse.yy = form(plane.y_axis, covariance, plane.y_axis);
    }
    const bool finite = std::isfinite(ellipse.xx) && std::isfinite(ellipse.xy) && std::isfinite(ellipse.yy);
    if (finite && std::isfinite(x) && std::isfinite(y)) scatter.ellipses.push_back(ellipse);
  }
  if (count > 0)
    scatter.note += (scatter.note.empty() ? "" : " ") + std::string("Lines at one and two standard deviations of each component.");
}

void draw_plane(ReportScatter& scatter, const Outcome& outcome, const std::vector<int64_t>& rows, const Dataset& data, Context& ctx) {
  const Plane plane = plane_of(*data.rows, ctx);
  scatter.title = "Rows in two dimensions";
  scatter.x_name = plane.x_name;
  scatter.y_name = plane.y_name;
  scatter.same_scale = plane.same_scale;
  scatter.note = plane.note;
  std::vector<double> scratch(static_cast<size_t>(data.rows->cols()));
  BlockBuffer buffer;
  for_each_run(rows, leaf_rows(data.rows->cols(), ctx), [&](int64_t first, int64_t count) {
    const auto draw = [&](const std::pair<double, double>& place) { put(scatter, place.first, place.second); };
    if (data.rows->sparse()) {
      const CsrBlock block = data.rows->read_csr(first, count, buffer);
      for (int64_t i = 0; i < count; ++i) draw(plane.at(block, i));
    } else {
      const MatrixBlock block = data.rows->read(first, count, buffer);
      for (int64_t i = 0; i < count; ++i) draw(plane.at(block.row(i, scratch.data())));
    }
  });
  for (int64_t c = 0; c < std::min(outcome.centers.rows, kMostCenters); ++c) {
    const auto [x, y] = plane.at(outcome.centers.row(c));
    scatter.center_x.push_back(static_cast<float>(x));
    scatter.center_y.push_back(static_cast<float>(y));
  }
  draw_ellipses(scatter, outcome, plane);
}

// flags.npy of all ranks, or nothing.
Bytes all_flags(const Outcome& outcome, Context& ctx) {
  for (const OutcomeArray& array : outcome.arrays) {
    if (array.name != "flags" || array.type != "|u1" || array.cols != 0) continue;
    if (ctx.ranks() == 1) return array.values;
    Bytes all;
    for (const Bytes& part : ctx.comm->all_gather(array.values)) all.insert(all.end(), part.begin(), part.end());
    return all;
  }
  return {};
}

// Label values become 0, 1, ... in ascending order.
void color_by_known(ReportScatter& scatter, const std::vector<int64_t>& rows, const Labels& known) {
  std::set<int64_t> values;
  for (const int64_t row : rows) {
    values.insert(known.values[static_cast<size_t>(row)]);
    if (values.size() > kMostKnownLabels) return;
  }
  const std::vector<int64_t> ordered(values.begin(), values.end());
  for (const int64_t value : ordered) {
    const bool named = value >= 0 && static_cast<size_t>(value) < known.names.size();
    scatter.names.push_back(named ? known.names[static_cast<size_t>(value)] : std::to_string(value));
  }
  for (const int64_t row : rows) {
    const auto at = std::lower_bound(ordered.begin(), ordered.end(), known.values[static_cast<size_t>(row)]);
    scatter.label.push_back(static_cast<int32_t>(at - ordered.begin()));
  }
  scatter.note += (scatter.note.empty() ? "" : " ") + std::string("Coloured by the known label.");
}

void color(ReportScatter& scatter, const Outcome& outcome, const std::vector<int64_t>& rows, const Dataset& data, Context& ctx) {
  if (outcome.labels) {
    const std::vector<int32_t> labels = all_labels(outcome, ctx);
    for (const int64_t row : rows) scatter.label.push_back(labels[static_cast<size_t>(row)]);
    return;
  }
  const Bytes flags = all_flags(outcome, ctx);
  if (!flags.empty()) {
    scatter.names = {"usual", "flagged"};
    for (const int64_t row : rows) scatter.label.push_back(flags[static_cast<size_t>(row)] != std::byte{0} ? 1 : 0);
  } else if (data.labels) {
    color_by_known(scatter, rows, *data.labels);
  }
}

}  // namespace

ReportScatter scatter_of(const Outcome& outcome, const Json& result, const Dataset& data, Context& ctx) {
  ReportScatter scatter;
  const std::vector<int64_t> rows = drawn_rows(data.rows->rows(), ctx);
  if (has_map(outcome))
    draw_map(scatter, outcome, rows, result, data, ctx);
  else
    draw_plane(scatter, outcome, rows, data, ctx);
  for (const int64_t row : rows) scatter.row.push_back(data.input_row(row));
  color(scatter, outcome, rows, data, ctx);
  if (static_cast<int64_t>(rows.size()) < data.rows->rows()) {
    scatter.note += (scatter.note.empty() ? "" : " ") + report_number(static_cast<int64_t>(rows.size())) + " of " +
                    report_number(data.rows->rows()) + " rows, drawn by the seed.";
  }
  return scatter;
}

}  // namespace sluice
