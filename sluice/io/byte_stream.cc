#include "sluice/io/byte_stream.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <climits>
#include <vector>

#include "sluice/core/error.h"

namespace sluice {
namespace {

constexpr size_t kInput = size_t{1} << 17;

[[noreturn]] void damaged(const File& file, const std::string& why) {
  fail(ErrorCode::kBadInput, file.where(), why, "copy the file again, or make it again");
}

class PlainStream final : public ByteStream {
 public:
  PlainStream(std::shared_ptr<const File> file, int64_t offset, int64_t size) : file_(std::move(file)), at_(offset), end_(offset + size) {}
  size_t read(void* to, size_t capacity) override {
    const auto most = static_cast<size_t>(std::min<int64_t>(static_cast<int64_t>(capacity), end_ - at_));
    if (most == 0) return 0;
    const size_t got = file_->read_some(at_, to, most);
    if (got == 0) damaged(*file_, "ends too early, at byte " + std::to_string(at_));
    at_ += static_cast<int64_t>(got);
    return got;
  }
  const File& file() const { return *file_; }
  int64_t position() const { return at_; }

 private:
  std::shared_ptr<const File> file_;
  int64_t at_;
  int64_t end_;
};

class ZlibStream final : public ByteStream {
 public:
  ZlibStream(std::shared_ptr<const File> file, bool gzip, int64_t offset, int64_t size)
      : from_(std::move(file), offset, size), gzip_(gzip), input_(kInput) {
    if (inflateInit2(&z_, gzip ? 15 + 16 : -15) != Z_OK)
      fail(ErrorCode::kMemory, from_.file().where(), "no memory to decompress", "free some memory");
  }
  ~ZlibStream() override { inflateEnd(&z_); }
  ZlibStream(const ZlibStream&) = delete;
  ZlibStream& operator=(const ZlibStream&) = delete;

  size_t read(void* to, size_t capacity) override {
    const auto most = static_cast<uInt>(std::min<size_t>(capacity, INT_MAX));
    z_.next_out = static_cast<Bytef*>(to);
    z_.avail_out = most;
    while (z_.avail_out == most && !done_) {
      if (z_.avail_in == 0 && !refill()) damaged(from_.file(), "is compressed and ends in its middle");
      const int result = inflate(&z_, Z_NO_FLUSH);
      if (result == Z_STREAM_END) {
        finish_member();
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        damaged(from_.file(), "is not valid compressed data near byte " + std::to_string(from_.position() - z_.avail_in) +
                                  (z_.msg != nullptr ? std::string(" (") + z_.msg + ")" : std::string()));
      }
    }
    return most - z_.avail_out;
  }

 private:
  bool refill() {
    z_.next_in = reinterpret_cast<Bytef*>(input_.data());
    z_.avail_in = static_cast<uInt>(from_.read(input_.data(), input_.size()));
    return z_.avail_in > 0;
  }
  // Another gzip member may follow; zeros may pad a tape block, as gzip allows; all else is damage.
  void finish_member() {
    if (gzip_) {
      bool padding = false;
      while (z_.avail_in > 0 || refill()) {
        if (*z_.next_in != 0) break;
        padding = true;
        ++z_.next_in;
        --z_.avail_in;
      }
      if (z_.avail_in > 0 && !padding && *z_.next_in == 0x1f) {
        inflateReset(&z_);
        return;
      }
    }
    if (z_.avail_in > 0 || refill()) damaged(from_.file(), "has bytes after the end of its compressed data");
    done_ = true;
  }

  PlainStream from_;
  bool gzip_;
  bool done_ = false;
  z_stream z_{};
  std::vector<std::byte> input_;
};

class ZstdStream final : public ByteStream {
 public:
  ZstdStream(std::shared_ptr<const File> file, int64_t offset, int64_t size)
      : from_(std::move(file), offset, size), input_(kInput), z_(ZSTD_createDStream()) {
    if (z_ == nullptr) fail(ErrorCode::kMemory, from_.file().where(), "no memory to decompress", "free some memory");
  }
  ~ZstdStream() override { ZSTD_freeDStream(z_); }
  ZstdStream(const ZstdStream&) = delete;
  ZstdStream& operator=(const ZstdStream&) = delete;

  size_t read(void* to, size_t capacity) override {
    ZSTD_outBuffer out{to, capacity, 0};
    while (out.pos == 0) {
      // A full output buffer may leave decoded bytes inside, so the decoder is asked before the file is.
      if (in_.pos == in_.size && !flush_) {
        in_ = {input_.data(), from_.read(input_.data(), input_.size()), 0};
        if (in_.size == 0) {
          if (left_ != 0) damaged(from_.file(), "is compressed and ends in its middle");
          return 0;
        }
      }
      left_ = ZSTD_decompressStream(z_, &out, &in_);
      if (ZSTD_isError(left_)) {
        damaged(from_.file(), "is not valid zstd data near byte " +
                                  std::to_string(from_.position() - static_cast<int64_t>(in_.size - in_.pos)) + " (" +
                                  ZSTD_getErrorName(left_) + ")");
      }
      flush_ = out.pos == out.size && left_ != 0;
    }
    return out.pos;
  }

 private:
  PlainStream from_;
  std::vector<std::byte> input_;
  ZSTD_DStream* z_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  size_t left_ = 1;  // 0 between frames; an empty file is no frame
  bool flush_ = false;
};

bool ends_with(const std::string& name, std::string_view end) {
  return name.size() > end.size() && name.ends_with(end);
}

}  // namespace

Compression compression_of(const std::string& name) {
  if (ends_with(name, ".gz")) return Compression::kGzip;
  if (ends_with(name, ".zst")) return Compression::kZstd;
  return Compression::kNone;
}

std::string without_compression(const std::string& name) {
  if (ends_with(name, ".gz")) return name.substr(0, name.size() - 3);
  if (ends_with(name, ".zst")) return name.substr(0, name.size() - 4);
  return name;
}

std::unique_ptr<ByteStream> open_stream(std::shared_ptr<const File> file, Compression compression, int64_t offset, int64_t size) {
  switch (compression) {
    case Compression::kGzip:
      return std::make_unique<ZlibStream>(std::move(file), true, offset, size);
    case Compression::kDeflate:
      return std::make_unique<ZlibStream>(std::move(file), false, offset, size);
    case Compression::kZstd:
      return std::make_unique<ZstdStream>(std::move(file), offset, size);
    case Compression::kNone:
      break;
  }
  return std::make_unique<PlainStream>(std::move(file), offset, size);
}

size_t read_fully(ByteStream& stream, void* to, size_t capacity) {
  size_t have = 0;
  while (have < capacity) {
    const size_t got = stream.read(static_cast<std::byte*>(to) + have, capacity - have);
    if (got == 0) break;
    have += got;
  }
  return have;
}

}  // namespace sluice
