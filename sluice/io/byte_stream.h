// Bytes that come one after another, from a file as it is or out of gzip, zstd or raw deflate. Never more in memory than buffers.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "sluice/io/file.h"

namespace sluice {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Fills up to `capacity` (> 0) bytes; 0 only at the end. Throws Error{kIo} when the file can't be read, Error{kBadInput} when a
  // compressed stream is damaged or ends in its middle.
  virtual size_t read(void* to, size_t capacity) = 0;
};

enum class Compression : uint8_t { kNone, kGzip, kZstd, kDeflate };

// By the end of the name: .gz, .zst, else none.
Compression compression_of(const std::string& name);
// The name without .gz or .zst.
std::string without_compression(const std::string& name);

// The bytes [offset, offset + size) of the file, decompressed. Several gzip members or zstd frames in a row are one stream, as
// gzip and zstd have it. Memory: 128 KiB and the decompressor's window (at most 128 MiB for zstd).
std::unique_ptr<ByteStream> open_stream(std::shared_ptr<const File> file, Compression compression, int64_t offset, int64_t size);
inline std::unique_ptr<ByteStream> open_stream(std::shared_ptr<const File> file, Compression compression) {
  const int64_t size = file->size();
  return open_stream(std::move(file), compression, 0, size);
}

// Reads until `capacity` bytes or the end.
size_t read_fully(ByteStream& stream, void* to, size_t capacity);

}  // namespace sluice
