// The tree of single linkage, and what is left of it when parts below min_cluster_size are no clusters. Both are loops over arrays: a merge
// has a higher number than what it joins, so one walk down the numbers meets parents before children.
#include "sluice/cluster/hdbscan_parts.h"

namespace sluice::detail {
namespace {

// Merge m joins `left` and `right`: rows below n, merge i as n + i.
struct Linkage {
  std::vector<int64_t> left, right, size;
};

Linkage single_linkage(const std::vector<ReachEdge>& edges, int64_t n) {
  Linkage out;
  Sets sets(n);
  std::vector<int64_t> node(static_cast<size_t>(n));  // of the set that a row is the root of
  for (int64_t i = 0; i < n; ++i) node[static_cast<size_t>(i)] = i;
  const auto rows_in = [&](int64_t x) { return x < n ? 1 : out.size[static_cast<size_t>(x - n)]; };
  for (const ReachEdge& edge : edges) {
    const int64_t a = sets.find(edge.low), b = sets.find(edge.high);
    const int64_t left = node[static_cast<size_t>(a)], right = node[static_cast<size_t>(b)];
    sets.unite(a, b);
    out.left.push_back(left);
    out.right.push_back(right);
    out.size.push_back(rows_in(left) + rows_in(right));
    node[static_cast<size_t>(std::min(a, b))] = n + static_cast<int64_t>(out.size.size()) - 1;
  }
  return out;
}

}  // namespace

CondensedTree condense(const ReachTask& task, const SpanningTree& spanning, int64_t min_cluster_size) {
  const auto n = static_cast<int64_t>(spanning.core.size());
  const Linkage linkage = single_linkage(spanning.edges, n);
  CondensedTree out;
  out.parent = {-1};
  out.birth = {0};
  out.size = {n};
  out.row_cluster.assign(static_cast<size_t>(n), 0);
  out.row_lambda.assign(static_cast<size_t>(n), 0);
  // What each merge belongs to, and the level at which it fell out of it with all below, or -1.
  std::vector<int64_t> cluster(linkage.size.size(), 0);
  std::vector<double> fallen(linkage.size.size(), -1);
  const auto hang = [&](int64_t x, int64_t c, double level) {
    if (x >= n) {
      cluster[static_cast<size_t>(x - n)] = c;
      fallen[static_cast<size_t>(x - n)] = level;
    } else {
      out.row_cluster[static_cast<size_t>(x)] = c;
      out.row_lambda[static_cast<size_t>(x)] = level;
    }
  };
  const auto rows_in = [&](int64_t x) { return x < n ? 1 : linkage.size[static_cast<size_t>(x - n)]; };
  for (auto m = static_cast<int64_t>(linkage.size.size()) - 1; m >= 0; --m) {
    const ReachEdge& edge = spanning.edges[static_cast<size_t>(m)];
    const int64_t c = cluster[static_cast<size_t>(m)];
    const double lambda = lambda_of(task.published(edge.reach));
    const int64_t sides[] = {linkage.left[static_cast<size_t>(m)], linkage.right[static_cast<size_t>(m)]};
    const bool small[] = {rows_in(sides[0]) < min_cluster_size, rows_in(sides[1]) < min_cluster_size};
    const bool falls = fallen[static_cast<size_t>(m)] >= 0;
    // Rows that coincide are one thing: they leave together.
    const bool ends = falls || edge.distance == 0;
    const bool splits = !ends && !small[0] && !small[1];
    for (int s = 0; s < 2; ++s) {
      if (splits) {
        out.parent.push_back(c);
        out.birth.push_back(lambda);
        out.size.push_back(rows_in(sides[s]));
        hang(sides[s], out.clusters() - 1, -1);
      } else if (ends || small[s]) {
        hang(sides[s], c, falls ? fallen[static_cast<size_t>(m)] : lambda);
      } else {
        hang(sides[s], c, -1);
      }
    }
  }
  return out;
}

}  // namespace sluice::detail
