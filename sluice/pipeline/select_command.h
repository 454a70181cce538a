// `sluice select`: which rows to label first, and, once they have labels, the rows near them that take the label over. Also a stage of `run`.
#pragma once
#include "sluice/curate/select.h"
#include "sluice/pipeline/algorithm_command.h"

namespace sluice {

// As a pipeline's stage takes them; labels are then those of the input.
struct SelectStageParams {
  SelectParams select;
  double propagate = 0.2;

  template <class Visitor>
  void describe(Visitor&& v) {
    select.describe(v);
    v(propagate, "propagate", Range<double>{0, 1}, "With labels: the share of each cluster, nearest first, that takes over its label.");
  }
};

struct SelectCommandParams {
  SelectStageParams stage;
  std::string labels;

  template <class Visitor>
  void describe(Visitor&& v) {
    stage.describe(v);
    v(labels, "labels", FilePath{}, "Labels of chosen rows: a table with columns row and label, e.g. to_label.csv with a label added.");
  }
};

Said select_command(const Invocation& in, Context& ctx);

// One selection into a folder: everything but the manifest. `given`: those of SelectCommandParams.
Stage select_stage(const ParamTexts& given, const Dataset& data, const std::string& folder, const std::string& assignments, Context& ctx,
                   StageTimes* times = nullptr);

}  // namespace sluice
