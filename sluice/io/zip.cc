#include "sluice/io/zip.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "sluice/core/error.h"

namespace sluice {
namespace {

constexpr uint32_t kEndMark = 0x06054b50;
constexpr uint32_t kEnd64Mark = 0x06064b50;
constexpr uint32_t kLocator64Mark = 0x07064b50;
constexpr uint32_t kEntryMark = 0x02014b50;
constexpr uint32_t kLocalMark = 0x04034b50;
constexpr int64_t kEndBytes = 22;
constexpr int64_t kMaxDirectory = int64_t{64} << 20;

[[noreturn]] void damaged(const File& file, const std::string& why) {
  fail(ErrorCode::kBadInput, file.where(), why, "copy it again, or save it again with numpy.savez");
}

template <class T>
T number_at(const std::string& bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::string bytes_at(const File& file, int64_t offset, int64_t count) {
  if (offset < 0 || count < 0 || offset > file.size() || count > file.size() - offset)
    damaged(file, "is a zip archive that is cut off or says places outside itself");
  std::string bytes(static_cast<size_t>(count), '\0');
  file.read_exact(offset, bytes.data(), bytes.size());
  return bytes;
}

// What is past int64 is past every file as well, and fails where it is used.
int64_t as_size(uint64_t value) {
  return static_cast<int64_t>(std::min<uint64_t>(value, INT64_MAX));
}

struct Directory {
  int64_t offset = 0;
  int64_t bytes = 0;
  int64_t entries = 0;
};

// The end record stands in the last 22 bytes, or before a comment of at most 65535.
Directory find_directory(const File& file) {
  const int64_t tail_bytes = std::min<int64_t>(file.size(), kEndBytes + 65535);
  const std::string tail = bytes_at(file, file.size() - tail_bytes, tail_bytes);
  int64_t at = tail_bytes - kEndBytes;
  const auto is_end = [&](int64_t i) {
    const auto u = static_cast<size_t>(i);
    return number_at<uint32_t>(tail, u) == kEndMark && i + kEndBytes + number_at<uint16_t>(tail, u + 20) == tail_bytes;
  };
  while (at >= 0 && !is_end(at)) --at;
  if (at < 0) damaged(file, "is not a zip archive, or it is cut off");
  const auto u = static_cast<size_t>(at);
  Directory directory{number_at<uint32_t>(tail, u + 16), number_at<uint32_t>(tail, u + 12), number_at<uint16_t>(tail, u + 10)};
  const bool wide = directory.offset == 0xffffffff || directory.bytes == 0xffffffff || directory.entries == 0xffff;
  const int64_t locator_at = file.size() - tail_bytes + at - 20;
  if (!wide || locator_at < 0) return directory;
  const std::string locator = bytes_at(file, locator_at, 20);
  if (number_at<uint32_t>(locator, 0) != kLocator64Mark) return directory;
  const std::string end = bytes_at(file, as_size(number_at<uint64_t>(locator, 8)), 56);
  if (number_at<uint32_t>(end, 0) != kEnd64Mark) damaged(file, "is a zip64 archive without its end record");
  return {as_size(number_at<uint64_t>(end, 48)), as_size(number_at<uint64_t>(end, 40)), as_size(number_at<uint64_t>(end, 32))};
}

// The zip64 field holds, in this order, those of the three values that the entry itself has no room for.
void read_extra64(const File& file, const std::string& bytes, size_t at, size_t length, ZipEntry& entry) {
  int64_t* const wanted[] = {&entry.bytes, &entry.stored_bytes, &entry.header_offset};
  for (const size_t end = at + length; at + 4 <= end;) {
    const uint16_t tag = number_at<uint16_t>(bytes, at);
    size_t left = number_at<uint16_t>(bytes, at + 2);
    at += 4;
    if (left > end - at) return;
    const size_t next = at + left;
    for (int64_t* value : wanted) {
      if (tag != 1 || *value != 0xffffffff) continue;
      if (left < 8) damaged(file, "is a zip archive with a damaged zip64 field");
      *value = as_size(number_at<uint64_t>(bytes, at));
      at += 8;
      left -= 8;
    }
    at = next;
  }
}

ZipEntry read_entry(const File& file, const std::string& bytes, size_t& at) {
  if (at + 46 > bytes.size() || number_at<uint32_t>(bytes, at) != kEntryMark) damaged(file, "is a zip archive with a damaged directory");
  const size_t name_bytes = number_at<uint16_t>(bytes, at + 28);
  const size_t extra_bytes = number_at<uint16_t>(bytes, at + 30);
  const size_t comment_bytes = number_at<uint16_t>(bytes, at + 32);
  if (bytes.size() - at - 46 < name_bytes + extra_bytes + comment_bytes) damaged(file, "is a zip archive with a damaged directory");
  ZipEntry entry;
  entry.name = bytes.substr(at + 46, name_bytes);
  entry.crc = number_at<uint32_t>(bytes, at + 16);
  entry.stored_bytes = number_at<uint32_t>(bytes, at + 20);
  entry.bytes = number_at<uint32_t>(bytes, at + 24);
  entry.header_offset = number_at<uint32_t>(bytes, at + 42);
  read_extra64(file, bytes, at + 46 + name_bytes, extra_bytes, entry);
  const uint16_t flags = number_at<uint16_t>(bytes, at + 8);
  const uint16_t method = number_at<uint16_t>(bytes, at + 10);
  if ((flags & 1) != 0) damaged(file, "holds the encrypted entry " + entry.name);
  if (method != 0 && method != 8) damaged(file, "holds the entry " + entry.name + " in a compression numpy does not write");
  entry.deflated = method == 8;
  // Deflate makes at most 1032 bytes of one.
  if (entry.deflated && entry.bytes / 1032 > entry.stored_bytes) damaged(file, "says an impossible size for the entry " + entry.name);
  if (!entry.deflated && entry.bytes != entry.stored_bytes) damaged(file, "says two sizes for the entry " + entry.name);
  at += 46 + name_bytes + extra_bytes + comment_bytes;
  return entry;
}

}  // namespace

std::vector<ZipEntry> read_zip_directory(const File& file) {
  const Directory directory = find_directory(file);
  if (directory.bytes > kMaxDirectory) damaged(file, "is a zip archive with a directory of more than 64 MiB");
  const std::string bytes = bytes_at(file, directory.offset, directory.bytes);
  if (directory.entries > directory.bytes / 46) damaged(file, "is a zip archive that says more entries than it has room for");
  std::vector<ZipEntry> entries;
  size_t at = 0;
  for (int64_t i = 0; i < directory.entries; ++i) entries.push_back(read_entry(file, bytes, at));
  if (at != bytes.size()) damaged(file, "is a zip archive with a damaged directory");
  return entries;
}

int64_t zip_data_offset(const File& file, const ZipEntry& entry) {
  const std::string local = bytes_at(file, entry.header_offset, 30);
  const int64_t name_bytes = number_at<uint16_t>(local, 26);
  if (number_at<uint32_t>(local, 0) != kLocalMark || bytes_at(file, entry.header_offset + 30, name_bytes) != entry.name ||
      number_at<uint16_t>(local, 8) != (entry.deflated ? 8 : 0)) {
    damaged(file, "is a zip archive whose entry " + entry.name + " is not where its directory says");
  }
  const int64_t offset = entry.header_offset + 30 + name_bytes + number_at<uint16_t>(local, 28);
  if (offset > file.size() || entry.stored_bytes > file.size() - offset) damaged(file, "is cut off in the entry " + entry.name);
  return offset;
}

uint32_t crc_of(const std::shared_ptr<File>& file, int64_t offset, int64_t size) {
  const auto stream = open_stream(file, Compression::kNone, offset, size);
  std::vector<unsigned char> chunk(size_t{1} << 17);
  uLong crc = crc32(0, nullptr, 0);
  for (size_t got = stream->read(chunk.data(), chunk.size()); got > 0; got = stream->read(chunk.data(), chunk.size())) {
    crc = crc32(crc, chunk.data(), static_cast<uInt>(got));
  }
  return static_cast<uint32_t>(crc);
}

}  // namespace sluice
