#include "sluice/preprocess/tokenise.h"

#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utext.h>

#include <algorithm>
#include <vector>

#include "sluice/core/error.h"

namespace sluice {
namespace {

void check(UErrorCode status) {
  if (U_FAILURE(status)) {
    fail(ErrorCode::kIo, "ICU", std::string("its word tables can't be used: ") + u_errorName(status), "install ICU with its data (libicu)");
  }
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

struct Tokeniser::Icu {
  UBreakIterator* breaks = nullptr;
  const UNormalizer2* fold = nullptr;
  UText text = UTEXT_INITIALIZER;
  std::vector<UChar> raw, folded;
  std::string word;

  Icu() {
    UErrorCode status = U_ZERO_ERROR;
    breaks = ubrk_open(UBRK_WORD, "root", nullptr, 0, &status);
    fold = unorm2_getNFKCCasefoldInstance(&status);
    check(status);
  }
  ~Icu() {
    utext_close(&text);
    if (breaks != nullptr) ubrk_close(breaks);
  }
  Icu(const Icu&) = delete;
  Icu& operator=(const Icu&) = delete;

  void fold_ascii(std::string_view from) {
    word.assign(from);
    for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  void fold_any(std::string_view from) {
    UErrorCode status = U_ZERO_ERROR;
    raw.resize(from.size() + 1);
    int32_t units = 0;
    u_strFromUTF8(raw.data(), static_cast<int32_t>(raw.size()), &units, from.data(), static_cast<int32_t>(from.size()), &status);
    check(status);
    folded.resize(static_cast<size_t>(units) * 18 + 1);  // the most that one unit becomes
    const int32_t many = unorm2_normalize(fold, raw.data(), units, folded.data(), static_cast<int32_t>(folded.size()), &status);
    check(status);
    for (int32_t i = 0; i < many; ++i) {
      if (folded[static_cast<size_t>(i)] == 0x2019) folded[static_cast<size_t>(i)] = '\'';
    }
    word.resize(static_cast<size_t>(many) * 3 + 1);
    int32_t bytes = 0;
    u_strToUTF8(word.data(), static_cast<int32_t>(word.size()), &bytes, folded.data(), many, &status);
    check(status);
    word.resize(static_cast<size_t>(bytes));
  }
};

Tokeniser::Tokeniser() : icu_(std::make_unique<Icu>()) {}
Tokeniser::~Tokeniser() = default;

void Tokeniser::words(std::string_view text, const std::function<void(std::string_view)>& f) {
  if (text.empty()) return;
  UErrorCode status = U_ZERO_ERROR;
  utext_openUTF8(&icu_->text, text.data(), static_cast<int64_t>(text.size()), &status);
  ubrk_setUText(icu_->breaks, &icu_->text, &status);
  check(status);
  int32_t begin = ubrk_first(icu_->breaks);
  for (int32_t end = ubrk_next(icu_->breaks); end != UBRK_DONE; begin = end, end = ubrk_next(icu_->breaks)) {
    if (ubrk_getRuleStatus(icu_->breaks) < UBRK_WORD_NONE_LIMIT) continue;
    const std::string_view piece = text.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
    if (piece.size() > kLongestWord) continue;
    is_ascii(piece) ? icu_->fold_ascii(piece) : icu_->fold_any(piece);
    if (!icu_->word.empty() && icu_->word.size() <= kLongestWord) f(icu_->word);
  }
}

bool is_utf8(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  int32_t units = 0;
  u_strFromUTF8(nullptr, 0, &units, text.data(), static_cast<int32_t>(text.size()), &status);
  return status == U_BUFFER_OVERFLOW_ERROR || U_SUCCESS(status);
}

std::string unicode_version() {
  UVersionInfo version;
  u_getUnicodeVersion(version);
  return std::to_string(version[0]) + "." + std::to_string(version[1]);
}

}  // namespace sluice
