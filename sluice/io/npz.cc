#include "sluice/io/npz.h"

#include <algorithm>

#include "sluice/core/error.h"
#include "sluice/io/npy.h"
#include "sluice/io/zip.h"

namespace sluice {
namespace {

std::string array_name(const ZipEntry& entry) {
  return entry.name.ends_with(".npy") ? entry.name.substr(0, entry.name.size() - 4) : entry.name;
}

std::string list_names(const std::vector<ZipEntry>& entries) {
  std::string names;
  for (size_t i = 0; i < entries.size() && i < 20; ++i) names += (i == 0 ? "" : ", ") + array_name(entries[i]);
  return names + (entries.size() > 20 ? ", ..." : "");
}

bool is_two_dimensional(const std::shared_ptr<File>& file, const ZipEntry& entry) {
  const int64_t offset = zip_data_offset(*file, entry);
  const auto stream = open_stream(file, entry.deflated ? Compression::kDeflate : Compression::kNone, offset, entry.stored_bytes);
  std::string head(static_cast<size_t>(std::min<int64_t>(entry.bytes, kMaxNpyHeader + 12)), '\0');
  head.resize(read_fully(*stream, head.data(), head.size()));
  try {
    return parse_npy_header(head, file->where()).shape.size() == 2;
  } catch (const Error&) {
    return false;  // texts, objects and other files in the archive are no candidates
  }
}

const ZipEntry& choose(const std::shared_ptr<File>& file, const std::vector<ZipEntry>& entries, const std::string& name) {
  const std::string wanted = name.empty() ? "X" : name;
  const ZipEntry* found = nullptr;
  for (const ZipEntry& entry : entries) {
    if (array_name(entry) != wanted) continue;
    if (found != nullptr) fail(ErrorCode::kBadInput, file->where(), "holds two arrays called " + wanted, "save it again with numpy.savez");
    found = &entry;
  }
  if (found != nullptr) return *found;
  if (!name.empty()) fail(ErrorCode::kBadInput, file->where(), "holds no array called " + name, "it holds: " + list_names(entries));
  for (const ZipEntry& entry : entries) {
    if (!is_two_dimensional(file, entry)) continue;
    if (found != nullptr) {
      fail(ErrorCode::kBadInput, file->where(), "holds several two-dimensional arrays and none is called X",
           "choose with --array: " + list_names(entries));
    }
    found = &entry;
  }
  if (found == nullptr) {
    fail(ErrorCode::kBadInput, file->where(), "holds no array called X and no two-dimensional one of numbers",
         "choose with --array: " + list_names(entries));
  }
  return *found;
}

}  // namespace

Table read_npz(const std::shared_ptr<File>& file, const std::string& name, const StoreOptions& store) {
  const std::vector<ZipEntry> entries = read_zip_directory(*file);
  const ZipEntry& entry = choose(file, entries, name);
  int64_t offset = zip_data_offset(*file, entry);
  std::shared_ptr<File> plain = file;
  if (entry.deflated) {
    const auto stream = open_stream(file, Compression::kDeflate, offset, entry.stored_bytes);
    plain = spool_stream(*stream, file->where() + ": " + array_name(entry), store, entry.bytes);
    offset = 0;
    if (plain->size() != entry.bytes)
      fail(ErrorCode::kBadInput, plain->where(), "is shorter than the archive says", "copy the archive again");
  }
  if (crc_of(plain, offset, entry.bytes) != entry.crc)
    fail(ErrorCode::kBadInput, plain->where(), "has a wrong checksum: its bytes were changed", "copy the archive again");
  return read_npy_at(plain, offset, entry.bytes, store);
}

}  // namespace sluice
