// What a no leads to: the rows as baskets of their values, and the rules among them.
#include <algorithm>
#include <filesystem>

#include "sluice/core/error.h"
#include "sluice/pipeline/files.h"
#include "sluice/pipeline/flow.h"
#include "sluice/pipeline/mine_command.h"

namespace sluice {
namespace {

// The baskets of the rows that preprocessing kept.
void keep_rows(BasketData& data, const std::vector<int64_t>& kept) {
  BasketSet& all = data.set;
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> items;
  for (const int64_t row : kept) {
    const auto basket = all.basket(row);
    items.insert(items.end(), basket.begin(), basket.end());
    offsets.push_back(static_cast<int64_t>(items.size()));
  }
  all.offsets = std::move(offsets);
  all.items = std::move(items);
}

// What the stage takes where the file says nothing: rules worth reading from sets of at most four values.
ParamTexts with_defaults(ParamTexts params) {
  params.try_emplace("rules", "true");
  params.try_emplace("min_support", "0.1");
  params.try_emplace("min_confidence", "0.8");
  params.try_emplace("max_length", "4");
  return params;
}

}  // namespace

void rules(Flow& flow) {
  const char* kBox = "association rules";
  if (flow.plan.rules.off || !flow.rules_apply) {
    box(flow, kBox).state = flow.plan.rules.off ? ReportState::kOff : ReportState::kSkipped;
    return;
  }
  const std::string folder = folder_for(flow, "rules");
  BasketData baskets = baskets_of(flow.features, flow.plan.rules.params, flow.ctx);
  if (!flow.data.kept.empty()) keep_rows(baskets, flow.data.kept);
  Stage mined = mine_stage(*find_algorithm(flow.plan.rules.method), with_defaults(flow.plan.rules.params), baskets, folder, flow.ctx);
  write_stage_summary(flow, "rules", mined.summary);
  const Json& result = mined.summary["result"];
  done(flow, kBox,
       {flow.plan.rules.method, report_number(result["n_itemsets"].get<int64_t>()) + " item sets",
        report_number(result["n_rules"].get<int64_t>()) + " rules"});
  add_chapter(flow, "rules", std::move(mined.page.sections));
}

}  // namespace sluice
