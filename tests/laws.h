// The laws every state of fold.h must obey; a state's own test joins with one line:
//   check_state_laws([&] { return LloydState(model); }, source);
// or, where save() does not give the same bytes for the same content, with a view of what counts:
//   check_state_laws(make, source, {.view = [](const S& s) { return s.result_as_text(); }});
// Laws: empty is neutral; any cut at leaf bounds gives the whole; unordered states merge in any order; ordered ones give the dyadic tree's
// bits in any order of arrival; saving and loading in the middle changes nothing; cut or changed bytes are refused with
// Error{kBadModel} or give some state, never a crash; weight w is w copies (where the state takes weights); bytes() > 0.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "sluice/core/fold.h"

namespace sluice::laws {

template <class S>
struct Options {
  std::function<std::string(const S&)> view = {};  // what must be equal; default: the saved bytes
  bool weights = false;                            // weight w equals w copies, compared by `weighted_view`, else `view`
  std::function<std::string(const S&)> weighted_view = {};
  int64_t leaf_rows = 37;
  int rounds = 5;
};

template <class S>
std::string saved_text(const S& state) {
  ByteWriter out;
  state.save(out);
  const Bytes bytes = out.take();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class S>
Bytes saved_bytes(const S& state) {
  ByteWriter out;
  state.save(out);
  return out.take();
}

template <class Make>
class Laws {
 public:
  using S = decltype(std::declval<const Make&>()());
  Laws(const Make& make, const Source& source, Options<S> options) : make_(make), source_(source), options_(std::move(options)) {
    if (!options_.view) options_.view = saved_text<S>;
    if (!options_.weighted_view) options_.weighted_view = options_.view;
    leaves_ = (source.rows() + options_.leaf_rows - 1) / options_.leaf_rows;
  }

  void check_all() {
    ASSERT_GE(leaves_, 4) << "the laws need a source of some leaves";
    whole_ = view(whole());
    EXPECT_GT(make_().bytes(), 0);
    EXPECT_NE(whole_, view(make_())) << "a state that sees nothing proves nothing";
    empty_is_neutral();
    if constexpr (OrderedState<S>) {
      arrival_does_not_matter();
    } else {
      cuts_and_order_do_not_matter();
    }
    saving_changes_nothing();
    damage_is_refused();
    if (options_.weights) weights_are_copies();
  }

 private:
  std::string view(const S& state) const { return options_.view(state); }

  void add_leaf(S& state, int64_t leaf) {
    const int64_t first = leaf * options_.leaf_rows;
    state.accumulate(source_.read(first, std::min(options_.leaf_rows, source_.rows() - first), buffer_));
  }
  S leaf_state(int64_t leaf) {
    S state = make_();
    add_leaf(state, leaf);
    return state;
  }
  S node(int level, int64_t index) {  // the dyadic tree by its definition
    if (level == 0) return leaf_state(index);
    S left = node(level - 1, 2 * index);
    if (((2 * index + 1) << (level - 1)) < leaves_) left.merge(node(level - 1, 2 * index + 1));
    return left;
  }
  S whole() {
    if constexpr (OrderedState<S>) {
      int level = 0;
      while ((int64_t{1} << level) < leaves_) ++level;
      return node(level, 0);
    } else {
      S state = make_();
      for (int64_t leaf = 0; leaf < leaves_; ++leaf) add_leaf(state, leaf);
      return state;
    }
  }

  void empty_is_neutral() {
    S left = make_();
    left.merge(whole());
    EXPECT_EQ(view(left) == whole_, true) << "empty.merge(state) is not the state";
    S right = whole();
    right.merge(make_());
    EXPECT_EQ(view(right) == whole_, true) << "state.merge(empty) is not the state";
  }

  std::vector<int64_t> shuffled_leaves() {
    std::vector<int64_t> order(static_cast<size_t>(leaves_));
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random_);
    return order;
  }

  void cuts_and_order_do_not_matter() {
    for (int round = 0; round < options_.rounds; ++round) {
      const int64_t parts = 1 + static_cast<int64_t>(random_() % 5);
      std::vector<S> states;
      for (int64_t i = 0; i < parts; ++i) states.push_back(make_());
      for (const int64_t leaf : shuffled_leaves()) add_leaf(states[static_cast<size_t>(random_() % static_cast<uint64_t>(parts))], leaf);
      S total = make_();
      std::shuffle(states.begin(), states.end(), random_);
      for (S& state : states) total.merge(std::move(state));
      EXPECT_EQ(view(total) == whole_, true) << "another cut or order gives another state (round " << round << ")";
    }
  }

  void arrival_does_not_matter() {
    for (int round = 0; round < options_.rounds; ++round) {
      sluice::detail::DyadicTree<S> tree(leaves_);
      for (const int64_t leaf : shuffled_leaves()) tree.put(0, leaf, leaf_state(leaf));
      ASSERT_EQ(tree.nodes().size(), 1U);
      EXPECT_EQ(view(tree.nodes().begin()->second) == whole_, true) << "the order of arrival changes the state (round " << round << ")";
    }
  }

  void saving_changes_nothing() {
    S restored = make_();
    const Bytes bytes = saved_bytes(whole());
    ByteReader in(bytes);
    restored.load(in);
    EXPECT_TRUE(in.done()) << "load() leaves bytes over";
    EXPECT_EQ(view(restored) == whole_, true) << "load(save(state)) is another state";
    const int64_t middle = leaves_ / 2;
    S straight = make_(), stopped = make_(), resumed = make_();
    for (int64_t leaf = 0; leaf < middle; ++leaf) add_leaf(straight, leaf), add_leaf(stopped, leaf);
    const Bytes half = saved_bytes(stopped);
    ByteReader again(half);
    resumed.load(again);
    for (int64_t leaf = middle; leaf < leaves_; ++leaf) add_leaf(straight, leaf), add_leaf(resumed, leaf);
    EXPECT_EQ(view(resumed) == view(straight), true) << "saving in the middle changes the end";
  }

  // True when the bytes were taken, false when refused as damaged.
  bool load_damaged(std::span<const std::byte> bytes) {
    S state = make_();
    try {
      ByteReader in(bytes);
      state.load(in);
      in.expect_end();
    } catch (const Error& e) {
      EXPECT_EQ(e.code, ErrorCode::kBadModel) << e.what();
      return false;
    } catch (const std::exception& e) {
      ADD_FAILURE() << "damage must end in sluice::Error, not in " << e.what();
      return false;
    }
    EXPECT_GT(state.bytes(), 0);
    return true;
  }

  void damage_is_refused() {
    Bytes bytes = saved_bytes(whole());
    const size_t step = std::max<size_t>(1, bytes.size() / 500);
    for (size_t cut = 0; cut < bytes.size(); cut += step) {
      EXPECT_FALSE(load_damaged(std::span(bytes).first(cut))) << "a state cut to " << cut << " bytes was taken";
    }
    for (size_t at = 0; at < bytes.size(); at += step) {
      for (const auto flip : {0x01, 0x80, 0xff}) {
        bytes[at] ^= static_cast<std::byte>(flip);
        load_damaged(bytes);
        bytes[at] ^= static_cast<std::byte>(flip);
      }
    }
  }

  void weights_are_copies() {
    const int64_t rows = std::min<int64_t>(source_.rows(), options_.leaf_rows);
    std::vector<double> once, copies, weights;
    std::vector<double> scratch(static_cast<size_t>(source_.cols()));
    for (int64_t i = 0; i < rows; ++i) {
      const double* row = source_.read(i, 1, buffer_).row(0, scratch.data());
      weights.push_back(1 + static_cast<double>(random_() % 4));
      once.insert(once.end(), row, row + source_.cols());
      for (double w = 0; w < weights.back(); ++w) copies.insert(copies.end(), row, row + source_.cols());
    }
    const auto many = static_cast<int64_t>(copies.size()) / source_.cols();
    MemorySource weighted(std::move(once), rows, source_.cols());
    weighted.set_weights(weights);
    const MemorySource copied(std::move(copies), many, source_.cols());
    S a = make_(), b = make_();
    a.accumulate(weighted.read(0, rows, buffer_));
    b.accumulate(copied.read(0, many, buffer_));
    EXPECT_EQ(options_.weighted_view(a) == options_.weighted_view(b), true) << "a row of weight w is not w rows";
  }

  const Make& make_;
  const Source& source_;
  Options<S> options_;
  int64_t leaves_ = 0;
  std::string whole_;
  BlockBuffer buffer_;
  std::mt19937_64 random_{20};
};

}  // namespace sluice::laws

namespace sluice {

// `source` needs rows for four leaves of options.leaf_rows at least.
template <class Make>
void check_state_laws(const Make& make, const Source& source, laws::Options<decltype(std::declval<const Make&>()())> options = {}) {
  laws::Laws<Make>(make, source, std::move(options)).check_all();
}

}  // namespace sluice
