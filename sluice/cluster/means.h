// The means of clusters that a method without centres has found: for people, who want to see where a cluster lies.
#pragma once
#include "sluice/core/fold.h"
#include "sluice/core/matrix.h"

namespace sluice {

// The (weighted) mean of each cluster's rows, k x d on every rank, exactly rounded sums; empty where there are more than 2^22 values. A
// negative label belongs to none. One pass. Collective.
Matrix<double> cluster_means(const Source& rows, const RowColumn<int32_t>& labels, int64_t k, Context& ctx);

}  // namespace sluice
