// The inside of measure() in statistics.h for sparse rows. Not for other use.
#pragma once
#include "sluice/core/statistics.h"

namespace sluice::detail {

// The statistics that measure() gives for the same rows written out, but for the content hash, which is that of the columns and values of
// the non-zeros, leaf by leaf. Cost: O(non-zeros), and a pass for each 16,384 columns; memory: about 4 KiB a column of a pass and thread.
Statistics measure_csr(const Source& source, Context& ctx);

}  // namespace sluice::detail
