#include "sluice/core/fold.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <random>
#include <set>

#include "sluice/comm/thread_ranks.h"
#include "tests/laws.h"

namespace sluice {
namespace {

MemorySource random_rows(int64_t rows, int64_t cols, uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::vector<double> values(static_cast<size_t>(rows * cols));
  for (double& x : values) x = std::ldexp(static_cast<double>(static_cast<int64_t>(random())), -60);
  return {std::move(values), rows, cols};
}

// Integer sums: order-free.
struct IntegerSum {
  int64_t sum = 0;
  double weight = 0;  // whole numbers, so exact
  void accumulate(const MatrixBlock& leaf) {
    std::vector<double> scratch(static_cast<size_t>(leaf.cols));
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const double* row = leaf.row(i, scratch.data());
      for (int64_t j = 0; j < leaf.cols; ++j) {
        sum += static_cast<int64_t>(std::nearbyint(row[j] * 0x1p30)) * (j + 1) * static_cast<int64_t>(leaf.weight(i));
      }
      weight += leaf.weight(i);
    }
  }
  void merge(IntegerSum&& other) {
    sum += other.sum;
    weight += other.weight;
  }
  void save(ByteWriter& out) const {
    out.put(sum);
    out.put(weight);
  }
  void load(ByteReader& in) {
    sum = in.get<int64_t>();
    weight = in.get<double>();
    if (!(weight >= 0)) in.damaged("has a negative weight");
  }
  int64_t bytes() const { return sizeof *this; }
};

// Mean and squared deviations by Chan's merge: floating, so its bits depend on the order of merging.
struct ChanMoments {
  static constexpr bool kOrdered = true;
  double count = 0, mean = 0, squares = 0;
  void accumulate(const MatrixBlock& leaf) {
    std::vector<double> scratch(static_cast<size_t>(leaf.cols));
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const double* row = leaf.row(i, scratch.data());
      for (int64_t j = 0; j < leaf.cols; ++j) {
        count += 1;
        const double delta = row[j] - mean;
        mean += delta / count;
        squares += delta * (row[j] - mean);
      }
    }
  }
  void merge(ChanMoments&& other) {
    if (other.count == 0) return;
    if (count == 0) {
      *this = other;
      return;
    }
    const double total = count + other.count;
    const double delta = other.mean - mean;
    mean += delta * other.count / total;
    squares += other.squares + delta * delta * count * other.count / total;
    count = total;
  }
  void save(ByteWriter& out) const { out.put(*this); }
  void load(ByteReader& in) {
    *this = in.get<ChanMoments>();
    if (!(count >= 0) || !std::isfinite(mean) || !(squares >= 0)) in.damaged("has impossible moments");
  }
  int64_t bytes() const { return sizeof *this; }
  bool operator==(const ChanMoments&) const = default;
};

TEST(StateLaws, OfAnIntegerState) {
  const MemorySource rows = random_rows(500, 3);
  check_state_laws([] { return IntegerSum(); }, rows, {.weights = true});
}

TEST(StateLaws, OfAnOrderedFloatState) {
  for (const int64_t n : {150, 333, 1000}) check_state_laws([] { return ChanMoments(); }, random_rows(n, 3));
}

// The result of a fold on `threads` threads in each of `ranks` ranks; all ranks must agree.
template <class S>
S folded(const Source& source, int threads, int ranks, int64_t leaf_rows) {
  std::vector<S> results(static_cast<size_t>(ranks));
  run_as_ranks(ranks, [&](Communicator& comm) {
    Context ctx;
    ctx.threads = threads;
    ctx.comm = &comm;
    ctx.leaf_rows = leaf_rows;
    results[static_cast<size_t>(comm.rank())] = fold(source, [] { return S(); }, ctx);
  });
  for (const S& other : results) EXPECT_EQ(laws::saved_text(other), laws::saved_text(results[0])) << "ranks disagree";
  return results[0];
}

class FoldLeaf : public ::testing::TestWithParam<int64_t> {};

TEST_P(FoldLeaf, SameBitsForAnyThreadsAndRanks) {
  const int64_t leaf = GetParam();
  const MemorySource rows = random_rows(leaf == 1 ? 777 : 20011, 2);
  const IntegerSum integers = folded<IntegerSum>(rows, 1, 1, leaf);
  const ChanMoments moments = folded<ChanMoments>(rows, 1, 1, leaf);
  EXPECT_EQ(integers.weight, static_cast<double>(rows.rows()));
  EXPECT_EQ(moments.count, static_cast<double>(2 * rows.rows()));
  for (const int threads : {1, 2, 3, 8}) {
    for (const int ranks : {1, 2, 3, 5}) {
      EXPECT_EQ(folded<IntegerSum>(rows, threads, ranks, leaf).sum, integers.sum) << threads << " threads, " << ranks << " ranks";
      EXPECT_TRUE((folded<ChanMoments>(rows, threads, ranks, leaf) == moments)) << threads << " threads, " << ranks << " ranks";
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Leaves, FoldLeaf, ::testing::Values(1, 7, 8193));

TEST(Fold, LeavesAreNotAssociativeInTheTestState) {
  // Without this the test above would prove nothing: another leaf size gives other bits.
  const MemorySource rows = random_rows(20011, 2);
  const ChanMoments a = folded<ChanMoments>(rows, 1, 1, 7), b = folded<ChanMoments>(rows, 1, 1, 30000);
  EXPECT_EQ(a.count, b.count);
  EXPECT_NEAR(a.squares, b.squares, 1e-9 * a.squares);
  EXPECT_NE(a.squares, b.squares) << a.mean << " " << b.mean;
}

TEST(Fold, AnEmptySourceGivesAnEmptyState) {
  const MemorySource none(std::vector<double>{}, 0, 3);
  EXPECT_EQ(folded<IntegerSum>(none, 3, 1, 7).weight, 0);
  EXPECT_EQ(folded<ChanMoments>(none, 3, 3, 7).count, 0);
}

TEST(Fold, FewerLeavesThanRanksAndThreads) {
  const MemorySource rows = random_rows(5, 2);
  EXPECT_EQ(folded<IntegerSum>(rows, 8, 5, 3).sum, folded<IntegerSum>(rows, 1, 1, 100).sum);
  EXPECT_TRUE((folded<ChanMoments>(rows, 8, 5, 3) == folded<ChanMoments>(rows, 1, 1, 3)));
}

TEST(Fold, TheLowestLeafsErrorWins) {
  for (const int ranks : {1, 3}) {
    for (const int threads : {1, 2, 8}) {
      for (int round = 0; round < 20; ++round) {
        std::atomic<int> caught{0};
        run_as_ranks(ranks, [&](Communicator& comm) {
          Context ctx;
          ctx.threads = threads;
          ctx.comm = &comm;
          ctx.leaf_rows = 1;
          const LeafRange range = leaf_range(200, 1, ctx);
          try {
            for_each_leaf(range, ctx, [](int, int64_t leaf) {
              if (leaf >= 23 && leaf % 2 == 1) fail(ErrorCode::kNumerical, "leaf " + std::to_string(leaf), "bad", "none");
            });
          } catch (const Error& e) {
            EXPECT_EQ(e.code, ErrorCode::kNumerical);
            EXPECT_EQ(e.where, "leaf 23");
            EXPECT_EQ(e.remedy, "none");
            ++caught;
          }
        });
        EXPECT_EQ(caught, ranks);
      }
    }
  }
}

TEST(Fold, ForeignExceptionsBecomeErrors) {
  Context ctx;
  const LeafRange range = leaf_range(10, 1, ctx);
  const auto code_of = [&](auto thrown) {
    try {
      for_each_leaf(range, ctx, [&](int, int64_t) { throw thrown; });
    } catch (const Error& e) {
      return e.code;
    }
    return ErrorCode::kUsage;
  };
  EXPECT_EQ(code_of(std::bad_alloc()), ErrorCode::kMemory);
  EXPECT_EQ(code_of(std::runtime_error("x")), ErrorCode::kBug);
}

TEST(Fold, AWishToStopInterruptsEveryRank) {
  const MemorySource rows = random_rows(1000, 2);
  std::atomic<bool> stop{false};
  std::atomic<int> interrupted{0};
  run_as_ranks(3, [&](Communicator& comm) {
    Context ctx;
    ctx.threads = 2;
    ctx.comm = &comm;
    ctx.leaf_rows = 10;
    ctx.stop = &stop;
    try {
      map(rows, ctx, [&](int, const MatrixBlock& leaf) {
        if (leaf.first_row == 500) stop = true;
        while (comm.rank() == 2 && !stop) std::this_thread::yield();  // so that not every rank is done before
      });
    } catch (const Error& e) {
      EXPECT_EQ(e.code, ErrorCode::kInterrupted);
      ++interrupted;
    }
  });
  EXPECT_EQ(interrupted, 3);
}

TEST(Fold, RefusesNoThreads) {
  Context ctx;
  ctx.threads = 0;
  const MemorySource rows = random_rows(10, 2);
  EXPECT_THROW(fold(rows, [] { return IntegerSum(); }, ctx), Error);
  EXPECT_THROW(fold(rows, [] { return ChanMoments(); }, ctx), Error);
}

TEST(FoldPairs, VisitsEveryPairOnceAndEndsWithLast) {
  const MemorySource rows = random_rows(53, 1), others = random_rows(29, 1);
  for (const int ranks : {1, 3}) {
    std::vector<std::atomic<int>> seen(53 * 29), lasts(53);
    run_as_ranks(ranks, [&](Communicator& comm) {
      Context ctx;
      ctx.threads = 3;
      ctx.comm = &comm;
      ctx.leaf_rows = 7;
      fold_pairs(rows, others, ctx, [&](int, const MatrixBlock& a, const MatrixBlock& b, bool last) {
        for (int64_t i = 0; i < a.rows; ++i) {
          for (int64_t j = 0; j < b.rows; ++j) ++seen[static_cast<size_t>((a.first_row + i) * 29 + b.first_row + j)];
          if (last) ++lasts[static_cast<size_t>(a.first_row + i)];
          EXPECT_EQ(last, b.first_row + b.rows == 29);
        }
      });
    });
    for (const auto& n : seen) EXPECT_EQ(n, 1);
    for (const auto& n : lasts) EXPECT_EQ(n, 1);
  }
}

TEST(RowColumn, HoldsThisRanksRowsAndGathersAll) {
  run_as_ranks(3, [](Communicator& comm) {
    Context ctx;
    ctx.comm = &comm;
    ctx.leaf_rows = 10;
    const LeafRange range = leaf_range(95, 1, ctx);
    RowColumn<int64_t> column(range, -1);
    EXPECT_EQ(column.first_row() % 10, 0);
    for (int64_t row = column.first_row(); row < column.last_row(); ++row) column[row] = row * row;
    const std::vector<int64_t> all = gather(column, ctx);
    ASSERT_EQ(all.size(), 95U);
    for (int64_t row = 0; row < 95; ++row) EXPECT_EQ(all[static_cast<size_t>(row)], row * row);
  });
}

TEST(LeafRows, DependOnColumnsOnly) {
  Context ctx;
  EXPECT_EQ(leaf_rows(1, ctx), 4096);
  EXPECT_EQ(leaf_rows(1024, ctx), 4096);
  EXPECT_EQ(leaf_rows(1025, ctx), 2048);
  EXPECT_EQ(leaf_rows(100'000'000, ctx), 16);
  ctx.threads = 7;
  EXPECT_EQ(leaf_rows(1, ctx), 4096);
}

}  // namespace
}  // namespace sluice
