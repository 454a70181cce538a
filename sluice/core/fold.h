// The executor: runs a state over a source's rows, on threads, from memory or disk, and over ranks.
//
// The rows are cut into leaves: consecutive rows, fixed by row number and column count alone. A state sees whole leaves:
//   accumulate(const MatrixBlock& leaf)   add a leaf's rows; what it sums in floating point it sums within the leaf only
//   merge(S&& other)                      add another state of the same making
//   save(ByteWriter&) const, load(ByteReader&)   travel between ranks and into checkpoints
//   bytes() const                         memory it holds
// A state that also has accumulate(const CsrBlock& leaf) is given sparse leaves where the source has them (csr.h).
// A state whose sums are integers (limbs.h, exact_sum.h) may be merged in any order: one state a worker. A state with
//   static constexpr bool kOrdered = true
// is made anew for each leaf and merged along the aligned dyadic tree on leaf numbers (a node covers leaves [i 2^l, (i+1) 2^l)),
// so its bits do not depend on threads or ranks either; costs log2(leaves) states a worker.
//
// Errors: of all leaves, workers and ranks the lowest leaf's error is thrown, on every rank. A wish to stop (Context::stop)
// ends in Error{kInterrupted} on every rank.
#pragma once
#include <algorithm>
#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/source.h"

namespace sluice {

// 4096, or fewer where a row has more than 1,024 columns, so that a leaf holds about 4 million values at most.
int64_t leaf_rows(int64_t cols, const Context& ctx);

// ctx.threads, or Error{kUsage} when it is below 1.
int worker_count(const Context& ctx);

// The leaves of a source and those of this rank: [first, last).
struct LeafRange {
  int64_t rows_per_leaf = 0;
  int64_t leaves = 0;
  int64_t first = 0;
  int64_t last = 0;
  int64_t rows = 0;
  int64_t first_row() const { return std::min(rows, first * rows_per_leaf); }
  int64_t last_row() const { return std::min(rows, last * rows_per_leaf); }
};
LeafRange leaf_range(int64_t rows, int64_t cols, const Context& ctx);

// Runs body(worker, leaf) for this rank's leaves; worker < ctx.threads. Collective: all ranks call it, all throw alike.
void for_each_leaf(const LeafRange& range, Context& ctx, const std::function<void(int worker, int64_t leaf)>& body);

// Row-local work: f(worker, block) once a leaf of this rank, in any order. What it writes it writes at the block's own rows.
void map(const Source& source, Context& ctx, const std::function<void(int worker, const MatrixBlock& leaf)>& f);

// The same over the sparse form of a source that has one. The leaves are the same rows.
void map_csr(const Source& source, Context& ctx, const std::function<void(int worker, const CsrBlock& leaf)>& f);

// All pairs of row blocks: f(worker, rows, others, last) for each leaf of this rank against every leaf of `others` in ascending order,
// `last` true on the final one. f may write at the rows of `rows` only. With no rows in `others` f is never called.
void fold_pairs(const Source& source, const Source& others, Context& ctx,
                const std::function<void(int worker, const MatrixBlock& rows, const MatrixBlock& others, bool last)>& f);

// A value per row, kept across passes: this rank's rows only, never merged. Cut at the same leaves as everything else.
template <class T>
class RowColumn {
 public:
  RowColumn() = default;
  RowColumn(const LeafRange& range, T fill)
      : first_(range.first_row()), values_(static_cast<size_t>(range.last_row() - range.first_row()), fill) {}
  T& operator[](int64_t row) { return values_[static_cast<size_t>(row - first_)]; }
  const T& operator[](int64_t row) const { return values_[static_cast<size_t>(row - first_)]; }
  T* at(int64_t row) { return values_.data() + (row - first_); }
  const T* at(int64_t row) const { return values_.data() + (row - first_); }
  int64_t first_row() const { return first_; }
  int64_t last_row() const { return first_ + static_cast<int64_t>(values_.size()); }

 private:
  int64_t first_ = 0;
  std::vector<T> values_;
};

// All ranks' rows of a column, in row order, on every rank.
template <class T>
std::vector<T> gather(const RowColumn<T>& column, Context& ctx) {
  const std::span<const T> mine(column.at(column.first_row()), static_cast<size_t>(column.last_row() - column.first_row()));
  if (ctx.ranks() == 1) return {mine.begin(), mine.end()};
  std::vector<T> all;
  for (const Bytes& part : ctx.comm->all_gather(std::as_bytes(mine))) {
    const auto* values = reinterpret_cast<const T*>(part.data());
    all.insert(all.end(), values, values + part.size() / sizeof(T));
  }
  return all;
}

template <class S>
concept State = std::movable<S> && requires(S s, S&& other, const MatrixBlock& leaf, const S& fixed, ByteWriter& out, ByteReader& in) {
  s.accumulate(leaf);
  s.merge(std::move(other));
  fixed.save(out);
  s.load(in);
  { fixed.bytes() } -> std::convertible_to<int64_t>;
};

template <class S>
concept OrderedState = State<S> && S::kOrdered;

template <class S>
concept SparseState = State<S> && !OrderedState<S> && requires(S s, const CsrBlock& leaf) { s.accumulate(leaf); };

namespace detail {

// Pending nodes of the dyadic tree: put(leaf state) merges complete pairs upwards.
template <class S>
class DyadicTree {
 public:
  explicit DyadicTree(int64_t leaves) : leaves_(leaves) {}

  void put(int level, int64_t index, S state) {
    for (;;) {
      std::optional<S> sibling;
      {
        const std::lock_guard lock(mutex_);
        if (((leaves_ + (int64_t{1} << level) - 1) >> level) <= 1) return park(level, index, std::move(state));
        const int64_t other = index ^ 1;
        const bool alone = (other << level) >= leaves_;  // the last node of an odd level goes up unchanged
        if (!alone) {
          auto found = nodes_.find({level, other});
          if (found == nodes_.end()) return park(level, index, std::move(state));
          sibling.emplace(std::move(found->second));
          nodes_.erase(found);
        }
      }
      if (sibling) {
        if (index & 1) std::swap(*sibling, state);
        state.merge(std::move(*sibling));
      }
      ++level;
      index >>= 1;
    }
  }
  std::map<std::pair<int, int64_t>, S>& nodes() { return nodes_; }

 private:
  void park(int level, int64_t index, S state) { nodes_.emplace(std::pair{level, index}, std::move(state)); }
  int64_t leaves_;
  std::mutex mutex_;
  std::map<std::pair<int, int64_t>, S> nodes_;
};

template <class S>
Bytes saved(const S& state) {
  ByteWriter out;
  state.save(out);
  return out.take();
}

template <class S, class Make>
S combine_ranks(S mine, const Make& make, Context& ctx) {
  if (ctx.ranks() == 1) return mine;
  S total = make();
  for (const Bytes& bytes : ctx.comm->all_gather(saved(mine))) {
    S theirs = make();
    ByteReader in(bytes);
    theirs.load(in);
    in.expect_end();
    total.merge(std::move(theirs));
  }
  return total;
}

template <class S, class Make>
S fold_ordered(const Source& source, const Make& make, Context& ctx) {
  const LeafRange range = leaf_range(source.rows(), source.cols(), ctx);
  DyadicTree<S> tree(range.leaves);
  map(source, ctx, [&](int, const MatrixBlock& leaf) {
    S state = make();
    state.accumulate(leaf);
    tree.put(0, leaf.first_row / range.rows_per_leaf, std::move(state));
  });
  if (ctx.ranks() > 1) {
    ByteWriter out;
    out.put<uint64_t>(tree.nodes().size());
    for (auto& [key, state] : tree.nodes()) {
      out.put(key.first);
      out.put(key.second);
      out.put_all(std::span<const std::byte>(saved(state)));
    }
    DyadicTree<S> whole(range.leaves);
    for (const Bytes& bytes : ctx.comm->all_gather(out.take())) {
      ByteReader in(bytes);
      for (auto left = in.get<uint64_t>(); left > 0; --left) {
        const int level = in.get<int>();
        const auto index = in.get<int64_t>();
        const auto body = in.get_all<std::byte>();
        S state = make();
        ByteReader part(body);
        state.load(part);
        part.expect_end();
        whole.put(level, index, std::move(state));
      }
    }
    return whole.nodes().empty() ? make() : std::move(whole.nodes().begin()->second);
  }
  return tree.nodes().empty() ? make() : std::move(tree.nodes().begin()->second);
}

}  // namespace detail

// Runs the state that `make` makes over all rows; the same result on every rank. Memory: one state a worker (ordered: more).
template <class Make>
auto fold(const Source& source, const Make& make, Context& ctx) {
  using S = decltype(make());
  static_assert(State<S>);
  if constexpr (OrderedState<S>) {
    return detail::fold_ordered<S>(source, make, ctx);
  } else {
    std::vector<std::optional<S>> states(static_cast<size_t>(worker_count(ctx)));
    const auto take = [&](int worker, const auto& leaf) {
      auto& state = states[static_cast<size_t>(worker)];
      if (!state) state.emplace(make());
      state->accumulate(leaf);
    };
    if constexpr (SparseState<S>) {
      source.sparse() ? map_csr(source, ctx, take) : map(source, ctx, take);
    } else {
      map(source, ctx, take);
    }
    S total = make();
    for (auto& state : states) {
      if (state) total.merge(std::move(*state));
    }
    return detail::combine_ranks(std::move(total), make, ctx);
  }
}

}  // namespace sluice
