// The classic example: 1,000 points around 10 centres, found again by k-means.
#include <cstdio>
#include <exception>

#include "sluice/cluster/kmeans.h"
#include "sluice/pipeline/make_data.h"

int main() try {
  sluice::Context ctx;
  ctx.threads = 2;
  sluice::Made blobs = sluice::make_blobs(1000, 10, 1.0, ctx.seed);
  sluice::MemorySource rows(std::move(blobs.x.values), 1000, 2);
  rows.stats = sluice::measure(rows, ctx);

  const sluice::KMeansFit fit = sluice::kmeans_fit(rows, {.n_clusters = 10}, {}, ctx);
  for (int64_t c = 0; c < fit.cluster_centers.rows; ++c) {
    const auto size = static_cast<long long>(fit.cluster_sizes[static_cast<size_t>(c)]);
    std::printf("%8.3f %8.3f  %lld points\n", fit.cluster_centers(c, 0), fit.cluster_centers(c, 1), size);
  }
  std::printf("inertia %.2f, reached by %lld of %lld starts\n", fit.inertia, static_cast<long long>(fit.starts_agreed),
              static_cast<long long>(fit.starts));
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
