// CSV text cut into records and cells. RFC 4180: cells may stand in double quotes, inside which line ends and delimiters are text and
// two quotes are one. Beyond it: LF, CRLF and CR all end a record, empty lines are skipped (a missing
// cell of a table of one column must be written ""), a quote inside a bare cell is text.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/io/byte_stream.h"

namespace sluice {

class CsvRecords {
 public:
  // `where` names the file in errors.
  CsvRecords(std::unique_ptr<ByteStream> text, char delimiter, std::string where);

  // Steps to the next record; false at the end. Throws Error{kBadInput} with file and line for an open quote, text after a closing
  // quote, a NUL byte, or a record longer than 64 MiB. Cost: about one byte a cycle. Memory: the longest record, at least 128 KiB.
  bool next();

  // The record's cells without quotes; valid until the next call.
  const std::vector<std::string_view>& cells() const { return cells_; }
  // "FILE:LINE" of the record's first line, for errors.
  std::string where() const { return place(line_); }
  std::string place(int64_t line) const { return where_ + ":" + std::to_string(line); }
  int64_t line() const { return line_; }

 private:
  enum class Scan { kRecord, kMore };
  void skip_line_ends();
  bool refill();
  Scan scan_record();
  Scan scan_quoted(char*& at, int64_t& lines);
  void undouble();
  [[noreturn]] void refuse(int64_t line, const std::string& why, const std::string& remedy) const;

  std::unique_ptr<ByteStream> text_;
  std::string where_;
  char delimiter_;
  bool bare_stop_[256] = {};    // bytes that end the quick scan of a bare cell
  bool quoted_stop_[256] = {};  // and of a quoted one
  std::vector<char> buffer_;    // one byte longer than its capacity for text: a NUL ends it
  char* begin_ = nullptr;       // unread text
  char* end_ = nullptr;
  bool at_end_ = false;  // the stream has no more
  std::vector<std::string_view> cells_;
  std::vector<size_t> doubled_;  // cells that hold doubled quotes
  int64_t line_ = 0;
  int64_t next_line_ = 1;
};

}  // namespace sluice
