#include "sluice/patterns/itemset_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "sluice/core/error.h"
#include "sluice/core/row_store.h"

namespace sluice {
namespace {

constexpr size_t kChunk = size_t{1} << 20;
constexpr int64_t kCountEvery = 4096;

[[noreturn]] void spool_error(const char* what) {
  fail(ErrorCode::kIo, "spool", std::string(what) + ": " + std::strerror(errno), "free some space or name another folder with --spool");
}

}  // namespace

ItemsetStore::ItemsetStore(int64_t roots, int64_t most, const Context& ctx) : ctx_(ctx), most_(most), roots_(static_cast<size_t>(roots)) {}

ItemsetStore::~ItemsetStore() {
  if (fd_ >= 0) ::close(fd_);
}

void ItemsetStore::Writer::number(uint64_t value) {
  while (value >= 128) {
    byte((value & 127) | 128);
    value >>= 7;
  }
  byte(value);
}

void ItemsetStore::Writer::put(int depth, int32_t rank, int64_t count) {
  if (depth > kMostDepth) {
    store_.full_ = true;
    return;
  }
  if (static_cast<size_t>(depth) > by_length_.size()) by_length_.resize(static_cast<size_t>(depth));
  ++by_length_[static_cast<size_t>(depth) - 1];
  byte(static_cast<uint64_t>(depth));
  number(static_cast<uint64_t>(rank));
  number(static_cast<uint64_t>(count));
  if (++fresh_ == kCountEvery) {
    store_.count(fresh_);
    fresh_ = 0;
    if (buffer_.size() >= kChunk) flush();
  }
}

void ItemsetStore::Writer::flush() {
  if (!buffer_.empty()) store_.keep(root_, buffer_);
  buffer_.clear();
}

void ItemsetStore::Writer::end() {
  store_.count(fresh_);
  flush();
  const std::lock_guard lock(store_.mutex_);
  if (store_.by_length_.size() < by_length_.size()) store_.by_length_.resize(by_length_.size());
  for (size_t i = 0; i < by_length_.size(); ++i) store_.by_length_[i] += by_length_[i];
  fresh_ = 0;
  by_length_.clear();
}

void ItemsetStore::count(int64_t more) {
  if (sets_.fetch_add(more) + more > most_) full_ = true;
  if (ctx_.stopped()) fail(ErrorCode::kInterrupted, "run", "stopped on request", "run the same command again to go on");
}

void ItemsetStore::keep(int64_t root, const std::vector<uint8_t>& bytes) {
  Chunk chunk;
  chunk.size = static_cast<int64_t>(bytes.size());
  if (held_.fetch_add(chunk.size) + chunk.size <= ctx_.memory / 8) {
    chunk.bytes.assign(bytes.begin(), bytes.end());
  } else {
    held_.fetch_sub(chunk.size);
    const std::lock_guard lock(mutex_);
    if (fd_ < 0) {
      const std::string path = new_spool_path(ctx_.spool_dir);
      fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
      if (fd_ < 0) spool_error("a file for the item sets can't be made");
      ::unlink(path.c_str());
    }
    chunk.offset = file_size_;
    for (size_t done = 0; done < bytes.size();) {
      const ssize_t put =
          ::pwrite(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(file_size_) + static_cast<off_t>(done));
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) spool_error("writing the item sets failed");
      done += static_cast<size_t>(put);
    }
    file_size_ += chunk.size;
  }
  roots_[static_cast<size_t>(root)].push_back(std::move(chunk));
}

void ItemsetStore::each(const std::function<void(std::span<const int32_t>, int64_t)>& f) const {
  std::vector<int32_t> ranks(static_cast<size_t>(kMostDepth));
  std::vector<uint8_t> buffer;
  for (const std::vector<Chunk>& root : roots_) {
    for (const Chunk& chunk : root) {
      const uint8_t* at = chunk.bytes.data();
      if (chunk.bytes.empty()) {
        buffer.resize(static_cast<size_t>(chunk.size));
        for (size_t done = 0; done < buffer.size();) {
          const ssize_t got =
              ::pread(fd_, buffer.data() + done, buffer.size() - done, static_cast<off_t>(chunk.offset) + static_cast<off_t>(done));
          if (got < 0 && errno == EINTR) continue;
          if (got <= 0) spool_error("reading the item sets failed");
          done += static_cast<size_t>(got);
        }
        at = buffer.data();
      }
      const auto number = [&at] {
        uint64_t value = 0;
        for (int shift = 0;; shift += 7) {
          const uint8_t byte = *at++;
          value |= uint64_t{byte & 127U} << shift;
          if (byte < 128) return value;
        }
      };
      for (const uint8_t* end = at + chunk.size; at < end;) {
        const auto depth = static_cast<size_t>(*at++);
        ranks[depth - 1] = static_cast<int32_t>(number());
        f({ranks.data(), depth}, static_cast<int64_t>(number()));
      }
    }
  }
}

}  // namespace sluice
