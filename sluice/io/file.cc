#include "sluice/io/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "sluice/core/error.h"
#include "sluice/io/byte_stream.h"

namespace sluice {
namespace {

constexpr size_t kChunk = size_t{1} << 17;

void write_all(int fd, const std::byte* from, size_t count, const std::string& where) {
  while (count > 0) {
    const ssize_t wrote = ::write(fd, from, count);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0)
      fail(ErrorCode::kIo, where, "can't be copied to the spool: " + system_reason(errno),
           "free some disk, or give another --spool folder");
    from += wrote;
    count -= static_cast<size_t>(wrote);
  }
}

int memory_file() {
  return ::memfd_create("sluice", MFD_CLOEXEC);
}

int spool_file(const StoreOptions& store, std::string& path) {
  path = new_spool_path(store.spool_dir);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) fail(ErrorCode::kIo, path, "can't be made: " + system_reason(errno), "give another --spool folder");
  return fd;
}

// Where a stream's copy grows: memory first, then a file.
class Spool {
 public:
  Spool(std::string where, const StoreOptions& store) : where_(std::move(where)), store_(store) {
    if (!store_.to_file) fd_ = memory_file();
    if (fd_ < 0) fd_ = spool_file(store_, path_);
  }
  ~Spool() { drop(); }
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  void append(const std::byte* from, size_t count) {
    if (path_.empty() && size_ + static_cast<int64_t>(count) > store_.memory) move_to_file();
    write_all(fd_, from, count, where_);
    size_ += static_cast<int64_t>(count);
  }
  int64_t size() const { return size_; }
  std::shared_ptr<File> finish() { return std::make_shared<File>(std::exchange(fd_, -1), where_, size_, std::exchange(path_, {})); }

 private:
  void move_to_file() {
    const File old(std::exchange(fd_, -1), where_, size_);
    fd_ = spool_file(store_, path_);
    std::vector<std::byte> chunk(kChunk);
    for (int64_t at = 0; at < size_;) {
      const size_t got = old.read_some(at, chunk.data(), chunk.size());
      write_all(fd_, chunk.data(), got, where_);
      at += static_cast<int64_t>(got);
    }
  }
  void drop() {
    if (fd_ >= 0) ::close(fd_);
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  std::string where_;
  StoreOptions store_;
  std::string path_;
  int fd_ = -1;
  int64_t size_ = 0;
};

// A pipe's bytes, in the order they come.
class PipeStream final : public ByteStream {
 public:
  PipeStream(int fd, std::string where) : fd_(fd), where_(std::move(where)) {}
  ~PipeStream() override { ::close(fd_); }
  size_t read(void* to, size_t capacity) override {
    for (;;) {
      const ssize_t got = ::read(fd_, to, capacity);
      if (got >= 0) return static_cast<size_t>(got);
      if (errno != EINTR) fail(ErrorCode::kIo, where_, "can't be read: " + system_reason(errno), "check the file and its disk");
    }
  }

 private:
  int fd_;
  std::string where_;
};

}  // namespace

std::string system_reason(int error_number) {
  const char* text = ::strerrordesc_np(error_number);
  return text == nullptr ? "error " + std::to_string(error_number) : text;
}

File::File(int fd, std::string where, int64_t size, std::string unlink_path)
    : fd_(fd), where_(std::move(where)), size_(size), unlink_path_(std::move(unlink_path)) {}

File::~File() {
  if (fd_ >= 0) ::close(fd_);
  if (!unlink_path_.empty()) ::unlink(unlink_path_.c_str());
}

size_t File::read_some(int64_t offset, void* to, size_t capacity) const {
  for (;;) {
    const ssize_t got = ::pread(fd_, to, capacity, offset);
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR) fail(ErrorCode::kIo, where_, "can't be read: " + system_reason(errno), "check the file and its disk");
  }
}

void File::read_exact(int64_t offset, void* to, size_t count) const {
  auto* at = static_cast<std::byte*>(to);
  while (count > 0) {
    const size_t got = read_some(offset, at, count);
    if (got == 0) fail(ErrorCode::kBadInput, where_, "ends too early, at byte " + std::to_string(offset), "it was cut off: copy it again");
    at += got;
    offset += static_cast<int64_t>(got);
    count -= got;
  }
}

int File::duplicate() const {
  const int fd = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
  if (fd < 0)
    fail(ErrorCode::kIo, where_, "can't be opened again: " + system_reason(errno), "close other files, or raise the limit (ulimit -n)");
  return fd;
}

std::string File::give_up_path() {
  return std::exchange(unlink_path_, {});
}

std::shared_ptr<File> open_file(const std::string& path, const StoreOptions& store) {
  const bool standard_input = path == "-";
  const std::string where = standard_input ? "standard input" : path;
  const int fd = standard_input ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail(ErrorCode::kIo, where, "can't be opened: " + system_reason(errno), "check the name and the rights");
  struct stat info;
  if (::fstat(fd, &info) != 0 || S_ISDIR(info.st_mode)) {
    ::close(fd);
    fail(ErrorCode::kIo, where, "is not a file", "name a file");
  }
  // Standard input may be a file that stands in its middle, so it is copied whatever it is.
  if (S_ISREG(info.st_mode) && !standard_input) return std::make_shared<File>(fd, where, info.st_size);
  PipeStream pipe(fd, where);
  return spool_stream(pipe, where, store, INT64_MAX);
}

std::shared_ptr<File> spool_stream(ByteStream& stream, const std::string& where, const StoreOptions& store, int64_t most) {
  Spool spool(where, store);
  std::vector<std::byte> chunk(kChunk);
  for (;;) {
    const size_t got = stream.read(chunk.data(), chunk.size());
    if (got == 0) return spool.finish();
    if (static_cast<int64_t>(got) > most - spool.size()) {
      fail(ErrorCode::kBadInput, where, "holds more than the " + std::to_string(most) + " bytes it says", "it is damaged: make it again");
    }
    spool.append(chunk.data(), got);
  }
}

std::shared_ptr<File> file_of_bytes(const void* data, size_t size, const std::string& where) {
  Spool spool(where, StoreOptions{});
  spool.append(static_cast<const std::byte*>(data), size);
  return spool.finish();
}

}  // namespace sluice
