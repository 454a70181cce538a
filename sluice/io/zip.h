// The directory of a zip archive, as far as .npz files need it: stored and deflated entries, zip64, no encryption.
// APPNOTE.TXT 6.3.10.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sluice/io/byte_stream.h"

namespace sluice {

struct ZipEntry {
  std::string name;
  bool deflated = false;
  uint32_t crc = 0;
  int64_t stored_bytes = 0;  // in the archive
  int64_t bytes = 0;         // after inflating, as the archive says: not to be believed before it is checked
  int64_t header_offset = 0;
};

// The entries in the directory's order. Throws Error{kBadInput} for what is not a zip archive, is cut off, or says places outside the file.
std::vector<ZipEntry> read_zip_directory(const File& file);

// Where the entry's bytes begin; its local header is checked against the directory.
int64_t zip_data_offset(const File& file, const ZipEntry& entry);

// The CRC-32 of the bytes [offset, offset + size) as they are in the file.
uint32_t crc_of(const std::shared_ptr<File>& file, int64_t offset, int64_t size);

}  // namespace sluice
