// An open file that is read by position: the one way bytes enter a reader. Regular files stay where they are; what can't be read
// twice (pipes, standard input) or at any place (compressed entries) is copied to a spool once and is then a File as well.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "sluice/core/row_store.h"

namespace sluice {

class ByteStream;

class File {
 public:
  // Takes the descriptor over. `where` names the file in errors; `unlink_path` is deleted with the last owner (spools), or empty.
  File(int fd, std::string where, int64_t size, std::string unlink_path = {});
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& where() const { return where_; }
  int64_t size() const { return size_; }
  // Bytes from `offset` on, as many as there are up to `capacity`; 0 at the end. Any thread may call. Throws Error{kIo}.
  size_t read_some(int64_t offset, void* to, size_t capacity) const;
  // Exactly `count` bytes. Throws Error{kBadInput} when the file ends before.
  void read_exact(int64_t offset, void* to, size_t count) const;
  // A descriptor of its own for a FileSource, and the path that source must delete: the file is then the source's.
  int duplicate() const;
  std::string give_up_path();

 private:
  int fd_;
  std::string where_;
  int64_t size_;
  std::string unlink_path_;
};

// Opens a file for reading. Throws Error{kIo} when it is missing, a folder, or may not be read. A pipe or device is copied to a spool
// first.
std::shared_ptr<File> open_file(const std::string& path, const StoreOptions& store);

// Copies a stream to a file without a name, in memory while it is at most `store.memory` bytes, else in the spool folder.
// Throws Error{kBadInput} when the stream holds more than `most` bytes: a compressed file's own claim bounds what is believed.
std::shared_ptr<File> spool_stream(ByteStream& stream, const std::string& where, const StoreOptions& store, int64_t most);

// A file that holds these bytes, in memory. For tests and for small things made on the way.
std::shared_ptr<File> file_of_bytes(const void* data, size_t size, const std::string& where);

// "why" of the last failed system call, in English.
std::string system_reason(int error_number);

}  // namespace sluice
