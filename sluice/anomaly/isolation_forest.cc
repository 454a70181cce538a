#include "sluice/anomaly/isolation_forest.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "sluice/anomaly/detector.h"
#include "sluice/core/math.h"
#include "sluice/core/random.h"
#include "sluice/kernels/aligned.h"

namespace sluice {
namespace {

constexpr double kLn2 = 0.69314718055994530942;

// The mean depth at which a search among m rows ends.
double mean_depth(int64_t m) {
  constexpr double kEuler = 0.57721566490153286061;
  if (m <= 1) return 0;
  if (m == 2) return 1;
  const auto rows = static_cast<double>(m);
  return 2 * (log64(rows - 1) + kEuler) - 2 * (rows - 1) / rows;
}

// `count` of the numbers below n, ascending: each set is equally likely (Floyd).
std::vector<int64_t> draw_rows(int64_t n, int64_t count, Random& random) {
  std::unordered_set<int64_t> chosen;
  for (int64_t j = n - count; j < n; ++j) {
    const auto t = static_cast<int64_t>(random.below(static_cast<uint64_t>(j) + 1));
    if (!chosen.insert(t).second) chosen.insert(j);
  }
  std::vector<int64_t> rows(chosen.begin(), chosen.end());
  std::sort(rows.begin(), rows.end());
  return rows;
}

struct GrownTree {
  std::vector<int64_t> feature, left, n_samples;
  std::vector<double> threshold;
  void add(int64_t samples) {
    feature.push_back(-1);
    left.push_back(0);
    threshold.push_back(0);
    n_samples.push_back(samples);
  }
};

// One tree on `sample` (rows x d), whose columns `columns` it may cut.
class Grower {
 public:
  Grower(const Matrix<double>& sample, std::vector<int64_t> columns, Random& random)
      : sample_(sample), columns_(std::move(columns)), random_(random), rows_(static_cast<size_t>(sample.rows)) {
    for (size_t i = 0; i < rows_.size(); ++i) rows_[i] = static_cast<int64_t>(i);
  }

  GrownTree grow() {
    const int most = static_cast<int>(std::bit_width(static_cast<uint64_t>(sample_.rows - 1)));  // ceil(log2(rows))
    std::vector<Part> parts{{0, sample_.rows, 0}};
    tree_.add(sample_.rows);
    for (size_t node = 0; node < parts.size(); ++node) {
      const Part part = parts[node];
      if (part.end - part.begin < 2 || part.depth >= most) continue;
      const int64_t middle = cut(node, part);
      if (middle < 0) continue;
      tree_.left[node] = static_cast<int64_t>(parts.size());
      for (const Part& child : {Part{part.begin, middle, part.depth + 1}, Part{middle, part.end, part.depth + 1}}) {
        parts.push_back(child);
        tree_.add(child.end - child.begin);
      }
    }
    return std::move(tree_);
  }

 private:
  struct Part {
    int64_t begin, end;
    int depth;
  };

  double value(int64_t at, int64_t column) const { return sample_(rows_[static_cast<size_t>(at)], column); }

  // Cuts a part by a random column that varies there, brings the left rows to its front and returns where the right ones begin; -1: none
  // varies.
  int64_t cut(size_t node, const Part& part) {
    for (size_t left = columns_.size(); left > 0; --left) {
      std::swap(columns_[random_.below(left)], columns_[left - 1]);
      const int64_t column = columns_[left - 1];
      double low = value(part.begin, column), high = low;
      for (int64_t i = part.begin + 1; i < part.end; ++i) {
        low = std::min(low, value(i, column));
        high = std::max(high, value(i, column));
      }
      if (!(low < high)) continue;
      double threshold = low + random_.uniform() * (high - low);
      if (threshold >= high) threshold = low;  // rounded up: nothing would be right of it
      tree_.feature[node] = column;
      tree_.threshold[node] = threshold;
      const auto begin = rows_.begin() + part.begin;
      const auto middle = std::partition(begin, rows_.begin() + part.end, [&](int64_t row) { return sample_(row, column) <= threshold; });
      return part.begin + (middle - begin);
    }
    return -1;
  }

  const Matrix<double>& sample_;
  std::vector<int64_t> columns_;
  Random& random_;
  std::vector<int64_t> rows_;
  GrownTree tree_;
};

Matrix<double> read_sample(const Source& rows, const std::vector<int64_t>& numbers, BlockBuffer& buffer) {
  Matrix<double> sample(static_cast<int64_t>(numbers.size()), rows.cols());
  std::vector<double> scratch(static_cast<size_t>(rows.cols()));
  for (size_t i = 0; i < numbers.size(); ++i) {
    const double* row = rows.read(numbers[i], 1, buffer).row(0, scratch.data());
    std::copy(row, row + rows.cols(), sample.row(static_cast<int64_t>(i)));
  }
  return sample;
}

std::vector<int64_t> draw_columns(int64_t d, double share, Random& random) {
  if (share >= 1) {
    std::vector<int64_t> all(static_cast<size_t>(d));
    for (int64_t j = 0; j < d; ++j) all[static_cast<size_t>(j)] = j;
    return all;
  }
  return draw_rows(d, std::clamp<int64_t>(static_cast<int64_t>(share * static_cast<double>(d)), 1, d), random);
}

Outcome outcome_of(const IsolationForestModel& model, const Source& rows, Context& ctx) {
  Outcome out;
  out.score = [scorer = std::make_shared<const IsolationScorer>(model)](const MatrixBlock& block, double* to) { scorer->score(block, to); };
  score_rows(out, rows, ctx);
  return out;
}

}  // namespace

IsolationForestModel isolation_forest_fit(const Source& rows, const IsolationForestParams& params, Context& ctx) {
  require_rows(rows);
  const int64_t samples = std::min(params.max_samples, rows.rows());
  const double nodes = 2 * static_cast<double>(samples) * static_cast<double>(params.n_estimators);
  require_left("isolation_forest", "a forest of " + to_text(params.n_estimators) + " trees on " + to_text(samples) + " rows each",
               100 * nodes + 8.0 * static_cast<double>(samples) * static_cast<double>(rows.cols()) * worker_count(ctx), rows, ctx,
               "give a smaller --max-samples or --n-estimators, or a larger --memory");
  ctx.stage("isolation forest", params.n_estimators);
  std::vector<GrownTree> trees(static_cast<size_t>(params.n_estimators));
  replicated(ctx, [&](Context& alone) {
    std::vector<BlockBuffer> buffers(static_cast<size_t>(worker_count(alone)));
    for_each_index(params.n_estimators, alone, [&](int worker, int64_t t) {
      Random random(alone.seed, RandomStage::kIsolationForest, static_cast<uint64_t>(t));
      const Matrix<double> sample = read_sample(rows, draw_rows(rows.rows(), samples, random), buffers[static_cast<size_t>(worker)]);
      trees[static_cast<size_t>(t)] = Grower(sample, draw_columns(rows.cols(), params.max_features, random), random).grow();
    });
  });
  IsolationForestModel model;
  model.cols = rows.cols();
  model.max_samples = samples;
  for (const GrownTree& tree : trees) {
    model.tree.push_back(static_cast<int64_t>(model.feature.size()));
    model.feature.insert(model.feature.end(), tree.feature.begin(), tree.feature.end());
    model.threshold.insert(model.threshold.end(), tree.threshold.begin(), tree.threshold.end());
    model.left.insert(model.left.end(), tree.left.begin(), tree.left.end());
    model.n_samples.insert(model.n_samples.end(), tree.n_samples.begin(), tree.n_samples.end());
  }
  model.tree.push_back(static_cast<int64_t>(model.feature.size()));
  return model;
}

IsolationScorer::IsolationScorer(const IsolationForestModel& model) : cols_(model.cols) {
  const auto trees = static_cast<int64_t>(model.tree.size()) - 1;
  const double usual = static_cast<double>(trees) * mean_depth(model.max_samples);
  scale_ = usual > 0 ? -kLn2 / usual : 0;
  nodes_.reserve(model.feature.size());
  depth_.reserve(model.feature.size());
  for (int64_t t = 0; t < trees; ++t) add_tree(model, t);
}

void IsolationScorer::add_tree(const IsolationForestModel& model, int64_t t) {
  const int64_t first = model.tree[static_cast<size_t>(t)];
  const int64_t count = model.tree[static_cast<size_t>(t) + 1] - first;
  std::vector<int32_t> depth(static_cast<size_t>(count), 0);
  Tree tree{first, 0};
  for (int64_t node = 0; node < count; ++node) {
    const auto at = static_cast<size_t>(first + node);
    const int32_t here = depth[static_cast<size_t>(node)];
    const auto left = static_cast<int32_t>(model.left[at]);
    if (model.feature[at] >= 0) {
      depth[static_cast<size_t>(left)] = depth[static_cast<size_t>(left) + 1] = here + 1;
      tree.depth = std::max(tree.depth, here + 1);
      nodes_.push_back({model.threshold[at], static_cast<int32_t>(model.feature[at]), left});
    } else {
      nodes_.push_back({std::numeric_limits<double>::infinity(), 0, static_cast<int32_t>(node)});
    }
    depth_.push_back(here + mean_depth(model.n_samples[at]));
  }
  trees_.push_back(tree);
}

// kRows walks side by side: each step of one waits for memory, and the others' steps fill the wait.
template <int kRows>
void IsolationScorer::add_depths(const double* rows, double* depths) const {
  for (const Tree& tree : trees_) {
    const Node* nodes = nodes_.data() + tree.first;
    const double* ends = depth_.data() + tree.first;
    int32_t at[kRows] = {};
    for (int32_t step = 0; step < tree.depth; ++step) {
      for (int r = 0; r < kRows; ++r) {
        const Node& node = nodes[at[r]];
        at[r] = node.left + static_cast<int32_t>(rows[r * cols_ + node.feature] > node.threshold);
      }
    }
    for (int r = 0; r < kRows; ++r) depths[r] += ends[at[r]];
  }
}

void IsolationScorer::score(const MatrixBlock& block, double* out) const {
  constexpr int kSide = 16;
  kernels::AlignedBuffer<double> rows(kSide * cols_);
  double* values = rows.data();
  for (int64_t first = 0; first < block.rows; first += kSide) {
    const int64_t count = std::min<int64_t>(kSide, block.rows - first);
    for (int64_t r = 0; r < count; ++r) {
      double* to = values + r * cols_;
      const double* from = block.row(first + r, to);
      if (from != to) std::copy(from, from + cols_, to);
    }
    double depths[kSide] = {};
    if (count == kSide) {
      add_depths<kSide>(values, depths);
    } else {
      for (int64_t r = 0; r < count; ++r) add_depths<1>(values + r * cols_, depths + r);
    }
    for (int64_t r = 0; r < count; ++r) out[first + r] = scale_ < 0 ? exp64(depths[r] * scale_) : 0.5;
  }
}

ModelFile isolation_forest_save(const IsolationForestModel& model) {
  ModelFile file;
  file.about = {{"algorithm", "isolation_forest"}};
  const std::vector<int64_t> sizes = {model.cols, model.max_samples};
  file.put("sizes", sizes);
  file.put("tree", model.tree);
  file.put("feature", model.feature);
  file.put("threshold", model.threshold);
  file.put("left", model.left);
  file.put("n_samples", model.n_samples);
  return file;
}

IsolationForestModel isolation_forest_load(const ModelFile& file) {
  IsolationForestModel model;
  const std::vector<int64_t> sizes = file.integers("sizes");
  constexpr int64_t kMost = (int64_t{1} << 31) - 1;
  if (sizes.size() != 2 || sizes[0] < 1 || sizes[0] > kMost || sizes[1] < 1 || sizes[1] > (int64_t{1} << 24))
    file.damaged("it does not say its columns and rows a tree");
  model.cols = sizes[0];
  model.max_samples = sizes[1];
  model.tree = file.integers("tree");
  model.feature = file.integers("feature");
  model.threshold = file.vector("threshold");
  model.left = file.integers("left");
  model.n_samples = file.integers("n_samples");
  const size_t count = model.feature.size();
  if (model.threshold.size() != count || model.left.size() != count || model.n_samples.size() != count)
    file.damaged("its nodes are not equally many in every list");
  if (model.tree.size() < 2 || model.tree.front() != 0 || model.tree.back() != static_cast<int64_t>(count))
    file.damaged("its trees do not cover its nodes");
  for (size_t t = 0; t + 1 < model.tree.size(); ++t) {
    const int64_t first = model.tree[t], end = model.tree[t + 1];
    if (first < 0 || end <= first || end > static_cast<int64_t>(count) || end - first > kMost) file.damaged("a tree has no node");
    int64_t next = 1;  // breadth-first: the next two nodes are the children of the next cut
    for (int64_t at = first; at < end; ++at) {
      const auto node = static_cast<size_t>(at);
      if (model.n_samples[node] < 1 || model.n_samples[node] > model.max_samples) file.damaged("a node was grown on no rows or too many");
      if (model.feature[node] == -1) {
        if (model.left[node] != 0) file.damaged("a leaf has a side");
        continue;
      }
      if (model.feature[node] < 0 || model.feature[node] >= model.cols) file.damaged("a cut is by a column that is not there");
      if (model.left[node] != next || next + 1 >= end - first || next <= at - first)
        file.damaged("a cut's sides are not where they belong");
      next += 2;
    }
    if (next != end - first) file.damaged("a tree has nodes that no cut leads to");
  }
  return model;
}

Outcome isolation_forest_run(const Source& rows, const IsolationForestParams& params, Context& ctx) {
  const IsolationForestModel model = isolation_forest_fit(rows, params, ctx);
  Outcome out = outcome_of(model, rows, ctx);
  out.model = isolation_forest_save(model);
  return out;
}

Outcome isolation_forest_apply(const ModelFile& file, const Source& rows, Context& ctx) {
  const IsolationForestModel model = isolation_forest_load(file);
  require_columns(rows, model.cols);
  return outcome_of(model, rows, ctx);
}

}  // namespace sluice
