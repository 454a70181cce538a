#include "sluice/pipeline/make_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "sluice/cluster/kmeans.h"
#include "sluice/core/statistics.h"

namespace sluice {
namespace {

// What scikit-learn 1.9.1 gives: the first, second and last row, sums over all values, the first labels, and the sum of i * label(i).
struct Stored {
  MakeParams params;
  uint64_t seed;
  std::vector<double> rows;
  double sum, squares;
  std::vector<int64_t> labels;
  int64_t digest;
};

MakeParams made(MadeKind kind, int64_t n, double noise = 0, double factor = 0.8) {
  MakeParams params;
  params.kind = kind;
  params.n_samples = n;
  params.noise = noise;
  params.factor = factor;
  return params;
}

MakeParams blobs(int64_t n, int64_t d, int64_t centers, double spread) {
  MakeParams params = made(MadeKind::kBlobs, n);
  params.n_features = d;
  params.centers = centers;
  params.cluster_std = spread;
  return params;
}

std::vector<Stored> stored_sets() {
  MakeParams box = blobs(7, 1, 9, 1);  // more centres than rows
  box.center_box_min = 2;
  box.center_box_max = 3;
  MakeParams in_order = blobs(50, 2, 3, 1);
  in_order.no_shuffle = true;
  return {
      {blobs(1000, 2, 10, 1),
       0,
       {0.9486194672741028, 8.108473582432419, -0.9835921218343857, 3.3569252190051655, 6.056779106521873, 7.887258290916761},
       3215.738619128553,
       68481.11221701484,
       {6, 2, 0, 5, 1, 3, 1, 5},
       2259230},
      {blobs(531, 3, 4, 0.7),
       123,
       {1.108075062556179, 4.173937370210068, -2.0552703895598285, 2.8052097794550503, -3.3985471386854584, -5.945179217408783,
        0.22302759558377971, 4.762836968549141, -1.8288043608198064},
       1357.6413182435797,
       31146.253299521322,
       {1, 0, 0, 3, 1, 3, 0, 3},
       210523},
      {box,
       5,
       {4.5083607959000185, 3.4002848308548836, 1.6014213071490315},
       18.41141295806116,
       61.948986270491716,
       {1, 4, 3, 5, 6, 0, 2},
       61},
      {in_order,
       9,
       {-11.309848101081673, -0.453380138246971, -10.033197500788674, -0.6104556172468282, -8.228290598509707, -6.902036513920371},
       -496.36574656393987,
       3914.1257087035224,
       {0, 0, 0, 0, 0, 0, 0, 0},
       1753},
      {made(MadeKind::kMoons, 301, 0.05),
       7,
       {1.4355694096327782, -0.39382429297675337, 0.29443127339069397, 0.965956252137954, 0.14569049897706624, -0.0037308061967772214},
       223.95548305353023,
       391.8694426528058,
       {1, 0, 1, 0, 0, 1, 1, 1},
       22472},
      {made(MadeKind::kMoons, 10),
       7,
       {1.7071067811865475, -0.20710678118654757, 0.0, 0.5, -1.0, 1.2246467991473532e-16},
       7.5,
       13.835786437626904,
       {1, 1, 0, 0, 0, 1, 1, 0},
       20},
      {made(MadeKind::kCircles, 301, 0.05, 0.3),
       7,
       {-0.16736234702374378, -0.18075739043133476, -0.7952006942004729, 0.7178072901765744, 0.16351406862762868, 0.25503031306127666},
       -1.9078737463466142,
       165.3872387099113,
       {1, 0, 1, 0, 0, 1, 1, 1},
       22472},
  };
}

void expect_values(const Matrix<double>& x, const std::vector<double>& rows, double sum, double squares) {
  const int64_t d = x.cols;
  const int64_t at[3] = {0, 1, x.rows - 1};
  for (int64_t i = 0; i < 3; ++i) {
    for (int64_t j = 0; j < d; ++j) EXPECT_NEAR(x(at[i], j), rows[static_cast<size_t>(i * d + j)], 1e-12);
  }
  double mine = 0, my_squares = 0;
  for (const double value : x.values) {
    mine += value;
    my_squares += value * value;
  }
  EXPECT_NEAR(mine, sum, 1e-12 * static_cast<double>(x.values.size()) * 10);
  EXPECT_NEAR(my_squares, squares, 1e-12 * squares * 10);
}

TEST(MakeData, EqualsScikitLearn) {
  for (const Stored& stored : stored_sets()) {
    const Made got = make_data(stored.params, stored.seed);
    ASSERT_EQ(got.x.rows, stored.params.n_samples);
    expect_values(got.x, stored.rows, stored.sum, stored.squares);
    int64_t digest = 0;
    for (size_t i = 0; i < got.labels.size(); ++i) digest += static_cast<int64_t>(i) * got.labels[i];
    EXPECT_EQ(digest, stored.digest);
    for (size_t i = 0; i < stored.labels.size(); ++i) EXPECT_EQ(got.labels[i], stored.labels[i]);
  }
}

TEST(MakeData, TheRollEqualsScikitLearn) {
  const Made got = make_data(made(MadeKind::kSwissRoll, 301, 0.05), 7);
  expect_values(got.x,
                {3.6732812832181168, 9.837076149099547, -4.142998162667929, 10.425201593846309, 0.09298539317921488, -5.836117480600852,
                 7.449158451341443, 4.698600893345791, 11.298268570943554},
                3880.029583857693, 73633.7297791506);
  EXPECT_NEAR(got.position[0], 5.431577664300374, 1e-12);
  EXPECT_NEAR(got.position[7], 5.391454914122225, 1e-12);
}

TEST(MakeData, RefusesSeedsThatNumpyDoesNotTake) {
  EXPECT_THROW(make_data(blobs(10, 2, 2, 1), uint64_t{1} << 32), Error);
  EXPECT_NO_THROW(make_data(blobs(10, 2, 2, 1), (uint64_t{1} << 32) - 1));
}

// The lowest inertia known of the classic example is 1773.4; one fit must find it whatever the seed.
TEST(MakeData, ClassicBlobsAreClusteredWell) {
  Made classic = make_blobs(1000, 10, 1.0, 0);
  MemorySource source(std::move(classic.x.values), 1000, 2);
  Context ctx;
  ctx.threads = 2;
  source.stats = measure(source, ctx);
  KMeansParams params;
  params.n_clusters = 10;
  int good = 0;
  for (ctx.seed = 0; ctx.seed < 100; ++ctx.seed) good += kmeans_fit(source, params, {}, ctx).inertia < 1773.4 * 1.001 ? 1 : 0;
  EXPECT_GE(good, 99);
}

TEST(MakeData, MixturesHaveTheirCovariances) {
  MakeParams params = blobs(20000, 2, 2, 1.5);
  params.kind = MadeKind::kMixtures;
  const Made got = make_data(params, 3);
  const Made again = make_data(params, 3);
  EXPECT_EQ(got.x, again.x);
  EXPECT_NE(make_data(params, 4).x, got.x);
  // A row is a function of the seed and its number alone: a shorter set is the longer one's start.
  params.n_samples = 50;
  const Made head = make_data(params, 3);
  EXPECT_TRUE(std::equal(head.x.values.begin(), head.x.values.end(), got.x.values.begin()));
  int64_t counts[2] = {};
  for (const int64_t label : got.labels) ++counts[label];
  EXPECT_NEAR(static_cast<double>(counts[0]), 10000, 500);
  bool tilted = false;  // full covariances, not round clouds
  for (int64_t c = 0; c < 2; ++c) {
    double n = 0, mean[2] = {}, cross = 0, square[2] = {};
    for (int64_t i = 0; i < 20000; ++i) {
      if (got.labels[static_cast<size_t>(i)] != c) continue;
      n += 1;
      for (int64_t j = 0; j < 2; ++j) mean[j] += got.x(i, j);
    }
    for (int64_t i = 0; i < 20000; ++i) {
      if (got.labels[static_cast<size_t>(i)] != c) continue;
      const double a = got.x(i, 0) - mean[0] / n, b = got.x(i, 1) - mean[1] / n;
      cross += a * b;
      square[0] += a * a;
      square[1] += b * b;
    }
    tilted |= std::fabs(cross) / std::sqrt(square[0] * square[1]) > 0.1;
    EXPECT_LT(std::fabs(mean[0] / n), 10.2);
  }
  EXPECT_TRUE(tilted);
}

TEST(MakeData, BasketsHoldTheirPatterns) {
  MakeParams params = made(MadeKind::kBaskets, 3000);
  params.n_items = 200;
  params.n_patterns = 40;
  params.items_per_basket = 8;
  const Baskets got = make_baskets(params, 5);
  ASSERT_EQ(got.transactions.size(), 3000U);
  ASSERT_EQ(got.patterns.size(), 40U);
  std::map<int64_t, double> shares;
  double items = 0;
  for (const auto& transaction : got.transactions) {
    ASSERT_FALSE(transaction.empty());
    EXPECT_TRUE(std::is_sorted(transaction.begin(), transaction.end()));
    EXPECT_EQ(std::set<int64_t>(transaction.begin(), transaction.end()).size(), transaction.size());
    EXPECT_GE(transaction.front(), 0);
    EXPECT_LT(transaction.back(), 200);
    items += static_cast<double>(transaction.size());
    for (const int64_t item : transaction) shares[item] += 1.0 / 3000;
  }
  EXPECT_GT(items / 3000, 7);
  EXPECT_LT(items / 3000, 14);
  // A pattern is together far more often than if its items came independently.
  const std::vector<int64_t>& planted =
      *std::find_if(got.patterns.begin() + 10, got.patterns.end(), [](const auto& pattern) { return pattern.size() >= 3; });
  double together = 0, independent = 1;
  for (const auto& transaction : got.transactions)
    together += std::includes(transaction.begin(), transaction.end(), planted.begin(), planted.end()) ? 1.0 / 3000 : 0;
  for (const int64_t item : planted) independent *= shares[item];
  EXPECT_GT(together, 3 * independent);
  EXPECT_EQ(make_baskets(params, 5).transactions, got.transactions);
  MakeParams wide = made(MadeKind::kBaskets, 20);
  wide.n_items = 100'000;
  wide.items_per_basket = 3000;
  double mean = 0;
  for (const auto& transaction : make_baskets(wide, 1).transactions) mean += static_cast<double>(transaction.size()) / 20;
  EXPECT_NEAR(mean, 3000, 100);
  EXPECT_NE(make_baskets(params, 6).transactions, got.transactions);
}

}  // namespace
}  // namespace sluice
