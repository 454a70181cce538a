#include "sluice/core/row_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace sluice {
namespace {

[[noreturn]] void disk_refuses(const std::string& path, const std::string& what) {
  fail(ErrorCode::kIo, path, what + ": " + std::strerror(errno), "free some space or name another folder with --spool");
}

void write_all(int fd, const void* data, size_t bytes, const std::string& path) {
  const auto* from = static_cast<const std::byte*>(data);
  while (bytes > 0) {
    const ssize_t put = ::write(fd, from, bytes);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) disk_refuses(path, "writing the spool failed");
    from += put;
    bytes -= static_cast<size_t>(put);
  }
}

constexpr size_t kFlushBytes = size_t{4} << 20;

}  // namespace

StoreOptions store_options(const Context& ctx) {
  StoreOptions options;
  options.memory = ctx.memory / 4;
  options.spool_dir = ctx.spool_dir;
  options.to_file = ctx.ranks() > 1;
  return options;
}

std::string new_spool_path(const std::string& dir) {
  static std::atomic<int64_t> number{0};
  namespace fs = std::filesystem;
  const fs::path folder = dir.empty() ? fs::temp_directory_path() : fs::path(dir);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(ErrorCode::kIo, folder.string(), "the spool folder can't be made: " + error.message(), "name another one with --spool");
  return (folder / ("sluice-spool-" + std::to_string(::getpid()) + "-" + std::to_string(number++))).string();
}

RowStore::RowStore(int64_t cols, StoreOptions options) : cols_(cols), options_(std::move(options)) {
  if (options_.to_file) spill();
}

RowStore::~RowStore() {
  if (fd_ >= 0) {
    ::close(fd_);
    ::unlink(path_.c_str());
  }
}

void RowStore::append(const double* row) {
  values_.insert(values_.end(), row, row + cols_);
  ++rows_;
  const size_t bytes = values_.size() * sizeof(double);
  if (fd_ >= 0) {
    if (bytes >= kFlushBytes) flush();
  } else if (static_cast<int64_t>(bytes) > options_.memory / 2) {  // the vector may hold twice what it uses
    spill();
  }
}

void RowStore::spill() {
  do {  // a dead run with our process number, or one of another host, may have left such a file
    path_ = new_spool_path(options_.spool_dir);
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  } while (fd_ < 0 && errno == EEXIST);
  if (fd_ < 0) disk_refuses(path_, "the spool file can't be made");
  flush();
  values_.shrink_to_fit();
}

void RowStore::flush() {
  write_all(fd_, values_.data(), values_.size() * sizeof(double), path_);
  values_.clear();
}

std::unique_ptr<Source> RowStore::finish() {
  const int64_t rows = std::exchange(rows_, 0);
  if (fd_ < 0) return std::make_unique<MemorySource>(std::exchange(values_, {}), rows, cols_);
  flush();
  return std::make_unique<FileSource>(std::exchange(fd_, -1), path_, Storage::kF64, false, 0, rows, cols_, path_);
}

void TextColumn::append(std::string_view text) {
  bytes_.append(text);
  ends_.push_back(static_cast<int64_t>(bytes_.size()));
  missing_.push_back(false);
  check();
}

void TextColumn::append_missing() {
  ends_.push_back(static_cast<int64_t>(bytes_.size()));
  missing_.push_back(true);
  check();
}

void TextColumn::check() const {
  if (static_cast<int64_t>(bytes_.size() + ends_.size() * 8) > memory_) {
    fail(ErrorCode::kMemory, "text column", "its texts take more than " + std::to_string(memory_) + " bytes",
         "raise --memory or leave the column out with --exclude");
  }
}

}  // namespace sluice
