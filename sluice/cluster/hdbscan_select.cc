// Which clusters of the tree are taken, and what that says of each row. Clusters are numbered so that children come behind their parent:
// every walk is a loop up or down.
#include "sluice/cluster/hdbscan_parts.h"

namespace sluice::detail {
namespace {

// The sum over a cluster's rows of the levels between its birth and their leaving; what splits off leaves as a whole.
std::vector<double> stabilities(const CondensedTree& tree) {
  std::vector<double> out(tree.parent.size());
  for (size_t c = 1; c < out.size(); ++c) {
    const auto parent = static_cast<size_t>(tree.parent[c]);
    out[parent] += (tree.birth[c] - tree.birth[parent]) * static_cast<double>(tree.size[c]);
  }
  for (size_t i = 0; i < tree.row_cluster.size(); ++i) {
    const auto c = static_cast<size_t>(tree.row_cluster[i]);
    out[c] += tree.row_lambda[i] - tree.birth[c];
  }
  return out;
}

std::vector<uint8_t> leaves_of(const CondensedTree& tree) {
  std::vector<uint8_t> leaf(tree.parent.size(), 1);
  for (size_t c = 1; c < leaf.size(); ++c) leaf[static_cast<size_t>(tree.parent[c])] = 0;
  return leaf;
}

// Of several taken above each other only the highest stays.
void keep_highest(const CondensedTree& tree, std::vector<uint8_t>& taken) {
  std::vector<uint8_t> covered(taken.size());
  for (size_t c = 1; c < taken.size(); ++c) {
    const auto parent = static_cast<size_t>(tree.parent[c]);
    covered[c] = covered[parent] != 0 || taken[parent] != 0;
    if (covered[c] != 0) taken[c] = 0;
  }
}

// Excess of mass: from below, a cluster is taken when it is at least as stable as the best below it together.
std::vector<uint8_t> most_stable(const CondensedTree& tree, std::vector<double> stability, const HdbscanParams& params) {
  std::vector<uint8_t> taken(stability.size(), 1);
  std::vector<double> below(stability.size());
  const double most = params.max_cluster_size ? static_cast<double>(*params.max_cluster_size) : kInfinity;
  for (size_t c = stability.size(); c-- > 0;) {
    if (c == 0 && !params.allow_single_cluster) {
      taken[0] = 0;
      break;
    }
    if (below[c] > stability[c] || static_cast<double>(tree.size[c]) > most) {
      taken[c] = 0;
      stability[c] = below[c];
    }
    if (c > 0) below[static_cast<size_t>(tree.parent[c])] += stability[c];
  }
  keep_highest(tree, taken);
  return taken;
}

// Clusters that were split off at less than epsilon give way to the lowest above them that was not. Malzer and Baum 2020.
void merge_below(const CondensedTree& tree, double epsilon, bool root_may, std::vector<uint8_t>& taken) {
  const auto split_at = [&](size_t c) { return 1 / tree.birth[c]; };
  std::vector<uint8_t> wanted(taken.size());
  for (size_t c = 0; c < taken.size(); ++c) {
    if (taken[c] == 0) continue;
    size_t at = c;
    if (c != 0 && split_at(c) < epsilon) {
      do {
        const auto parent = static_cast<size_t>(tree.parent[at]);
        if (parent == 0 && !root_may) break;
        at = parent;
      } while (at != 0 && !(split_at(at) > epsilon));
    }
    wanted[at] = 1;
  }
  taken = std::move(wanted);
  keep_highest(tree, taken);
}

std::vector<uint8_t> taken_clusters(const CondensedTree& tree, const std::vector<double>& stability, const HdbscanParams& params) {
  std::vector<uint8_t> taken;
  if (params.cluster_selection_method == HdbscanSelection::kLeaf) {
    taken = leaves_of(tree);
    if (!params.allow_single_cluster) taken[0] = 0;
  } else {
    taken = most_stable(tree, stability, params);
  }
  if (params.cluster_selection_epsilon > 0 && taken[0] == 0) {
    merge_below(tree, params.cluster_selection_epsilon, params.allow_single_cluster, taken);
  }
  return taken;
}

// The largest finite level at which a row or a cluster leaves each cluster.
std::vector<double> largest_levels(const CondensedTree& tree) {
  std::vector<double> out(tree.parent.size());
  for (size_t c = 1; c < out.size(); ++c) {
    double& mine = out[static_cast<size_t>(tree.parent[c])];
    mine = std::max(mine, tree.birth[c]);
  }
  for (size_t i = 0; i < tree.row_cluster.size(); ++i) {
    double& mine = out[static_cast<size_t>(tree.row_cluster[i])];
    if (std::isfinite(tree.row_lambda[i])) mine = std::max(mine, tree.row_lambda[i]);
  }
  return out;
}

// The level from which on rows belong to a cluster. All of a cluster's rows do, but of the root, which all rows hang from: there epsilon
// draws the line, or else only the rows that leave last are meant, as scikit-learn has it.
double least_level(const CondensedTree& tree, int64_t cluster, double epsilon) {
  if (cluster != 0) return tree.birth[static_cast<size_t>(cluster)];
  if (epsilon > 0) return 1 / epsilon;
  double last = 0;
  for (size_t c = 1; c < tree.parent.size(); ++c) {
    if (tree.parent[c] == 0) last = std::max(last, tree.birth[c]);
  }
  for (size_t i = 0; i < tree.row_cluster.size(); ++i) {
    if (tree.row_cluster[i] == 0) last = std::max(last, tree.row_lambda[i]);
  }
  return last;
}

// Clusters numbered by their lowest row; those that no row is left of are dropped.
void number(const CondensedTree& tree, const std::vector<uint8_t>& taken, double epsilon, HdbscanFit& fit) {
  std::vector<int64_t> above(taken.size(), -1);  // the taken cluster that each is or hangs from
  std::vector<double> least(taken.size(), kInfinity);
  for (size_t c = 0; c < taken.size(); ++c) {
    above[c] = taken[c] != 0 ? static_cast<int64_t>(c) : c == 0 ? -1 : above[static_cast<size_t>(tree.parent[c])];
    if (taken[c] != 0) least[c] = least_level(tree, static_cast<int64_t>(c), epsilon);
  }
  std::vector<int32_t> label(taken.size(), -1);
  fit.labels.assign(tree.row_cluster.size(), -1);
  for (size_t i = 0; i < fit.labels.size(); ++i) {
    const int64_t c = above[static_cast<size_t>(tree.row_cluster[i])];
    if (c < 0 || tree.row_lambda[i] < least[static_cast<size_t>(c)]) continue;
    int32_t& mine = label[static_cast<size_t>(c)];
    if (mine < 0) {
      mine = static_cast<int32_t>(fit.choice.cluster.size());
      fit.choice.cluster.push_back(c);
      fit.choice.least_lambda.push_back(least[static_cast<size_t>(c)]);
    }
    fit.labels[i] = mine;
  }
  for (size_t c = 0; c < taken.size(); ++c) fit.choice.label.push_back(above[c] < 0 ? -1 : label[static_cast<size_t>(above[c])]);
  fit.n_clusters = static_cast<int64_t>(fit.choice.cluster.size());
  fit.n_noise = std::count(fit.labels.begin(), fit.labels.end(), -1);
}

void score(HdbscanFit& fit) {
  const CondensedTree& tree = fit.tree;
  std::vector<double> level = largest_levels(tree);
  for (const int64_t c : fit.choice.cluster) fit.choice.full_lambda.push_back(level[static_cast<size_t>(c)]);
  for (size_t c = level.size(); c-- > 1;) {
    double& above = level[static_cast<size_t>(tree.parent[c])];
    above = std::max(above, level[c]);
  }
  fit.choice.densest = std::move(level);
  fit.probabilities.resize(fit.labels.size());
  fit.outlier_scores.resize(fit.labels.size());
  for (size_t i = 0; i < fit.labels.size(); ++i) {
    const double lambda = tree.row_lambda[i];
    fit.probabilities[i] = probability_of(fit.choice, fit.labels[i], lambda);
    fit.outlier_scores[i] = outlier_score_of(fit.choice, tree.row_cluster[i], lambda);
  }
}

}  // namespace

double probability_of(const ClusterChoice& choice, int32_t label, double lambda) {
  if (label < 0) return 0;
  const double full = choice.full_lambda[static_cast<size_t>(label)];
  return lambda >= full ? 1 : lambda / full;
}

double outlier_score_of(const ClusterChoice& choice, int64_t cluster, double lambda) {
  const double densest = choice.densest[static_cast<size_t>(cluster)];
  return lambda >= densest ? 0 : (densest - lambda) / densest;
}

void choose_clusters(const HdbscanParams& params, HdbscanFit& fit) {
  fit.choice.stability = stabilities(fit.tree);
  number(fit.tree, taken_clusters(fit.tree, fit.choice.stability, params), params.cluster_selection_epsilon, fit);
  score(fit);
}

}  // namespace sluice::detail
