// Text to words, for any language: the word boundaries of Unicode (UAX 29) as ICU finds them, with its dictionaries for languages written
// without spaces (Chinese, Japanese, Thai and others). What holds neither letter, ideograph nor digit (spaces, punctuation, emoji) is no word.
// A word is folded to one form (NFKC and case folding): Straße and STRASSE, full-width and plain letters, composed and decomposed accents
// are the same word, and so are ' and the curly apostrophe. Use for bags of words (tfidf.h); not where the order of words matters.
// Determinism: depends on the text and the Unicode tables of the ICU in use alone, not on locale, thread or machine.
// Unicode Standard Annex 29; icu-project.org.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sluice {

// One per thread.
class Tokeniser {
 public:
  Tokeniser();  // Error{kIo} when ICU's data is missing
  ~Tokeniser();
  Tokeniser(const Tokeniser&) = delete;
  Tokeniser& operator=(const Tokeniser&) = delete;

  // f(word) for each word of `text` (valid UTF-8) in its order, folded, UTF-8, valid until f returns. Words longer than kLongestWord bytes
  // are passed over: no language has such. Cost O(bytes); memory: a few times the text's.
  void words(std::string_view text, const std::function<void(std::string_view word)>& f);

  static constexpr size_t kLongestWord = 256;

 private:
  struct Icu;
  std::unique_ptr<Icu> icu_;
};

// Whether the text is valid UTF-8, which words() asks for.
bool is_utf8(std::string_view text);

// The version of the Unicode tables in use, e.g. "15.0".
std::string unicode_version();

}  // namespace sluice
