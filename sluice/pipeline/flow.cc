#include "sluice/pipeline/flow.h"

#include <cmath>
#include <filesystem>

#include "sluice/core/error.h"
#include "sluice/pipeline/files.h"

namespace sluice {

ReportBox& box(Flow& flow, const std::string& name) {
  for (ReportBox& one : flow.boxes.boxes) {
    if (one.name == name) return one;
  }
  fail(ErrorCode::kBug, "flow", "there is no box " + name, "please report this as a bug");
}

std::string folder_for(Flow& flow, const std::string& stage) {
  const std::string folder = flow.out.path(stage);
  on_root(flow.ctx, [&] { std::filesystem::create_directories(folder); });
  return folder;
}

void done(Flow& flow, const std::string& name, std::vector<std::string> facts) {
  box(flow, name).state = ReportState::kDone;
  box(flow, name).facts = std::move(facts);
}

void write_stage_summary(Flow& flow, const std::string& stage, const Json& summary) {
  flow.result[stage] = summary["result"];
  const std::string folder = folder_for(flow, stage);
  on_root(flow.ctx, [&] { write_file(folder + "/summary.json", to_json_text(summary)); });
}

Matrix<double> in_units(const Flow& flow, const Matrix<double>& points, bool prepared) {
  if (points.empty() || (flow.reduced && !prepared && !flow.unreduce)) return {};
  Matrix<double> out = flow.reduced && !prepared ? flow.unreduce(points) : points;
  for (int64_t j = 0; j < out.cols && !flow.units.empty(); ++j) {
    const PreprocessOutput& column = flow.units[static_cast<size_t>(j)];
    for (int64_t i = 0; i < out.rows; ++i) out(i, j) = std::fma(out(i, j), column.scale, column.center);
  }
  return out;
}

void add_chapter(Flow& flow, const std::string& title, std::vector<ReportSection> sections) {
  flow.page.sections.emplace_back(ReportChapter{title, ""});
  for (ReportSection& section : sections) {
    if (!std::holds_alternative<ReportRowAccount>(section) && !std::holds_alternative<ReportPairs>(section))
      flow.page.sections.push_back(std::move(section));
  }
}

}  // namespace sluice
