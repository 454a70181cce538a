// Text line by line, for formats whose records are lines: JSON Lines, label files.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/io/byte_stream.h"

namespace sluice {

class LineReader {
 public:
  // `where` names the file in errors.
  LineReader(std::unique_ptr<ByteStream> text, std::string where);
  // Steps to the next line, without its LF or CRLF; false at the end. Throws Error{kBadInput} for a line longer than 64 MiB.
  // Memory: the longest line, at least 256 KiB.
  bool next(std::string_view& line);
  std::string where() const { return where_ + ":" + std::to_string(line_); }

 private:
  bool refill();
  std::unique_ptr<ByteStream> text_;
  std::string where_;
  std::vector<char> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  int64_t line_ = 0;
};

}  // namespace sluice
