// DBSCAN noise as a score: how far a row is from the nearest dense row, in units of eps. Method word `dbscan_noise`.
// Use when one distance says what near means: at most 1 is what DBSCAN puts into a cluster, above 1 what it calls noise. Not when you would
// have to guess eps: knn_distance.h and hdbscan_outliers.h need none.
//
// Determinism: cores of dbscan.h and distances of neighbors/knn.h; same bits for any threads, ranks, memory, storage and CPU. Ester, Kriegel,
// Sander and Xu 1996.
#pragma once
#include "sluice/cluster/dbscan.h"

namespace sluice {

// By name, for the registry, with the parameters of DBSCAN itself. Cost and memory: those of dbscan_fit and of one search among the core
// rows, which the model holds (24 bytes a value). Throws Error{kBadInput} when no row is core, so that nothing could be near.
Outcome dbscan_noise_run(const Source& rows, const DbscanParams& params, Context& ctx);
Outcome dbscan_noise_apply(const ModelFile& file, const Source& rows, Context& ctx);

}  // namespace sluice
