#include "sluice/pipeline/make_data.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "sluice/core/math.h"
#include "sluice/core/random.h"
#include "sluice/pipeline/numpy_random.h"

namespace sluice {
namespace {

NumpyRandom generator(uint64_t seed) {
  if (seed > 0xffffffffU) fail(ErrorCode::kUsage, "--seed", "this data set takes a seed below 2^32", "give a smaller one");
  return NumpyRandom(static_cast<uint32_t>(seed));
}

void shuffle(Made& made, NumpyRandom& random) {
  const std::vector<int64_t> order = random.permutation(made.x.rows);
  Made out = made;
  for (int64_t i = 0; i < made.x.rows; ++i) {
    const int64_t from = order[static_cast<size_t>(i)];
    std::copy(made.x.row(from), made.x.row(from) + made.x.cols, out.x.row(i));
    out.labels[static_cast<size_t>(i)] = made.labels[static_cast<size_t>(from)];
  }
  made = std::move(out);
}

Made blobs(const MakeParams& params, uint64_t seed) {
  NumpyRandom random = generator(seed);
  Matrix<double> centers(params.centers, params.n_features);
  for (double& value : centers.values) value = random.uniform(params.center_box_min, params.center_box_max);
  Made made;
  made.x = Matrix<double>(params.n_samples, params.n_features);
  int64_t row = 0;
  for (int64_t c = 0; c < params.centers; ++c) {
    const int64_t count = params.n_samples / params.centers + (c < params.n_samples % params.centers ? 1 : 0);
    for (int64_t i = 0; i < count; ++i, ++row) {
      for (int64_t j = 0; j < params.n_features; ++j) made.x(row, j) = centers(c, j) + params.cluster_std * random.normal();
      made.labels.push_back(c);
    }
  }
  if (!params.no_shuffle) shuffle(made, random);
  return made;
}

// numpy.linspace(0, end, count), with its end or without.
double linspace(double end, int64_t count, int64_t i, bool with_end) {
  const int64_t steps = with_end ? count - 1 : count;
  if (with_end && i == count - 1 && count > 1) return end;
  return steps <= 0 ? 0 : static_cast<double>(i) * (end / static_cast<double>(steps));
}

Made two_arcs(const MakeParams& params, uint64_t seed) {
  NumpyRandom random = generator(seed);
  const bool moons = params.kind == MadeKind::kMoons;
  const int64_t outer = params.n_samples / 2;
  Made made;
  made.x = Matrix<double>(params.n_samples, 2);
  for (int64_t i = 0; i < params.n_samples; ++i) {
    const bool first = i < outer;
    const int64_t count = first ? outer : params.n_samples - outer;
    const double angle = linspace((moons ? 1 : 2) * std::numbers::pi, count, first ? i : i - outer, moons);
    const double x = std::cos(angle), y = std::sin(angle);
    made.x(i, 0) = first ? x : moons ? 1 - x : x * params.factor;
    made.x(i, 1) = first ? y : moons ? 1 - y - 0.5 : y * params.factor;
    made.labels.push_back(first ? 0 : 1);
  }
  if (!params.no_shuffle) shuffle(made, random);
  if (params.noise > 0) {
    for (double& value : made.x.values) value += params.noise * random.normal();
  }
  return made;
}

Made swiss_roll(const MakeParams& params, uint64_t seed) {
  NumpyRandom random = generator(seed);
  Made made;
  made.x = Matrix<double>(params.n_samples, 3);
  for (int64_t i = 0; i < params.n_samples; ++i) made.position.push_back(1.5 * std::numbers::pi * (1 + 2 * random.uniform()));
  for (int64_t i = 0; i < params.n_samples; ++i) {
    const double t = made.position[static_cast<size_t>(i)];
    made.x(i, 0) = t * std::cos(t);
    made.x(i, 1) = 21 * random.uniform();
    made.x(i, 2) = t * std::sin(t);
  }
  for (int64_t j = 0; j < 3; ++j) {
    for (int64_t i = 0; i < params.n_samples; ++i) made.x(i, j) += params.noise * random.normal();
  }
  return made;
}

// Components with covariance A A', A with independent normal entries of mean square cluster_std^2 / n_features, and centres in the box.
Made mixtures(const MakeParams& params, uint64_t seed) {
  const int64_t d = params.n_features;
  std::vector<Matrix<double>> maps;
  Matrix<double> centers(params.centers, d);
  for (int64_t c = 0; c < params.centers; ++c) {
    Random random(seed, RandomStage::kMakeData, static_cast<uint64_t>(c));
    for (int64_t j = 0; j < d; ++j)
      centers(c, j) = params.center_box_min + (params.center_box_max - params.center_box_min) * random.uniform();
    Matrix<double> map(d, d);
    for (double& value : map.values) value = params.cluster_std * random.normal() / std::sqrt(static_cast<double>(d));
    maps.push_back(std::move(map));
  }
  Made made;
  made.x = Matrix<double>(params.n_samples, d);
  std::vector<double> z(static_cast<size_t>(d));
  for (int64_t i = 0; i < params.n_samples; ++i) {
    Random random(seed, RandomStage::kMakeData, (uint64_t{1} << 40) + static_cast<uint64_t>(i));
    const auto c = static_cast<int64_t>(random.below(static_cast<uint64_t>(params.centers)));
    for (double& value : z) value = random.normal();
    for (int64_t j = 0; j < d; ++j) {
      double sum = centers(c, j);
      for (int64_t k = 0; k < d; ++k) sum = std::fma(maps[static_cast<size_t>(c)](j, k), z[static_cast<size_t>(k)], sum);
      made.x(i, j) = sum;
    }
    made.labels.push_back(c);
  }
  return made;
}

// A Poisson draw by products of uniforms, at least 1. A large mean in parts, for exp(-mean) would be no double.
int64_t poisson(double mean, Random& random) {
  constexpr double kPart = 500;
  int64_t count = 0;
  for (; mean > 0; mean -= kPart) {
    const double limit = exp64(-std::min(mean, kPart));
    for (double product = random.uniform(); product > limit; product *= random.uniform()) ++count;
  }
  return std::max<int64_t>(1, count);
}

}  // namespace

Made make_data(const MakeParams& params, uint64_t seed) {
  switch (params.kind) {
    case MadeKind::kMoons:
    case MadeKind::kCircles:
      return two_arcs(params, seed);
    case MadeKind::kSwissRoll:
      return swiss_roll(params, seed);
    case MadeKind::kMixtures:
      return mixtures(params, seed);
    default:
      return blobs(params, seed);
  }
}

Made make_blobs(int64_t n_samples, int64_t centers, double cluster_std, uint64_t seed) {
  MakeParams params;
  params.n_samples = n_samples;
  params.centers = centers;
  params.cluster_std = cluster_std;
  return make_data(params, seed);
}

Baskets make_baskets(const MakeParams& params, uint64_t seed) {
  Baskets out;
  for (int64_t p = 0; p < params.n_patterns; ++p) {
    Random random(seed, RandomStage::kMakeData, (uint64_t{2} << 40) + static_cast<uint64_t>(p));
    const int64_t size = std::min(params.n_items, 1 + poisson(3, random));
    std::set<int64_t> items;
    while (static_cast<int64_t>(items.size()) < size)
      items.insert(static_cast<int64_t>(random.below(static_cast<uint64_t>(params.n_items))));
    out.patterns.emplace_back(items.begin(), items.end());
  }
  for (int64_t t = 0; t < params.n_samples; ++t) {
    Random random(seed, RandomStage::kMakeData, (uint64_t{3} << 40) + static_cast<uint64_t>(t));
    const int64_t size = std::min(params.n_items, poisson(params.items_per_basket, random));
    std::set<int64_t> items;
    while (static_cast<int64_t>(items.size()) < size) {
      // Three times in four a whole pattern, the first ones more often; else a single item.
      if (random.uniform() < 0.75) {
        const double u = random.uniform();
        const auto& pattern = out.patterns[static_cast<size_t>(u * u * static_cast<double>(params.n_patterns))];
        items.insert(pattern.begin(), pattern.end());
      } else {
        items.insert(static_cast<int64_t>(random.below(static_cast<uint64_t>(params.n_items))));
      }
    }
    out.transactions.emplace_back(items.begin(), items.end());
  }
  return out;
}

}  // namespace sluice
