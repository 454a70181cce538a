// The classic example: 1,000 points around 10 centres, found again by k-means.
#include <cstdio>
#include <exception>

#include "sluice/cluster/kmeans.h"
#include "sluice/core/random.h"

int main() try {
  sluice::Context ctx;
  ctx.threads = 2;
  sluice::Random random(ctx.seed, sluice::RandomStage::kSubsample, 0);
  std::vector<double> points;
  for (int i = 0; i < 1000; ++i) {
    points.push_back(10 * (i % 10 % 4) + random.normal());
    points.push_back(10 * (i % 10 / 4) + random.normal());
  }
  sluice::MemorySource rows(std::move(points), 1000, 2);
  rows.stats = sluice::measure(rows, ctx);

  const sluice::KMeansFit fit = sluice::kmeans_fit(rows, {.n_clusters = 10}, {}, ctx);
  for (int64_t c = 0; c < fit.cluster_centers.rows; ++c) {
    std::printf("%8.3f %8.3f  %lld points\n", fit.cluster_centers(c, 0), fit.cluster_centers(c, 1),
                static_cast<long long>(fit.cluster_sizes[c]));
  }
  std::printf("inertia %.4f\n", fit.inertia);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
