#include "sluice/io/encoding.h"

#include <unicode/ucnv.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "sluice/core/error.h"

namespace sluice {
namespace {

constexpr size_t kChunk = size_t{1} << 16;

bool is_utf8(const std::string& encoding) {
  return encoding.empty() || ucnv_compareNames(encoding.c_str(), "UTF-8") == 0;
}

// Drops a UTF-8 mark at the start, and refuses marks of other encodings.
class MarkStream final : public ByteStream {
 public:
  MarkStream(std::unique_ptr<ByteStream> from, const std::string& where) : from_(std::move(from)) {
    have_ = read_fully(*from_, head_, sizeof head_);
    const std::string_view head(head_, have_);
    if (head.starts_with("\xEF\xBB\xBF")) at_ = 3;
    if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) {
      fail(ErrorCode::kBadInput, where + ": byte 0", "is marked as UTF-16, not UTF-8", "say --encoding UTF-16");
    }
  }
  size_t read(void* to, size_t capacity) override {
    if (at_ == have_) return from_->read(to, capacity);
    const size_t count = std::min(capacity, have_ - at_);
    std::memcpy(to, head_ + at_, count);
    at_ += count;
    return count;
  }

 private:
  std::unique_ptr<ByteStream> from_;
  char head_[3];
  size_t have_ = 0;
  size_t at_ = 0;
};

// From the named encoding by way of UTF-16. Anything that is not in the encoding is an error, never a replacement character.
class ConvertingStream final : public ByteStream {
 public:
  ConvertingStream(std::unique_ptr<ByteStream> from, const std::string& encoding, std::string where)
      : from_(std::move(from)), encoding_(encoding), where_(std::move(where)), raw_(kChunk) {
    UErrorCode status = U_ZERO_ERROR;
    source_ = ucnv_open(encoding.c_str(), &status);
    if (U_FAILURE(status))
      fail(ErrorCode::kUsage, "--encoding " + encoding, "is not a known encoding", "say UTF-8, ISO-8859-1, GB18030 or UTF-16");
    ucnv_setToUCallBack(source_, UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &status);
    utf8_ = ucnv_open("UTF-8", &status);
    ucnv_setFromUCallBack(utf8_, UCNV_FROM_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &status);
  }
  ~ConvertingStream() override {
    ucnv_close(utf8_);
    ucnv_close(source_);
  }
  ConvertingStream(const ConvertingStream&) = delete;
  ConvertingStream& operator=(const ConvertingStream&) = delete;

  size_t read(void* to, size_t capacity) override {
    while (at_ == text_.size() && !done_) convert_chunk();
    const size_t count = std::min(capacity, text_.size() - at_);
    std::memcpy(to, text_.data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  void convert_chunk() {
    const size_t got = from_->read(raw_.data(), raw_.size());
    done_ = got == 0;
    text_.resize(4 * (got + 16) + 64);
    at_ = 0;
    const char* begin = raw_.data();
    const char* at = begin;
    char* out = text_.data();
    UErrorCode status = U_ZERO_ERROR;
    ucnv_convertEx(utf8_, source_, &out, text_.data() + text_.size(), &at, begin + got, pivot_, &pivot_read_, &pivot_write_,
                   pivot_ + std::size(pivot_), first_, done_, &status);
    if (U_FAILURE(status)) {
      fail(ErrorCode::kBadInput, where_ + ": near byte " + std::to_string(consumed_ + (at - begin)), "is not valid " + encoding_,
           "give the file's own --encoding");
    }
    first_ = false;
    consumed_ += static_cast<int64_t>(got);
    text_.resize(static_cast<size_t>(out - text_.data()));
  }

  std::unique_ptr<ByteStream> from_;
  std::string encoding_;
  std::string where_;
  std::vector<char> raw_;
  std::string text_;
  size_t at_ = 0;
  UConverter* source_ = nullptr;
  UConverter* utf8_ = nullptr;
  UChar pivot_[1024];
  UChar* pivot_read_ = pivot_;
  UChar* pivot_write_ = pivot_;
  bool first_ = true;
  bool done_ = false;
  int64_t consumed_ = 0;
};

// Length of the well-formed sequence at `p`, or 0. Table 3-7 of the Unicode standard.
size_t sequence_length(const unsigned char* p, const unsigned char* end) {
  const auto follows = [&](int64_t i, unsigned char low, unsigned char high) { return end - p > i && p[i] >= low && p[i] <= high; };
  if (p[0] < 0x80) return 1;
  if (p[0] < 0xC2 || p[0] > 0xF4) return 0;
  if (p[0] < 0xE0) return follows(1, 0x80, 0xBF) ? 2 : 0;
  if (p[0] < 0xF0) {
    const unsigned char low = p[0] == 0xE0 ? 0xA0 : 0x80;
    const unsigned char high = p[0] == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2, 0x80, 0xBF) ? 3 : 0;
  }
  const unsigned char low = p[0] == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = p[0] == 0xF4 ? 0x8F : 0xBF;
  return follows(1, low, high) && follows(2, 0x80, 0xBF) && follows(3, 0x80, 0xBF) ? 4 : 0;
}

}  // namespace

std::unique_ptr<ByteStream> open_text(const TextFile& text, const std::string& encoding) {
  std::unique_ptr<ByteStream> stream = open_stream(text.file, text.compression);
  const std::string& where = text.file->where();
  if (!is_utf8(encoding)) stream = std::make_unique<ConvertingStream>(std::move(stream), encoding, where);
  return std::make_unique<MarkStream>(std::move(stream), where);
}

bool valid_utf8(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = p + text.size();
  while (p != end) {
    uint64_t eight;
    if (end - p >= 8 && (std::memcpy(&eight, p, 8), (eight & 0x8080808080808080U) == 0)) {
      p += 8;
      continue;
    }
    const size_t length = sequence_length(p, end);
    if (length == 0) return false;
    p += length;
  }
  return true;
}

void fail_utf8(const std::string& where) {
  fail(ErrorCode::kBadInput, where, "is not valid UTF-8", "give the file's own encoding, as in --encoding ISO-8859-1 or GB18030");
}

}  // namespace sluice
