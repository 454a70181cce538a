// The sets a search finds, in the order it finds them, small enough to keep millions: depth-first, a set is its predecessor cut to some
// length and one item more, so it takes about five bytes. What exceeds a share of the memory budget goes to a spool file.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "sluice/core/context.h"

namespace sluice {

constexpr int64_t kMostItemsets = int64_t{1} << 30;
// A set of so many items has as many subsets, all of them frequent: no store holds a longer one.
constexpr int kMostDepth = 30;

class ItemsetStore {
 public:
  // Roots 0 .. roots - 1 are the first items of sets; each is written by one thread, any of them at any time. The store is full after
  // `most` sets, or when a set is longer than kMostDepth. Memory: an eighth of ctx.memory, then ctx.spool_dir.
  ItemsetStore(int64_t roots, int64_t most, const Context& ctx);
  ~ItemsetStore();
  ItemsetStore(const ItemsetStore&) = delete;
  ItemsetStore& operator=(const ItemsetStore&) = delete;

  class Writer {
   public:
    Writer(ItemsetStore& store, int64_t root) : store_(store), root_(root) {}
    // The set of `depth` (from 1) items: the first depth - 1 of the set before, then `rank`. Throws Error{kInterrupted} on a wish to stop.
    void put(int depth, int32_t rank, int64_t count);
    bool full() const { return store_.full(); }
    void end();

   private:
    void flush();
    void byte(uint64_t value) { buffer_.push_back(static_cast<uint8_t>(value)); }
    void number(uint64_t value);
    ItemsetStore& store_;
    int64_t root_;
    std::vector<uint8_t> buffer_;
    std::vector<int64_t> by_length_;
    int64_t fresh_ = 0;  // sets the store has not counted yet
  };

  bool full() const { return full_.load(std::memory_order_relaxed); }
  int64_t sets() const { return sets_.load(std::memory_order_relaxed); }
  int64_t most() const { return most_; }
  const std::vector<int64_t>& by_length() const { return by_length_; }  // [0]: sets of one item

  // All sets in order: their ranks, ascending, and their count.
  void each(const std::function<void(std::span<const int32_t> ranks, int64_t count)>& f) const;

 private:
  struct Chunk {
    std::vector<uint8_t> bytes;  // or, if empty, in the file
    int64_t offset = 0, size = 0;
  };
  void keep(int64_t root, const std::vector<uint8_t>& bytes);
  void count(int64_t more);

  Context ctx_;
  int64_t most_;
  std::vector<std::vector<Chunk>> roots_;
  std::vector<int64_t> by_length_;
  std::atomic<int64_t> sets_{0}, held_{0};
  std::atomic<bool> full_{false};
  std::mutex mutex_;
  int fd_ = -1;
  int64_t file_size_ = 0;
};

}  // namespace sluice
