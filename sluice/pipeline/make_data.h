// Data sets to try things on. blobs, moons, circles and swiss roll equal scikit-learn's for the same arguments and seed (labels exactly,
// values to 1e-12); mixtures and baskets are our own, with known truth.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "sluice/core/matrix.h"
#include "sluice/core/params.h"

namespace sluice {

enum class MadeKind { kBlobs, kMoons, kCircles, kSwissRoll, kBaskets, kMixtures };

struct MakeParams {
  MadeKind kind = MadeKind::kBlobs;
  int64_t n_samples = 100;
  int64_t n_features = 2;
  int64_t centers = 3;
  double cluster_std = 1.0;
  double center_box_min = -10;
  double center_box_max = 10;
  bool no_shuffle = false;
  double noise = 0;
  double factor = 0.8;
  int64_t n_items = 100;
  int64_t n_patterns = 20;
  double items_per_basket = 10;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(kind, "kind",
      Choices<MadeKind>{{{"blobs", MadeKind::kBlobs},
                         {"moons", MadeKind::kMoons},
                         {"circles", MadeKind::kCircles},
                         {"swiss-roll", MadeKind::kSwissRoll},
                         {"baskets", MadeKind::kBaskets},
                         {"mixtures", MadeKind::kMixtures}}},
      "What to make.");
    v(n_samples, "n_samples", Range<int64_t>{1, int64_t{1} << 40}, "Rows (baskets: transactions).");
    v(n_features, "n_features", Range<int64_t>{1, 1'000'000}, "Columns of blobs and mixtures.");
    v(centers, "centers", Range<int64_t>{1, 1'000'000}, "Clusters of blobs, components of mixtures.");
    v(cluster_std, "cluster_std", Range<double>{0, 1e100}, "Standard deviation within a blob.");
    v(center_box_min, "center_box_min", Range<double>{-1e100, 1e100}, "Least coordinate of a centre.");
    v(center_box_max, "center_box_max", Range<double>{-1e100, 1e100}, "Greatest coordinate of a centre.");
    v(no_shuffle, "no_shuffle", Flag{}, "Leave the rows in the order of their clusters.");
    v(noise, "noise", Range<double>{0, 1e100}, "Standard deviation of Gaussian noise on moons, circles and the roll.");
    v(factor, "factor", Range<double>{0, 1}, "Radius of the inner circle, the outer being 1.");
    v(n_items, "n_items", Range<int64_t>{1, 10'000'000}, "Different items in baskets.");
    v(n_patterns, "n_patterns", Range<int64_t>{1, 1'000'000}, "Item sets that baskets are put together from.");
    v(items_per_basket, "items_per_basket", Range<double>{1, 10'000}, "Mean size of a basket.");
  }
};

struct Made {
  Matrix<double> x;
  std::vector<int64_t> labels;   // of the rows; empty where the truth is a number
  std::vector<double> position;  // swiss roll: along the roll
};

// All but baskets. Memory: the data. Throws Error{kUsage} for a seed of 2^32 or more, which RandomState does not take.
Made make_data(const MakeParams& params, uint64_t seed);
// The classic example in one call.
Made make_blobs(int64_t n_samples, int64_t centers, double cluster_std, uint64_t seed);

// Transactions as ascending item numbers, each put together from the planted patterns and single items (after Agrawal and Srikant 1994).
struct Baskets {
  std::vector<std::vector<int64_t>> transactions;
  std::vector<std::vector<int64_t>> patterns;
};
Baskets make_baskets(const MakeParams& params, uint64_t seed);

}  // namespace sluice
