#include "sluice/io/arrow_plugin/positioned_file.h"

#include <arrow/buffer.h>
#include <arrow/util/future.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sluice {
namespace {

using arrow::Buffer;
using arrow::Future;
using arrow::Result;
using arrow::Status;
using BufferFuture = Future<std::shared_ptr<Buffer>>;

class PositionedFile final : public arrow::io::RandomAccessFile {
 public:
  PositionedFile(int fd, int64_t size, arrow::MemoryPool* pool) : fd_(fd), size_(size), pool_(pool) {}
  ~PositionedFile() override { close_now(); }

  Status Close() override {
    close_now();
    return Status::OK();
  }
  bool closed() const override { return fd_ < 0; }
  Result<int64_t> Tell() const override { return place_; }
  Status Seek(int64_t position) override {
    if (position < 0 || position > size_) return Status::IOError("it points past its end");
    place_ = position;
    return Status::OK();
  }
  Result<int64_t> GetSize() override { return size_; }

  Result<int64_t> Read(int64_t count, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadAt(place_, count, out));
    place_ += got;
    return got;
  }
  Result<std::shared_ptr<Buffer>> Read(int64_t count) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(place_, count));
    place_ += buffer->size();
    return buffer;
  }

  Result<int64_t> ReadAt(int64_t position, int64_t count, bool allow_short, void* out) override {
    if (position < 0 || count < 0 || position > size_) return Status::IOError("it points past its end");
    if (!allow_short && count > size_ - position) return Status::IOError("it ends too early");
    count = std::min(count, size_ - position);
    for (int64_t done = 0; done < count;) {
      const ssize_t got = ::pread(fd_, static_cast<char*>(out) + done, static_cast<size_t>(count - done), position + done);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Status::IOError("it can't be read: ", std::strerror(errno));
      if (got == 0) return Status::IOError("it became shorter while it was read");
      done += got;
    }
    return count;
  }
  Result<int64_t> ReadAt(int64_t position, int64_t count, void* out) override { return ReadAt(position, count, true, out); }
  Result<std::shared_ptr<Buffer>> ReadAt(int64_t position, int64_t count, bool allow_short) override {
    if (position < 0 || count < 0 || position > size_) return Status::IOError("it points past its end");
    if (!allow_short && count > size_ - position) return Status::IOError("it ends too early");
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<Buffer> buffer, arrow::AllocateBuffer(std::min(count, size_ - position), pool_));
    ARROW_RETURN_NOT_OK(ReadAt(position, buffer->size(), false, buffer->mutable_data()));
    return buffer;
  }
  Result<std::shared_ptr<Buffer>> ReadAt(int64_t position, int64_t count) override { return ReadAt(position, count, true); }

  BufferFuture ReadAsync(const arrow::io::IOContext&, int64_t position, int64_t count, bool allow_short) override {
    return BufferFuture::MakeFinished(ReadAt(position, count, allow_short));
  }
  BufferFuture ReadAsync(const arrow::io::IOContext&, int64_t position, int64_t count) override {
    return BufferFuture::MakeFinished(ReadAt(position, count));
  }
  std::vector<BufferFuture> ReadManyAsync(const arrow::io::IOContext&, const std::vector<arrow::io::ReadRange>& ranges) override {
    std::vector<BufferFuture> all;
    for (const auto& range : ranges) all.push_back(BufferFuture::MakeFinished(ReadAt(range.offset, range.length)));
    return all;
  }
  Status WillNeed(const std::vector<arrow::io::ReadRange>&) override { return Status::OK(); }

 private:
  void close_now() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  int fd_;
  int64_t size_;
  arrow::MemoryPool* pool_;
  int64_t place_ = 0;
};

}  // namespace

Result<std::shared_ptr<arrow::io::RandomAccessFile>> open_positioned(int fd, arrow::MemoryPool* pool) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) {
    const int why = errno;
    ::close(fd);
    return Status::IOError("it can't be read: ", std::strerror(why));
  }
  return std::make_shared<PositionedFile>(fd, info.st_size, pool);
}

}  // namespace sluice
