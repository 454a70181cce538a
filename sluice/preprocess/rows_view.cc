#include "sluice/preprocess/rows_view.h"

#include <algorithm>

#include "sluice/core/error.h"
#include "sluice/core/fold.h"
#include "sluice/core/row_store.h"

namespace sluice {
namespace {
constexpr int64_t kMostRead = 4096;  // input rows read at once where only some of them are wanted
}

RowsView::RowsView(std::shared_ptr<const Source> numbers, int64_t rows, std::shared_ptr<const std::vector<int64_t>> kept,
                   std::vector<ViewColumn> columns)
    : numbers_(std::move(numbers)), rows_(rows), kept_(std::move(kept)), columns_(std::move(columns)) {
  is_plain_ = true;
  for (size_t j = 0; j < columns_.size(); ++j) is_plain_ &= columns_[j].number == static_cast<int64_t>(j);
  if (!is_plain_) return;
  for (const ViewColumn& c : columns_) {
    plain_.fill.push_back(c.fill);
    plain_.low.push_back(c.low);
    plain_.high.push_back(c.high);
    plain_.center.push_back(c.center);
    plain_.scale.push_back(c.scale);
  }
}

void RowsView::transform_plain(const double* __restrict in, double* __restrict out) const {
  const double* __restrict fill = plain_.fill.data();
  const double* __restrict low = plain_.low.data();
  const double* __restrict high = plain_.high.data();
  const double* __restrict center = plain_.center.data();
  const double* __restrict scale = plain_.scale.data();
  const size_t d = columns_.size();
  for (size_t j = 0; j < d; ++j) {
    double x = in[j];
    x = x != x ? fill[j] : x;
    x = x < low[j] ? low[j] : x;
    x = x > high[j] ? high[j] : x;
    out[j] = (x - center[j]) / scale[j];
  }
}

void RowsView::transform(const double* in, int64_t input_row, double* out) const {
  for (size_t j = 0; j < columns_.size(); ++j) {
    const ViewColumn& c = columns_[j];
    double x = 0;
    if (c.number >= 0) {
      x = in[c.number];
      if (x != x) x = c.fill;
      x = x < c.low ? c.low : x > c.high ? c.high : x;
    } else {
      const int32_t code = (*c.codes)[static_cast<size_t>(input_row)];
      x = c.level >= 0 ? (code == c.level ? 1.0 : 0.0) : static_cast<double>(code < 0 ? c.unknown : code);
    }
    out[j] = (x - c.center) / c.scale;
  }
}

MatrixBlock RowsView::read(int64_t first, int64_t count, BlockBuffer& buffer) const {
  const int64_t d = cols();
  auto* out = reinterpret_cast<double*>(buffer.reserve(std::max<size_t>(64, static_cast<size_t>(count * d) * sizeof(double))));
  write(first, count, out, buffer.inner());
  return {DType::kF64, out, count, d, d, first, nullptr};
}

void RowsView::write(int64_t first, int64_t count, double* out, BlockBuffer& inner) const {
  const int64_t d = cols();
  std::vector<double> scratch(numbers_ != nullptr ? static_cast<size_t>(numbers_->cols()) : 0);
  for (int64_t at = 0; at < count;) {
    const int64_t base = input_row(first + at);
    int64_t end = at + 1;
    if (kept_ == nullptr) {
      end = count;
    } else {
      while (end < count && input_row(first + end) < base + kMostRead) ++end;
    }
    const MatrixBlock block = numbers_ != nullptr ? numbers_->read(base, input_row(first + end - 1) - base + 1, inner) : MatrixBlock{};
    for (; at < end; ++at) {
      const int64_t row = input_row(first + at);
      const double* in = numbers_ != nullptr ? block.row(row - base, scratch.data()) : nullptr;
      if (is_plain_) {
        transform_plain(in, out + at * d);
      } else {
        transform(in, row, out + at * d);
      }
    }
  }
}

namespace {

// Where the rows fit: straight to their places in one piece of memory.
std::shared_ptr<Source> copy_to_memory(const RowsView& view, Context& ctx) {
  const int64_t d = view.cols();
  auto keep = std::make_shared<BlockBuffer>();
  auto* out = reinterpret_cast<double*>(keep->reserve(std::max<size_t>(64, static_cast<size_t>(view.rows() * d) * sizeof(double))));
  std::vector<BlockBuffer> buffers(static_cast<size_t>(ctx.threads));
  const LeafRange range = leaf_range(view.rows(), d, ctx);
  for_each_leaf(range, ctx, [&](int worker, int64_t leaf) {
    const int64_t first = leaf * range.rows_per_leaf;
    view.write(first, std::min(range.rows_per_leaf, range.rows - first), out + first * d, buffers[static_cast<size_t>(worker)]);
  });
  return std::make_shared<MemorySource>(DType::kF64, out, view.rows(), d, d, keep);
}

std::shared_ptr<Source> copy_rows(const RowsView& view, Context ctx) {
  const StoreOptions options = store_options(ctx);
  ctx.comm = nullptr;  // each rank writes all rows
  const int64_t d = view.cols();
  if (!options.to_file && view.rows() <= options.memory / 8 / std::max<int64_t>(1, d)) return copy_to_memory(view, ctx);
  RowStore store(d, options);
  LeafRange range = leaf_range(view.rows(), d, ctx);
  const int64_t batch = 4 * ctx.threads;
  std::vector<double> rows(static_cast<size_t>(std::min(view.rows(), batch * range.rows_per_leaf) * d));
  std::vector<BlockBuffer> buffers(static_cast<size_t>(ctx.threads));
  for (int64_t leaf = 0; leaf < range.leaves; leaf += batch) {
    range.first = leaf;
    range.last = std::min(range.leaves, leaf + batch);
    const int64_t base = range.first_row();
    for_each_leaf(range, ctx, [&](int worker, int64_t l) {
      const int64_t first = l * range.rows_per_leaf;
      view.write(first, std::min(range.rows_per_leaf, range.rows - first), rows.data() + (first - base) * d,
                 buffers[static_cast<size_t>(worker)]);
    });
    for (int64_t i = 0; i < range.last_row() - base; ++i) store.append(rows.data() + i * d);
  }
  return store.finish();
}

}  // namespace

std::shared_ptr<Source> write_rows(const RowsView& view, Context& ctx) {
  std::shared_ptr<Source> out;
  std::optional<Error> mine;
  try {
    out = copy_rows(view, ctx);
  } catch (const Error& error) {
    mine = error;
  }
  // A rank whose disk is full must not leave the others waiting.
  const bool all_well = ctx.ranks() == 1 ? !mine : all_min(*ctx.comm, mine ? 0 : 1) == 1;
  if (mine) throw *mine;
  if (!all_well) fail(ErrorCode::kIo, "preprocess", "another rank could not keep its rows", "see that rank's message");
  out->names = view.names;
  out->stats = measure(*out, ctx);
  for (int64_t j = 0; j < out->cols(); ++j) {
    const ColumnStatistics& c = out->stats.columns[static_cast<size_t>(j)];
    if (c.infinite == 0) continue;
    fail(ErrorCode::kNumerical, "row " + std::to_string(c.first_infinite) + ", column " + out->name_of(j),
         "scaling the value overflows double precision", "divide the column by a power of ten, or use scale none");
  }
  return out;
}

}  // namespace sluice
