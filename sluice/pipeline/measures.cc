#include "sluice/pipeline/measures.h"

#include "sluice/metrics/agreement.h"

namespace sluice {

void put_agreement(ResultKeys& result, const Agreement& agreed) {
  result.put("ari", agreed.ari);
  result.put("nmi", agreed.nmi);
  result.put("ami", agreed.ami);
  result.put("v_measure", agreed.v_measure);
  result.put("purity", agreed.purity);
}

void add_label_measures(Outcome& outcome, const Dataset& data, Context& ctx) {
  if (!data.labels || !outcome.labels) return;
  const RowColumn<int32_t>& labels = *outcome.labels;
  const auto first = labels.first_row();
  const auto rows = static_cast<size_t>(labels.last_row() - first);
  const Contingency mine =
      contingency(std::span<const int64_t>(data.labels->values.data() + first, rows), std::span<const int32_t>(labels.at(first), rows));
  put_agreement(outcome.result, agreement(add_over_ranks(mine, ctx)));
}

}  // namespace sluice
