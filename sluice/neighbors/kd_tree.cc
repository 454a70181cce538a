#include "sluice/neighbors/kd_tree.h"

#include <oneapi/tbb/parallel_invoke.h>
#include <oneapi/tbb/task_arena.h>

#include <limits>

#include "sluice/core/fold.h"
#include "sluice/kernels/cpu.h"

namespace sluice {
namespace {

constexpr int64_t kTaskLeaves = 1024;  // subtrees below this are built by one thread

// A row that moves with its values while the tree is cut.
template <int64_t kD>
struct Record {
  double x[kD];
  int64_t row;
};
// With many columns only the number moves.
template <>
struct Record<0> {
  int64_t row;
};

template <int64_t kD>
struct Records {
  std::vector<Record<kD>> all;
  std::vector<double> values;  // kD == 0: row by row
  int64_t cols = kD;

  const double* at(const Record<kD>& record) const {
    if constexpr (kD > 0) {
      return record.x;
    } else {
      return values.data() + record.row * cols;
    }
  }
};

template <int64_t kD>
Records<kD> read_records(const Source& source, Context& ctx) {
  Records<kD> records;
  records.cols = source.cols();
  records.all.resize(static_cast<size_t>(source.rows()));
  if constexpr (kD == 0) records.values.resize(static_cast<size_t>(source.rows() * source.cols()));
  std::vector<std::vector<double>> scratch(static_cast<size_t>(worker_count(ctx)), std::vector<double>(static_cast<size_t>(source.cols())));
  map(source, ctx, [&](int worker, const MatrixBlock& leaf) {
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const double* from = leaf.row(i, scratch[static_cast<size_t>(worker)].data());
      Record<kD>& to = records.all[static_cast<size_t>(leaf.first_row + i)];
      to.row = leaf.first_row + i;
      if constexpr (kD > 0) {
        std::copy(from, from + kD, to.x);
      } else {
        std::copy(from, from + leaf.cols, records.values.begin() + to.row * leaf.cols);
      }
    }
  });
  return records;
}

template <int64_t kD>
class Builder {
 public:
  Builder(Records<kD>& records, KdTree& tree) : records_(records), tree_(tree) {}

  void build(const KdNode& node) {
    if (node.is_leaf()) return fill_leaf(node);
    const int64_t begin = node.leaf * kLeafRows;
    const int64_t end = std::min(tree_.rows, begin + node.leaves * kLeafRows);
    const int64_t middle = node.right().leaf * kLeafRows;
    const int64_t column = widest(begin, end);
    auto* all = records_.all.data();
    const auto less = [&](const Record<kD>& a, const Record<kD>& b) { return records_.at(a)[column] < records_.at(b)[column]; };
    std::nth_element(all + begin, all + middle, all + end, less);
    if (node.leaves >= kTaskLeaves) {
      oneapi::tbb::parallel_invoke([&] { task(node.left()); }, [&] { task(node.right()); });
    } else {
      build(node.left());
      build(node.right());
    }
    join_boxes(node);
  }

 private:
  void task(const KdNode& node) {
    kernels::set_float_mode();
    build(node);
  }

  int64_t widest(int64_t begin, int64_t end) const {
    constexpr int64_t kFew = kD > 0 ? kD : 1;
    double few_low[kFew], few_high[kFew];
    std::vector<double> many(kD > 0 ? 0 : static_cast<size_t>(2 * tree_.cols));
    double* low = kD > 0 ? few_low : many.data();
    double* high = kD > 0 ? few_high : many.data() + tree_.cols;
    const int64_t d = kD > 0 ? kD : tree_.cols;
    const double* first = records_.at(records_.all[static_cast<size_t>(begin)]);
    std::copy(first, first + d, low);
    std::copy(first, first + d, high);
    for (int64_t i = begin + 1; i < end; ++i) {
      const double* x = records_.at(records_.all[static_cast<size_t>(i)]);
      for (int64_t j = 0; j < d; ++j) {
        low[j] = std::min(low[j], x[j]);
        high[j] = std::max(high[j], x[j]);
      }
    }
    int64_t best = 0;
    for (int64_t j = 1; j < d; ++j) {
      if (high[j] - low[j] > high[best] - low[best]) best = j;
    }
    return best;
  }

  void fill_leaf(const KdNode& node) {
    const int64_t begin = node.leaf * kLeafRows;
    const int64_t size = tree_.leaf_size(node.leaf);
    double* columns = tree_.columns.data() + node.leaf * tree_.cols * kLeafRows;
    double* low = tree_.boxes.data() + 2 * node.id * tree_.cols;
    double* high = low + tree_.cols;
    std::fill(low, high, std::numeric_limits<double>::infinity());
    std::fill(high, high + tree_.cols, -std::numeric_limits<double>::infinity());
    for (int64_t v = 0; v < kLeafRows; ++v) {
      const Record<kD>* record = v < size ? &records_.all[static_cast<size_t>(begin + v)] : nullptr;
      if (record != nullptr) tree_.row_of[static_cast<size_t>(begin + v)] = record->row;
      for (int64_t j = 0; j < tree_.cols; ++j) {
        const double x = record != nullptr ? records_.at(*record)[j] : std::numeric_limits<double>::quiet_NaN();
        columns[j * kLeafRows + v] = x;
        if (record == nullptr) continue;
        low[j] = std::min(low[j], x);
        high[j] = std::max(high[j], x);
      }
    }
  }

  void join_boxes(const KdNode& node) {
    const int64_t d = tree_.cols;
    double* box = tree_.boxes.data() + 2 * node.id * d;
    const double* a = tree_.low(node.left().id);
    const double* b = tree_.low(node.right().id);
    for (int64_t j = 0; j < d; ++j) {
      box[j] = std::min(a[j], b[j]);
      box[d + j] = std::max(a[d + j], b[d + j]);
    }
  }

  Records<kD>& records_;
  KdTree& tree_;
};

template <int64_t kD>
void build_as(const Source& source, Context& ctx, KdTree& tree) {
  Records<kD> records = read_records<kD>(source, ctx);
  Builder<kD> builder(records, tree);
  oneapi::tbb::task_arena arena(worker_count(ctx));
  arena.execute([&] { builder.build(tree.root()); });
}

}  // namespace

int64_t kd_tree_bytes(int64_t rows, int64_t cols) {
  return (rows + kLeafRows) * (cols * 16 + 16) + (2 * rows / kLeafRows + 2) * cols * 16;
}

KdTree build_kd_tree(const Source& source, const Context& ctx) {
  Context alone = ctx;
  alone.comm = nullptr;
  KdTree tree;
  tree.rows = source.rows();
  tree.cols = source.cols();
  tree.leaves = (tree.rows + kLeafRows - 1) / kLeafRows;
  tree.row_of.resize(static_cast<size_t>(tree.rows));
  tree.columns.reserve(tree.leaves * kLeafRows * tree.cols);
  tree.boxes.resize(static_cast<size_t>(2 * tree.nodes() * tree.cols));
  switch (tree.cols) {
    case 1:
      build_as<1>(source, alone, tree);
      break;
    case 2:
      build_as<2>(source, alone, tree);
      break;
    case 3:
      build_as<3>(source, alone, tree);
      break;
    case 4:
      build_as<4>(source, alone, tree);
      break;
    default:
      build_as<0>(source, alone, tree);
  }
  return tree;
}

}  // namespace sluice
