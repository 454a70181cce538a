#include "sluice/pipeline/plane.h"

#include <algorithm>
#include <cmath>

#include "sluice/core/error.h"
#include "sluice/core/fold.h"
#include "sluice/reduce/pca.h"
#include "sluice/report/report.h"

namespace sluice {
namespace {

constexpr int64_t kMostRows = 200'000;             // of a plane's fit
constexpr int64_t kMostValues = int64_t{1} << 26;  // about a second's work
constexpr int64_t kFullColumns = 256;              // above, the randomised solver is quicker and takes less memory

// Every stride-th leaf of a source, closed up. Its statistics are those of the whole: bounds that hold for the part as well.
class SomeLeaves final : public Source {
 public:
  SomeLeaves(const Source& base, int64_t leaf, int64_t stride) : base_(&base), leaf_(leaf), stride_(stride) {
    const int64_t leaves = (base.rows() + leaf - 1) / leaf;
    const int64_t taken = (leaves + stride - 1) / stride;
    const int64_t last = std::min(leaf, base.rows() - (taken - 1) * stride * leaf);  // rows of the last one taken
    rows_ = (taken - 1) * leaf + last;
    names = base.names;
    stats = base.stats;
  }
  int64_t rows() const override { return rows_; }
  int64_t cols() const override { return base_->cols(); }
  DType dtype() const override { return base_->dtype(); }
  double max_weight() const override { return base_->max_weight(); }
  bool sparse() const override { return base_->sparse(); }
  // Within one leaf, as the executor reads.
  MatrixBlock read(int64_t first, int64_t count, BlockBuffer& buffer) const override {
    MatrixBlock block = base_->read(place(first, count), count, buffer);
    block.first_row = first;
    return block;
  }
  CsrBlock read_csr(int64_t first, int64_t count, BlockBuffer& buffer) const override {
    CsrBlock block = base_->read_csr(place(first, count), count, buffer);
    block.first_row = first;
    return block;
  }

 private:
  int64_t place(int64_t first, int64_t count) const {
    if (first / leaf_ != (first + count - 1) / leaf_)
      fail(ErrorCode::kBug, "plane", "it was read across leaves", "please report this as a bug");
    return first / leaf_ * stride_ * leaf_ + first % leaf_;
  }
  const Source* base_;
  int64_t leaf_;
  int64_t stride_;
  int64_t rows_ = 0;
};

Plane first_columns(const Source& rows) {
  Plane plane;
  const auto cols = static_cast<size_t>(rows.cols());
  plane.center.assign(cols, 0.0);
  plane.x_axis.assign(cols, 0.0);
  plane.x_axis[0] = 1;
  plane.x_name = rows.name_of(0);
  if (cols > 1) {
    plane.y_axis.assign(cols, 0.0);
    plane.y_axis[1] = 1;
    plane.y_name = rows.name_of(1);
  }
  return plane;
}

std::string axis_name(const char* name, double share) {
  const auto tenths = static_cast<int64_t>(std::floor(share * 1000 + 0.5));
  return std::string(name) + " (" + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %)";
}

// Of sparse rows the non-zeros, and a row's share of what a leaf costs.
int64_t values_per_row(const Source& rows, const Context& ctx) {
  if (!rows.sparse()) return rows.cols();
  int64_t nonzero = 0;
  for (const ColumnStatistics& column : rows.stats.columns) nonzero += rows.rows() - column.zeros;
  return 1 + nonzero / rows.rows() + rows.cols() / leaf_rows(rows.cols(), ctx);
}

// The whole source where that is a second's work, else the leaves that are.
PcaFit fit_of(const Source& rows, int64_t stride, Context ctx) {
  ctx.memory = int64_t{1} << 40;  // a few megabytes; and what is drawn must not depend on a budget
  ctx.progress = nullptr;
  ctx.seed = 0;
  PcaParams params;
  params.n_components = "2";
  params.svd_solver = rows.cols() > kFullColumns ? PcaSolver::kRandomized : PcaSolver::kFull;
  params.iterated_power = 4;
  if (stride == 1) return pca_fit(rows, params, ctx);
  return pca_fit(SomeLeaves(rows, leaf_rows(rows.cols(), ctx), stride), params, ctx);
}

}  // namespace

std::pair<double, double> Plane::at(const double* row) const {
  double x = 0, y = 0;
  for (size_t j = 0; j < center.size(); ++j) {
    const double value = row[j] - center[j];
    x = std::fma(value, x_axis[j], x);
    if (!y_axis.empty()) y = std::fma(value, y_axis[j], y);
  }
  return {x, y};
}

std::pair<double, double> Plane::at(const CsrBlock& rows, int64_t i) const {
  double x = 0, y = 0;
  for (int64_t p = rows.begin(i); p < rows.begin(i) + rows.count(i); ++p) {
    const auto j = static_cast<size_t>(rows.indices[p]);
    x = std::fma(rows.values[p], x_axis[j], x);
    if (!y_axis.empty()) y = std::fma(rows.values[p], y_axis[j], y);
  }
  return {x - x_center, y - y_center};
}

Plane plane_of(const Source& rows, Context& ctx) {
  if (rows.cols() <= 2 || rows.rows() < 2) return first_columns(rows);
  const int64_t most = std::min(kMostRows, std::max<int64_t>(2, kMostValues / values_per_row(rows, ctx)));
  const int64_t stride = (rows.rows() + most - 1) / most;
  PcaFit fit;
  try {
    fit = fit_of(rows, stride, ctx);
  } catch (const Error& error) {
    // What the rows themselves forbid (weights too small for a variance, squares beyond double) is no reason to draw nothing.
    if (error.code != ErrorCode::kBadInput && error.code != ErrorCode::kNumerical) throw;
    return first_columns(rows);
  }
  const PcaModel& model = fit.model;
  if (!(model.explained_variance[0] > 0)) return first_columns(rows);
  Plane plane;
  plane.center = model.mean;
  plane.x_axis.assign(model.components.row(0), model.components.row(0) + rows.cols());
  plane.y_axis.assign(model.components.row(1), model.components.row(1) + rows.cols());
  for (size_t j = 0; j < plane.center.size(); ++j) {
    plane.x_center = std::fma(plane.center[j], plane.x_axis[j], plane.x_center);
    plane.y_center = std::fma(plane.center[j], plane.y_axis[j], plane.y_center);
  }
  plane.x_name = axis_name("PC1", model.explained_variance_ratio[0]);
  plane.y_name = axis_name("PC2", model.explained_variance_ratio[1]);
  plane.same_scale = true;
  plane.note = "The two directions of most variance; in brackets their share of it.";
  if (stride > 1)
    plane.note += " Found from one in " + report_number(stride) + " blocks of " + report_number(leaf_rows(rows.cols(), ctx)) + " rows.";
  return plane;
}

}  // namespace sluice
