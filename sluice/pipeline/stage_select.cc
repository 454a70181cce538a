// Which of the kept rows to label first, in the space the clusters lie in.
#include <algorithm>

#include "sluice/core/error.h"
#include "sluice/pipeline/flow.h"
#include "sluice/pipeline/select_command.h"

namespace sluice {
namespace {

// The rows as they are, with weight 0 where they were dropped: they belong to a cluster and are never chosen.
class KeptRows final : public Source {
 public:
  KeptRows(std::shared_ptr<const Source> rows, std::vector<double> weights) : rows_(std::move(rows)), weights_(std::move(weights)) {
    names = rows_->names;
    stats = rows_->stats;
  }
  int64_t rows() const override { return rows_->rows(); }
  int64_t cols() const override { return rows_->cols(); }
  DType dtype() const override { return rows_->dtype(); }
  bool sparse() const override { return rows_->sparse(); }
  double max_weight() const override { return 1; }
  MatrixBlock read(int64_t first, int64_t count, BlockBuffer& buffer) const override {
    MatrixBlock block = rows_->read(first, count, buffer);
    block.weights = weights_.data() + first;
    return block;
  }
  CsrBlock read_csr(int64_t first, int64_t count, BlockBuffer& buffer) const override {
    CsrBlock block = rows_->read_csr(first, count, buffer);
    block.weights = weights_.data() + first;
    return block;
  }

 private:
  std::shared_ptr<const Source> rows_;
  std::vector<double> weights_;
};

// Of the rows that preprocessing left, those that the clusters' application dropped.
std::vector<int64_t> dropped_since(const Flow& flow) {
  const std::vector<int64_t>& kept = flow.data.kept;
  std::vector<int64_t> out;
  for (const DuplicateRow& one : flow.curated.duplicates)
    out.push_back(kept.empty() ? one.row : std::lower_bound(kept.begin(), kept.end(), one.row) - kept.begin());
  return out;
}

}  // namespace

void select(Flow& flow) {
  if (flow.plan.select.off) return;
  Dataset rows = flow.data;
  const std::vector<int64_t> gone = dropped_since(flow);
  if (!gone.empty()) {
    std::vector<double> weights(static_cast<size_t>(rows.rows->rows()), 1.0);
    for (const int64_t row : gone) weights[static_cast<size_t>(row)] = 0;
    rows.rows = std::make_shared<KeptRows>(rows.rows, std::move(weights));
  }
  Stage chosen = select_stage(flow.plan.select.params, rows, folder_for(flow, "select"), flow.in.assignments, flow.ctx);
  write_stage_summary(flow, "select", chosen.summary);
  add_chapter(flow, "rows to label first", std::move(chosen.page.sections));
}

}  // namespace sluice
