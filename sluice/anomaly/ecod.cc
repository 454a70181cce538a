#include "sluice/anomaly/ecod.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "sluice/anomaly/detector.h"
#include "sluice/core/exact_sum.h"
#include "sluice/core/math.h"

namespace sluice {
namespace {

// The sign of the third moment about the mean. Deviations are scaled to [-1, 1], so that no cube overflows.
int64_t skew_sign(const double* sorted, int64_t n) {
  if (sorted[0] == sorted[n - 1]) return 0;
  ExactSum sum;
  for (int64_t i = 0; i < n; ++i) sum.add(sorted[i]);
  const double mean = sum.value() / static_cast<double>(n);
  const double widest = std::max(sorted[n - 1] - mean, mean - sorted[0]);
  ExactSum cubes;
  for (int64_t i = 0; i < n; ++i) {
    const double t = (sorted[i] - mean) / widest;
    cubes.add(t * t * t);
  }
  const double third = cubes.value();
  return third > 0 ? 1 : third < 0 ? -1 : 0;
}

double tail(int64_t count, int64_t n) {
  const double share = count > 0 ? static_cast<double>(count) / static_cast<double>(n) : 1 / static_cast<double>(n + 1);
  return -log64(share);
}

// What a column adds for a value that `below` of the fit's values are under and `above` over.
double column_score(int64_t below, int64_t above, int64_t n, int64_t skew) {
  const double left = tail(n - above, n), right = tail(n - below, n);
  const double skewed = skew > 0 ? right : skew < 0 ? left : left + right;
  return std::max(std::max(left, right), skewed);
}

// Every 256th value of a column, so that a search's first steps stay in the cache.
constexpr int64_t kStep = 256;

struct Guide {
  explicit Guide(const Matrix<double>& sorted) : sorted(&sorted), each((sorted.cols + kStep - 1) / kStep) {
    for (int64_t j = 0; j < sorted.rows; ++j) {
      for (int64_t i = 0; i < each; ++i) values.push_back(sorted(j, i * kStep));
    }
  }
  // How many values of column j are below x.
  int64_t below(int64_t j, double x) const {
    const double* top = values.data() + j * each;
    const int64_t block = std::lower_bound(top, top + each, x) - top;  // the first block whose first value is not below x
    if (block == 0) return 0;
    const double* column = sorted->row(j);
    const double* from = column + (block - 1) * kStep;
    return std::lower_bound(from, std::min(from + kStep, column + sorted->cols), x) - column;
  }
  const Matrix<double>* sorted;
  int64_t each;
  std::vector<double> values;
};

void score_block(const EcodModel& model, const Guide& guide, const MatrixBlock& rows, double* out) {
  const int64_t n = model.sorted.cols;
  std::fill(out, out + rows.rows, 0.0);
  std::vector<double> scratch(static_cast<size_t>(rows.cols * rows.rows));
  for (int64_t r = 0; r < rows.rows; ++r) {
    const double* row = rows.row(r, scratch.data() + r * rows.cols);
    if (row != scratch.data() + r * rows.cols) std::copy(row, row + rows.cols, scratch.data() + r * rows.cols);
  }
  for (int64_t j = 0; j < rows.cols; ++j) {
    const double* column = model.sorted.row(j);
    for (int64_t r = 0; r < rows.rows; ++r) {
      const double x = scratch[static_cast<size_t>(r * rows.cols + j)];
      const int64_t below = guide.below(j, x);
      int64_t above = n - below;
      if (below < n && column[below] == x) {
        int64_t end = below + 1;  // most values stand alone or few together: look near before far
        for (int64_t step = 1; end < n && column[end] == x; step *= 2) end = std::min(n, end + step);
        above = n - (std::upper_bound(column + below, column + end, x) - column);
      }
      out[r] += column_score(below, above, n, model.skewness[static_cast<size_t>(j)]);
    }
  }
}

// The row-local score of a fitted model.
Outcome scorer_of(EcodModel fitted) {
  const auto model = std::make_shared<const EcodModel>(std::move(fitted));
  const auto guide = std::make_shared<const Guide>(model->sorted);
  Outcome out;
  out.score = in_blocks(512, [model, guide](const MatrixBlock& block, double* to) { score_block(*model, *guide, block, to); });
  return out;
}

// The rows as columns: d x n.
Matrix<double> read_columns(const Source& rows, Context& alone) {
  Matrix<double> columns(rows.cols(), rows.rows());
  std::vector<std::vector<double>> scratch(static_cast<size_t>(worker_count(alone)));
  map(rows, alone, [&](int worker, const MatrixBlock& leaf) {
    auto& buffer = scratch[static_cast<size_t>(worker)];
    buffer.resize(static_cast<size_t>(rows.cols()));
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const double* row = leaf.row(i, buffer.data());
      for (int64_t j = 0; j < rows.cols(); ++j) columns(j, leaf.first_row + i) = row[j] + 0.0;  // -0 is 0
    }
  });
  return columns;
}

struct Placed {
  double value;
  int64_t row;
};

// Sorts column j; added[row] is what it adds to the row's score: rows are met in the order of their values, so no search is needed.
void take_column(EcodModel& model, int64_t j, std::vector<Placed>& placed, double* added) {
  const int64_t n = model.sorted.cols;
  double* column = model.sorted.row(j);
  placed.resize(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) placed[static_cast<size_t>(i)] = {column[i], i};
  std::sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) { return a.value < b.value; });
  for (int64_t i = 0; i < n; ++i) column[i] = placed[static_cast<size_t>(i)].value;
  const int64_t skew = skew_sign(column, n);
  model.skewness[static_cast<size_t>(j)] = skew;
  for (int64_t first = 0, end = 0; first < n; first = end) {
    while (end < n && column[end] == column[first]) ++end;
    const double score = column_score(first, n - end, n, skew);
    for (int64_t i = first; i < end; ++i) added[placed[static_cast<size_t>(i)].row] = score;
  }
}

}  // namespace

EcodFit ecod_fit(const Source& rows, Context& ctx) {
  require_rows(rows);
  const int64_t n = rows.rows(), d = rows.cols();
  const double columns = 8.0 * static_cast<double>(n) * static_cast<double>(d);
  const double sorting = static_cast<double>(n) * (24.0 * worker_count(ctx) + 8),
               after = columns + static_cast<double>(n) * (kScoreBytes + 8);
  require_left("ecod", "every column sorted, in the model too,", columns + std::max(sorting, after), rows, ctx,
               "take a sample of the rows, or give a larger --memory");
  ctx.stage("ecod", d);
  EcodFit fit;
  fit.model.skewness.assign(static_cast<size_t>(d), 0);
  fit.scores.assign(static_cast<size_t>(n), 0.0);
  replicated(ctx, [&](Context& alone) {
    fit.model.sorted = read_columns(rows, alone);
    const auto workers = static_cast<int64_t>(worker_count(alone));
    std::vector<std::vector<Placed>> placed(static_cast<size_t>(workers));
    Matrix<double> added(std::min(workers, d), n);
    for (int64_t first = 0; first < d; first += workers) {  // as many columns side by side as threads, then added in their order
      const int64_t count = std::min(workers, d - first);
      for_each_index(count, alone,
                     [&](int worker, int64_t i) { take_column(fit.model, first + i, placed[static_cast<size_t>(worker)], added.row(i)); });
      for (int64_t i = 0; i < count; ++i) {
        for (int64_t r = 0; r < n; ++r) fit.scores[static_cast<size_t>(r)] += added(i, r);
      }
    }
  });
  return fit;
}

void ecod_score(const EcodModel& model, const MatrixBlock& rows, double* out) {
  score_block(model, Guide(model.sorted), rows, out);
}

Outcome ecod_run(const Source& rows, const EcodParams&, Context& ctx) {
  EcodFit fit = ecod_fit(rows, ctx);
  ModelFile file;
  file.about = {{"algorithm", "ecod"}};
  file.put("sorted", fit.model.sorted);
  file.put("skewness", fit.model.skewness);
  Outcome out = scorer_of(std::move(fit.model));
  out.scores.emplace(leaf_range(rows.rows(), rows.cols(), ctx), 0.0);
  for (int64_t i = out.scores->first_row(); i < out.scores->last_row(); ++i) (*out.scores)[i] = fit.scores[static_cast<size_t>(i)];
  out.model = std::move(file);
  return out;
}

Outcome ecod_apply(const ModelFile& file, const Source& rows, Context& ctx) {
  EcodModel model;
  model.sorted = file.matrix("sorted");
  model.skewness = file.integers("skewness");
  if (model.sorted.rows < 1 || model.sorted.cols < 1) file.damaged("it holds no values");
  if (static_cast<int64_t>(model.skewness.size()) != model.sorted.rows) file.damaged("its skewnesses are not one a column");
  for (int64_t j = 0; j < model.sorted.rows; ++j) {
    const int64_t skew = model.skewness[static_cast<size_t>(j)];
    if (skew < -1 || skew > 1) file.damaged("a skewness is neither -1, 0 nor 1");
    if (!std::is_sorted(model.sorted.row(j), model.sorted.row(j) + model.sorted.cols)) file.damaged("the values of a column do not ascend");
  }
  require_columns(rows, model.sorted.rows);
  Outcome out = scorer_of(std::move(model));
  score_rows(out, rows, ctx);
  return out;
}

}  // namespace sluice
