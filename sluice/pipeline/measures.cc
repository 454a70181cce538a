#include "sluice/pipeline/measures.h"

namespace sluice {

void add_label_measures(Outcome&, const Dataset&, Context&) {}

}  // namespace sluice
