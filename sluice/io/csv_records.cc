#include "sluice/io/csv_records.h"

#include <algorithm>
#include <cstring>

#include "sluice/core/error.h"
#include "sluice/io/dense.h"

namespace sluice {
namespace {

constexpr size_t kBuffer = size_t{1} << 17;
constexpr size_t kMaxRecord = size_t{64} << 20;

}  // namespace

CsvRecords::CsvRecords(std::unique_ptr<ByteStream> text, char delimiter, std::string where)
    : text_(std::move(text)), where_(std::move(where)), delimiter_(delimiter), buffer_(kBuffer + 1) {
  for (const char stop : {delimiter, '\n', '\r', '\0'}) bare_stop_[static_cast<unsigned char>(stop)] = true;
  for (const char stop : {'"', '\n', '\r', '\0'}) quoted_stop_[static_cast<unsigned char>(stop)] = true;
  begin_ = end_ = buffer_.data();
  *end_ = '\0';
}

void CsvRecords::refuse(int64_t line, const std::string& why, const std::string& remedy) const {
  fail(ErrorCode::kBadInput, place(line), why, remedy);
}

// Moves what is unread to the front and adds text behind it; false when there is no more.
bool CsvRecords::refill() {
  if (at_end_) return false;
  const auto keep = static_cast<size_t>(end_ - begin_);
  if (keep > (buffer_.size() - 1) / 2) {
    if (keep >= kMaxRecord) refuse(next_line_, "begins a record longer than 64 MiB", "is a quote left open?");
    std::vector<char> larger(2 * (buffer_.size() - 1) + 1);
    std::memcpy(larger.data(), begin_, keep);
    buffer_.swap(larger);
  } else {
    std::memmove(buffer_.data(), begin_, keep);
  }
  begin_ = buffer_.data();
  end_ = begin_ + keep;
  const size_t got = text_->read(end_, buffer_.size() - 1 - keep);
  end_ += got;
  *end_ = '\0';
  at_end_ = got == 0;
  return got > 0;
}

void CsvRecords::skip_line_ends() {
  for (;;) {
    if (begin_ == end_ && !refill()) return;
    if (*begin_ == '\r') {
      if (begin_ + 1 == end_ && refill()) continue;
      if (begin_ + 1 != end_ && begin_[1] == '\n') ++begin_;
    } else if (*begin_ != '\n') {
      return;
    }
    ++begin_;
    ++next_line_;
  }
}

bool CsvRecords::next() {
  skip_line_ends();
  if (begin_ == end_) return false;
  // A record that the buffer cuts is scanned again from its start: once a buffer, so it costs nothing.
  while (scan_record() == Scan::kMore) refill();
  undouble();
  return true;
}

// From an opening quote at `at` to behind the closing one.
CsvRecords::Scan CsvRecords::scan_quoted(char*& at, int64_t& lines) {
  char* p = at + 1;
  bool doubled = false;
  for (;;) {
    while (!quoted_stop_[static_cast<unsigned char>(*p)]) ++p;
    if (p == end_) {
      if (!at_end_) return Scan::kMore;
      refuse(next_line_ + lines, "the file ends inside a quoted cell of the record that begins at line " + std::to_string(next_line_),
             "close the quote");
    }
    if (*p == '\0') refuse(next_line_ + lines, "holds a NUL byte", "is this a text file? Give its own --encoding if it is UTF-16");
    if (*p == '"') {
      if (p + 1 == end_ && !at_end_) return Scan::kMore;
      if (p[1] != '"' || p + 1 == end_) break;
      doubled = true;
      p += 2;
      continue;
    }
    if (*p == '\r' && p + 1 == end_ && !at_end_) return Scan::kMore;
    if (*p == '\n' || p[1] != '\n') ++lines;
    ++p;
  }
  if (doubled) doubled_.push_back(cells_.size());
  cells_.emplace_back(at + 1, static_cast<size_t>(p - at - 1));
  at = p + 1;
  return Scan::kRecord;
}

CsvRecords::Scan CsvRecords::scan_record() {
  cells_.clear();
  doubled_.clear();
  char* p = begin_;
  int64_t lines = 0;
  for (;;) {
    if (*p == '"') {
      if (scan_quoted(p, lines) == Scan::kMore) return Scan::kMore;
      if (!bare_stop_[static_cast<unsigned char>(*p)])
        refuse(next_line_ + lines, "has text after a closing quote", "double the quotes inside a quoted cell");
    } else {
      const char* cell = p;
      while (!bare_stop_[static_cast<unsigned char>(*p)]) ++p;
      cells_.emplace_back(cell, static_cast<size_t>(p - cell));
    }
    if (cells_.size() > kMaxTextColumns)
      refuse(next_line_, "has more than " + std::to_string(kMaxTextColumns) + " cells", "transpose the table, or give it as .npy");
    if (*p == delimiter_) {
      ++p;
      continue;
    }
    if (p == end_) {
      if (!at_end_) return Scan::kMore;
      break;
    }
    if (*p == '\0') refuse(next_line_ + lines, "holds a NUL byte", "is this a text file? Give its own --encoding if it is UTF-16");
    if (*p == '\r') {
      if (p + 1 == end_ && !at_end_) return Scan::kMore;
      if (p[1] == '\n') ++p;
    }
    ++p;
    ++lines;
    break;
  }
  line_ = next_line_;
  next_line_ += lines;
  begin_ = p;
  return Scan::kRecord;
}

// Two quotes become one, in place.
void CsvRecords::undouble() {
  for (const size_t index : doubled_) {
    const std::string_view cell = cells_[index];
    char* to = const_cast<char*>(cell.data());  // our own buffer
    char* const first = to;
    for (size_t i = 0; i < cell.size(); ++i) {
      *to++ = cell[i];
      if (cell[i] == '"') ++i;
    }
    cells_[index] = {first, static_cast<size_t>(to - first)};
  }
}

}  // namespace sluice
