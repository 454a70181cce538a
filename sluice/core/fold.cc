#include "sluice/core/fold.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <new>

#include "sluice/kernels/cpu.h"

namespace sluice {
namespace {

// An arena of so many threads for as long as this lives. TBB keeps some kilobytes of every arena that was ever made (7 KiB in 2021.8), and a
// long run would make millions: so they are used again. Nested and simultaneous calls have one each, and steal no work from each other.
class LentArena {
 public:
  explicit LentArena(int workers) : workers_(workers) {
    const std::lock_guard lock(mutex());
    Arenas& idle = shelf()[workers];
    if (idle.empty()) {
      arena_ = std::make_unique<oneapi::tbb::task_arena>(workers);
    } else {
      arena_ = std::move(idle.back());
      idle.pop_back();
    }
  }
  ~LentArena() {
    const std::lock_guard lock(mutex());
    shelf()[workers_].push_back(std::move(arena_));
  }
  LentArena(const LentArena&) = delete;
  LentArena& operator=(const LentArena&) = delete;
  oneapi::tbb::task_arena& operator*() const { return *arena_; }

 private:
  using Arenas = std::vector<std::unique_ptr<oneapi::tbb::task_arena>>;
  static std::mutex& mutex() {
    static std::mutex all;
    return all;
  }
  static std::map<int, Arenas>& shelf() {
    static auto* all = new std::map<int, Arenas>;  // never destroyed: TBB may be gone by then
    return *all;
  }
  int workers_;
  std::unique_ptr<oneapi::tbb::task_arena> arena_;
};

constexpr int64_t kNoLeaf = std::numeric_limits<int64_t>::max();

// The error of the lowest leaf seen so far, kept while others may still be running.
class FirstError {
 public:
  bool beyond(int64_t leaf) const { return leaf > leaf_.load(std::memory_order_relaxed); }
  void put(int64_t leaf, Error error) {
    const std::lock_guard lock(mutex_);
    if (leaf >= leaf_.load()) return;
    leaf_.store(leaf);
    error_.emplace(std::move(error));
  }
  int64_t leaf() const { return leaf_.load(); }
  const Error& error() const { return *error_; }

 private:
  std::atomic<int64_t> leaf_{kNoLeaf};
  std::mutex mutex_;
  std::optional<Error> error_;
};

Error current_error() {
  try {
    throw;
  } catch (const Error& e) {
    return e;
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kMemory, "memory", "the system has no more memory to give", "use less data or a smaller --memory");
  } catch (const std::exception& e) {
    return Error(ErrorCode::kBug, "fold", e.what(), "please report this as a bug");
  }
}

Bytes pack(const Error& error) {
  ByteWriter out;
  out.put(static_cast<int>(error.code));
  out.put_text(error.where);
  out.put_text(error.message);
  out.put_text(error.remedy);
  return out.take();
}

Error unpack(const Bytes& bytes) {
  ByteReader in(bytes, "a rank's error");
  const auto code = static_cast<ErrorCode>(in.get<int>());
  std::string where = in.get_text();
  std::string message = in.get_text();
  return Error(code, std::move(where), std::move(message), in.get_text());
}

// All ranks learn whether one failed, and throw the lowest leaf's error.
void agree(const FirstError& mine, Context& ctx) {
  if (ctx.ranks() == 1) {
    if (mine.leaf() != kNoLeaf) throw mine.error();
    return;
  }
  const int64_t lowest = all_min(*ctx.comm, mine.leaf());
  if (lowest == kNoLeaf) return;
  Bytes body = mine.leaf() == lowest ? pack(mine.error()) : Bytes{};
  for (const Bytes& theirs : ctx.comm->all_gather(body)) {
    if (!theirs.empty()) throw unpack(theirs);
  }
}

}  // namespace

int worker_count(const Context& ctx) {
  if (ctx.threads < 1) fail(ErrorCode::kUsage, "--threads", std::to_string(ctx.threads) + " threads can't run anything", "give 1 or more");
  return ctx.threads;
}

int64_t leaf_rows(int64_t cols, const Context& ctx) {
  if (ctx.leaf_rows > 0) return ctx.leaf_rows;
  constexpr int64_t kRows = 4096;
  constexpr int64_t kValues = int64_t{1} << 22;
  int64_t rows = kRows;
  while (rows > 16 && rows * cols > kValues) rows /= 2;
  return rows;
}

LeafRange leaf_range(int64_t rows, int64_t cols, const Context& ctx) {
  LeafRange range;
  range.rows = rows;
  range.rows_per_leaf = leaf_rows(cols, ctx);
  range.leaves = (rows + range.rows_per_leaf - 1) / range.rows_per_leaf;
  range.first = range.leaves * ctx.rank() / ctx.ranks();
  range.last = range.leaves * (ctx.rank() + 1) / ctx.ranks();
  return range;
}

void for_each_leaf(const LeafRange& range, Context& ctx, const std::function<void(int, int64_t)>& body) {
  kernels::set_float_mode();  // what the caller does with the results is arithmetic too
  // TBB orders what happens before, in and after its tasks; the store of `next` and `ended` say it once more in terms that a race
  // checker sees, which does not look into the library.
  std::atomic<int64_t> next{0};
  std::atomic<int> ended{0};
  FirstError first;
  next.store(range.first);
  const auto work = [&](int worker) {
    kernels::set_float_mode();
    for (int64_t leaf = next++; leaf < range.last && !first.beyond(leaf); leaf = next++) {
      try {
        if (ctx.stopped()) fail(ErrorCode::kInterrupted, "run", "stopped on request", "run the same command again to go on");
        body(worker, leaf);
      } catch (...) {
        first.put(leaf, current_error());
      }
    }
    ++ended;
  };
  const int workers = static_cast<int>(std::min<int64_t>(worker_count(ctx), std::max<int64_t>(1, range.last - range.first)));
  if (workers == 1) {
    work(0);
  } else {
    // As many threads as asked for, also on fewer processors.
    const oneapi::tbb::global_control limit(oneapi::tbb::global_control::max_allowed_parallelism, static_cast<size_t>(workers));
    const LentArena arena(workers);
    (*arena).execute([&] { oneapi::tbb::parallel_for(0, workers, work, oneapi::tbb::simple_partitioner()); });
  }
  (void)ended.load();
  agree(first, ctx);
}

namespace {

// visit(worker, first row, count, buffer) for each leaf of this rank.
void each_leaf(const Source& source, Context& ctx, const std::function<void(int, int64_t, int64_t, BlockBuffer&)>& visit) {
  const LeafRange range = leaf_range(source.rows(), source.cols(), ctx);
  std::vector<BlockBuffer> buffers(static_cast<size_t>(worker_count(ctx)));
  for_each_leaf(range, ctx, [&](int worker, int64_t leaf) {
    const int64_t first = leaf * range.rows_per_leaf;
    visit(worker, first, std::min(range.rows_per_leaf, range.rows - first), buffers[static_cast<size_t>(worker)]);
  });
}

}  // namespace

void map(const Source& source, Context& ctx, const std::function<void(int, const MatrixBlock&)>& f) {
  each_leaf(source, ctx,
            [&](int worker, int64_t first, int64_t count, BlockBuffer& buffer) { f(worker, source.read(first, count, buffer)); });
}

void map_csr(const Source& source, Context& ctx, const std::function<void(int, const CsrBlock&)>& f) {
  each_leaf(source, ctx,
            [&](int worker, int64_t first, int64_t count, BlockBuffer& buffer) { f(worker, source.read_csr(first, count, buffer)); });
}

void fold_pairs(const Source& source, const Source& others, Context& ctx,
                const std::function<void(int, const MatrixBlock&, const MatrixBlock&, bool)>& f) {
  const LeafRange range = leaf_range(source.rows(), source.cols(), ctx);
  const int64_t step = leaf_rows(others.cols(), ctx);
  std::vector<BlockBuffer> mine(static_cast<size_t>(worker_count(ctx)));
  std::vector<BlockBuffer> theirs(static_cast<size_t>(worker_count(ctx)));
  for_each_leaf(range, ctx, [&](int worker, int64_t leaf) {
    const int64_t first = leaf * range.rows_per_leaf;
    const int64_t count = std::min(range.rows_per_leaf, range.rows - first);
    const MatrixBlock rows = source.read(first, count, mine[static_cast<size_t>(worker)]);
    for (int64_t at = 0; at < others.rows() && !ctx.stopped(); at += step) {
      const int64_t many = std::min(step, others.rows() - at);
      f(worker, rows, others.read(at, many, theirs[static_cast<size_t>(worker)]), at + many == others.rows());
    }
    if (ctx.stopped()) fail(ErrorCode::kInterrupted, "run", "stopped on request", "run the same command again to go on");
  });
}

}  // namespace sluice
