// Fewer columns: by the method asked for, or by PCA where there are many.
#include <fcntl.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "sluice/core/error.h"
#include "sluice/pipeline/files.h"
#include "sluice/pipeline/flow.h"

namespace sluice {
namespace {

// The rows of the embedding file that a reducer's stage wrote.
std::shared_ptr<Source> embedding_rows(const Flow& flow, const std::string& folder, int64_t cols) {
  const std::string path = folder + "/embedding.npy";
  const int64_t rows = flow.data.rows->rows();
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path));
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail(ErrorCode::kIo, path, "it can't be opened", "check the disk");
  auto source = std::make_shared<FileSource>(fd, path, Storage::kF64, false, size - rows * cols * 8, rows, cols);
  for (int64_t j = 0; j < cols; ++j) source->names.push_back("component " + std::to_string(j + 1));
  return source;
}

}  // namespace

void reduce(Flow& flow) {
  StagePlan stage = flow.plan.reduce;
  if (stage.method == "auto" && !stage.off) {
    if (flow.data.rows->cols() <= 32) {
      box(flow, "reduce").state = ReportState::kSkipped;
      box(flow, "reduce").facts = {report_number(flow.data.rows->cols()) + " columns are few"};
      return;
    }
    stage.method = "pca";
    stage.params = {{"n_components", "0.95"}};
    if (flow.data.text != nullptr) {  // latent semantic analysis (Deerwester et al. 1990): no centring, so zeros stay zeros
      constexpr int64_t kTopics = 100;
      stage.method = "svd";
      stage.params = {{"n_components", to_text(std::min({kTopics, flow.data.rows->cols() - 1, flow.data.rows->rows() - 1}))}};
    }
  }
  if (stage.off) {
    box(flow, "reduce").state = ReportState::kOff;
    return;
  }
  const std::string folder = folder_for(flow, "reduce");
  const Algorithm& algorithm = *find_algorithm(stage.method);
  Stage fitted = fit_stage(algorithm, stage.params, flow.data, folder, "off", flow.ctx);
  write_stage_summary(flow, "reduce", fitted.summary);
  flow.reduced = true;
  flow.unreduce = fitted.outcome.inverse;
  on_root(flow.ctx, [] {});  // all ranks have written their rows
  const int64_t cols = fitted.outcome.embedding.empty() ? fitted.outcome.embedding_cols : fitted.outcome.embedding.cols;
  std::shared_ptr<Source> rows = embedding_rows(flow, folder, cols);
  rows->stats = measure(*rows, flow.ctx);
  const int64_t before = flow.data.rows->cols();
  flow.data.rows = rows_in_flow(flow, rows);
  std::vector<std::string> facts{stage.method, report_number(before) + " columns to " + report_number(cols)};
  const Json& result = fitted.summary["result"];
  if (result.contains("explained_variance_ratio")) {
    double sum = 0;
    for (const Json& share : result["explained_variance_ratio"]) sum += share.get<double>();
    facts.push_back(report_number(std::nearbyint(1000 * sum) / 10) + " % of the variance");
  }
  done(flow, "reduce", facts);
  flow.page.sections.emplace_back(ReportChapter{"reduce", ""});
  for (ReportSection& section : fitted.page.sections) {
    const bool map = std::holds_alternative<ReportScatter>(section) && !fitted.outcome.embedding.empty();
    if (std::holds_alternative<ReportCurve>(section) || map) flow.page.sections.push_back(std::move(section));
  }
}

}  // namespace sluice
