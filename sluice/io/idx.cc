#include "sluice/io/idx.h"

#include <algorithm>

#include "sluice/core/error.h"
#include "sluice/io/dense.h"

namespace sluice {
namespace {

struct IdxHeader {
  Storage storage = Storage::kU8;
  int64_t rows = 1;
  int64_t cols = 1;
  int64_t data_offset = 0;
  int64_t file_bytes = 0;
};

[[noreturn]] void damaged(const std::string& where, const std::string& why) {
  fail(ErrorCode::kBadInput, where, why, "download or make the file again");
}

Storage storage_of(unsigned char code, const std::string& where) {
  switch (code) {
    case 0x08:
      return Storage::kU8;
    case 0x09:
      return Storage::kI8;
    case 0x0B:
      return Storage::kI16;
    case 0x0C:
      return Storage::kI32;
    case 0x0D:
      return Storage::kF32;
    case 0x0E:
      return Storage::kF64;
    default:
      damaged(where, "is not an IDX file: its third byte names no type");
  }
}

IdxHeader parse_header(ByteStream& bytes, const std::string& where) {
  unsigned char head[4 + 4 * 255];
  if (read_fully(bytes, head, 4) < 4) damaged(where, "ends in its header");
  if (head[0] != 0 || head[1] != 0) damaged(where, "is not an IDX file: its first two bytes are not zero");
  IdxHeader header;
  header.storage = storage_of(head[2], where);
  const size_t dimensions = head[3];
  if (dimensions == 0) damaged(where, "says it has no dimensions");
  if (read_fully(bytes, head + 4, 4 * dimensions) < 4 * dimensions) damaged(where, "ends in its header");
  int64_t total = static_cast<int64_t>(size_of(header.storage));
  for (size_t i = 0; i < dimensions; ++i) {
    const unsigned char* at = head + 4 + 4 * i;
    const int64_t size = int64_t{at[0]} << 24 | int64_t{at[1]} << 16 | int64_t{at[2]} << 8 | int64_t{at[3]};
    if (size == 0) damaged(where, "says it holds no values");
    total = checked_product(total, size);
    if (total < 0) damaged(where, "says a shape of more than 2^63 bytes");
    if (i == 0)
      header.rows = size;
    else
      header.cols *= size;
  }
  header.data_offset = static_cast<int64_t>(4 + 4 * dimensions);
  if (__builtin_add_overflow(total, header.data_offset, &header.file_bytes)) damaged(where, "says a shape of more than 2^63 bytes");
  return header;
}

}  // namespace

Table read_idx(const std::shared_ptr<File>& file, Compression compression, const StoreOptions& store) {
  const std::string& where = file->where();
  const IdxHeader header = parse_header(*open_stream(file, compression), where);
  require_shape(where, header.rows, header.cols);
  std::shared_ptr<File> plain = file;
  if (compression != Compression::kNone) plain = spool_stream(*open_stream(file, compression), where, store, header.file_bytes);
  if (plain->size() != header.file_bytes) {
    damaged(where, "holds " + std::to_string(plain->size()) + " bytes where its header says " + std::to_string(header.file_bytes));
  }
  return stored_table(plain, header.storage, true, header.data_offset, header.rows, header.cols);
}

}  // namespace sluice
