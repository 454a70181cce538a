#include "sluice/reduce/umap_graph.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sluice/core/fold.h"
#include "sluice/core/math.h"

namespace sluice::detail {
namespace {

constexpr int kBisections = 64;
constexpr double kClose = 1e-5;       // of the sum of strengths to its target
constexpr double kLeastSigma = 1e-3;  // as a share of the mean distance
constexpr int64_t kPiece = 1024;      // rows a task

// The distance of the local_connectivity-th neighbour that is not at 0, between two of them by interpolation.
double rho_of(const double* distances, int64_t count, double local_connectivity) {
  const double* first = std::find_if(distances, distances + count, [](double x) { return x > 0; });
  const int64_t positive = distances + count - first;
  if (positive == 0) return 0;
  if (static_cast<double>(positive) < local_connectivity) return first[positive - 1];
  const auto whole = static_cast<int64_t>(local_connectivity);
  const double rest = local_connectivity - static_cast<double>(whole);
  if (whole == 0) return rest * first[0];
  double rho = first[whole - 1];
  if (rest > kClose && whole < positive) rho += rest * (first[whole] - first[whole - 1]);
  return rho;
}

double strengths(const double* distances, int64_t count, const UmapScale& scale) {
  double sum = 0;
  for (int64_t j = 1; j < count; ++j) sum += umap_strength(scale, distances[j]);
  return sum;
}

// Where every row's entries begin in the transposed lists.
std::vector<int64_t> transposed_starts(const Neighbors& neighbors) {
  std::vector<int64_t> starts(static_cast<size_t>(neighbors.rows()) + 1);
  for (const int64_t j : neighbors.indices) ++starts[static_cast<size_t>(j) + 1];
  for (size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
  return starts;
}

struct Edge {
  int32_t other;
  double weight;
};

// Strengths by who is named, each list ascending by who names.
std::vector<Edge> transposed(const Neighbors& neighbors, const std::vector<double>& strength, const std::vector<int64_t>& starts) {
  std::vector<Edge> in(neighbors.indices.size());
  std::vector<int64_t> at(starts.begin(), starts.end() - 1);
  for (int64_t i = 0; i < neighbors.rows(); ++i) {
    for (int64_t j = 0; j < neighbors.k; ++j) {
      int64_t& to = at[static_cast<size_t>(neighbors.row(i)[j])];
      in[static_cast<size_t>(to++)] = {static_cast<int32_t>(i), strength[static_cast<size_t>(i * neighbors.k + j)]};
    }
  }
  return in;
}

}  // namespace

UmapScale umap_scale(const double* distances, int64_t count, double local_connectivity, double mean) {
  UmapScale scale{rho_of(distances, count, local_connectivity), 1};
  const double target = log64(static_cast<double>(count)) / log64(2);
  double low = 0;
  double high = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kBisections; ++i) {
    const double sum = strengths(distances, count, scale);
    if (std::fabs(sum - target) < kClose) break;
    if (sum > target) {
      high = scale.sigma;
      scale.sigma = (low + high) / 2;
    } else {
      low = scale.sigma;
      scale.sigma = std::isinf(high) ? scale.sigma * 2 : (low + high) / 2;
    }
  }
  if (scale.rho > 0) {
    mean = 0;
    for (int64_t j = 0; j < count; ++j) mean += distances[j];
    mean /= static_cast<double>(count);
  }
  scale.sigma = std::max(scale.sigma, kLeastSigma * mean);
  return scale;
}

double umap_strength(const UmapScale& scale, double distance) {
  const double beyond = distance - scale.rho;
  return beyond > 0 && scale.sigma > 0 ? exp64(-beyond / scale.sigma) : 1;
}

void for_pieces(int64_t n, int64_t piece, Context& ctx, const std::function<void(int64_t, int64_t)>& body) {
  Context alone = ctx;
  alone.comm = nullptr;
  LeafRange range;
  range.rows = n;
  range.rows_per_leaf = piece;
  range.leaves = range.last = (n + piece - 1) / piece;
  for_each_leaf(range, alone, [&](int, int64_t leaf) { body(leaf * piece, std::min(n, (leaf + 1) * piece)); });
}

UmapGraph umap_graph(const Neighbors& neighbors, double local_connectivity, double set_op_mix_ratio, Context& ctx) {
  const int64_t n = neighbors.rows();
  const int64_t k = neighbors.k;
  double mean = 0;
  for (const double x : neighbors.distances) mean += x;
  mean /= static_cast<double>(n * (k + 1));  // the row itself at 0 counts
  std::vector<double> strength(neighbors.distances.size());
  for_pieces(n, kPiece, ctx, [&](int64_t first, int64_t last) {
    std::vector<double> own(static_cast<size_t>(k + 1));
    for (int64_t i = first; i < last; ++i) {
      std::copy_n(neighbors.distance(i), k, own.begin() + 1);
      const UmapScale scale = umap_scale(own.data(), k + 1, local_connectivity, mean);
      for (int64_t j = 0; j < k; ++j) strength[static_cast<size_t>(i * k + j)] = umap_strength(scale, neighbors.distance(i)[j]);
    }
  });
  const std::vector<int64_t> starts = transposed_starts(neighbors);
  const std::vector<Edge> in = transposed(neighbors, strength, starts);
  UmapGraph graph;
  std::vector<Edge> out(static_cast<size_t>(k));
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < k; ++j)
      out[static_cast<size_t>(j)] = {static_cast<int32_t>(neighbors.row(i)[j]), strength[static_cast<size_t>(i * k + j)]};
    std::sort(out.begin(), out.end(), [](const Edge& a, const Edge& b) { return a.other < b.other; });
    auto mine = out.begin();
    auto theirs = in.begin() + starts[static_cast<size_t>(i)];
    const auto end = in.begin() + starts[static_cast<size_t>(i) + 1];
    while (mine != out.end() || theirs != end) {
      const int32_t other = theirs == end || (mine != out.end() && mine->other < theirs->other) ? mine->other : theirs->other;
      const double a = mine != out.end() && mine->other == other ? (mine++)->weight : 0;
      const double b = theirs != end && theirs->other == other ? (theirs++)->weight : 0;
      const double weight = set_op_mix_ratio * (a + b - a * b) + (1 - set_op_mix_ratio) * (a * b);
      if (!(weight > 0)) continue;
      graph.others.push_back(other);
      graph.weights.push_back(weight);
    }
    graph.starts.push_back(static_cast<int64_t>(graph.others.size()));
  }
  return graph;
}

UmapGraph without_weak(const UmapGraph& graph, double least) {
  UmapGraph kept;
  for (int64_t i = 0; i < graph.rows(); ++i) {
    for (auto e = static_cast<size_t>(graph.starts[static_cast<size_t>(i)]);
         e < static_cast<size_t>(graph.starts[static_cast<size_t>(i) + 1]); ++e) {
      if (graph.weights[e] < least) continue;
      kept.others.push_back(graph.others[e]);
      kept.weights.push_back(graph.weights[e]);
    }
    kept.starts.push_back(static_cast<int64_t>(kept.others.size()));
  }
  return kept;
}

std::vector<int32_t> parts_of(const UmapGraph& graph, int64_t& count) {
  std::vector<int32_t> part(static_cast<size_t>(graph.rows()), -1);
  std::vector<int32_t> waiting;
  count = 0;
  for (int64_t seed = 0; seed < graph.rows(); ++seed) {
    if (part[static_cast<size_t>(seed)] >= 0) continue;
    part[static_cast<size_t>(seed)] = static_cast<int32_t>(count);
    waiting.push_back(static_cast<int32_t>(seed));
    while (!waiting.empty()) {
      const auto i = static_cast<size_t>(waiting.back());
      waiting.pop_back();
      for (auto e = static_cast<size_t>(graph.starts[i]); e < static_cast<size_t>(graph.starts[i + 1]); ++e) {
        int32_t& other = part[static_cast<size_t>(graph.others[e])];
        if (other >= 0) continue;
        other = static_cast<int32_t>(count);
        waiting.push_back(graph.others[e]);
      }
    }
    ++count;
  }
  return part;
}

}  // namespace sluice::detail
