#include "sluice/io/line_reader.h"

#include <cstring>

#include "sluice/core/error.h"

namespace sluice {
namespace {

constexpr size_t kBuffer = size_t{1} << 18;
constexpr size_t kMaxLine = size_t{64} << 20;

}  // namespace

LineReader::LineReader(std::unique_ptr<ByteStream> text, std::string where)
    : text_(std::move(text)), where_(std::move(where)), buffer_(kBuffer) {}

bool LineReader::refill() {
  const size_t keep = end_ - begin_;
  if (keep > buffer_.size() / 2) {
    if (keep >= kMaxLine)
      fail(ErrorCode::kBadInput, where_ + ":" + std::to_string(line_ + 1), "is longer than 64 MiB", "is this the right format?");
    buffer_.resize(2 * buffer_.size());
  }
  std::memmove(buffer_.data(), buffer_.data() + begin_, keep);
  begin_ = 0;
  end_ = keep;
  const size_t got = text_->read(buffer_.data() + end_, buffer_.size() - end_);
  end_ += got;
  return got > 0;
}

bool LineReader::next(std::string_view& line) {
  size_t seen = 0;  // bytes without a line end
  for (;;) {
    const char* from = buffer_.data() + begin_;
    const void* stop = std::memchr(from + seen, '\n', end_ - begin_ - seen);
    if (stop != nullptr) {
      line = {from, static_cast<size_t>(static_cast<const char*>(stop) - from)};
      begin_ += line.size() + 1;
      break;
    }
    seen = end_ - begin_;
    if (refill()) continue;
    if (seen == 0) return false;
    line = {buffer_.data() + begin_, seen};
    begin_ = end_;
    break;
  }
  ++line_;
  if (line.ends_with('\r')) line.remove_suffix(1);
  return true;
}

}  // namespace sluice
