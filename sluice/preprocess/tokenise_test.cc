#include "sluice/preprocess/tokenise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "sluice/preprocess/stop_words.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  Tokeniser().words(text, [&](std::string_view word) { out.emplace_back(word); });
  return out;
}

TEST(Tokenise, English) {
  EXPECT_THAT(words_of("How do I fill a DataSet (from LINQ) in ASP.NET 3.5?"),
              ElementsAre("how", "do", "i", "fill", "a", "dataset", "from", "linq", "in", "asp.net", "3.5"));
  EXPECT_THAT(words_of("don't DON\xE2\x80\x99T foo_bar x-ray"), ElementsAre("don't", "don't", "foo_bar", "x", "ray"));
}

TEST(Tokenise, GermanAndAccents) {
  EXPECT_THAT(words_of("Die Straße nach STRASSE, Ärger über Öl"), ElementsAre("die", "strasse", "nach", "strasse", "ärger", "über", "öl"));
  // A letter with its accent, and the two one after the other.
  EXPECT_EQ(words_of("caf\xC3\xA9"), words_of("CAFE\xCC\x81"));
  // Full-width letters.
  EXPECT_THAT(words_of("\xEF\xBC\xA1\xEF\xBC\xA2\xEF\xBC\xA3"), ElementsAre("abc"));
}

TEST(Tokenise, ChineseByTheDictionary) {
  const std::vector<std::string> words = words_of("我们喜欢学习汉语。");
  EXPECT_THAT(words, ElementsAre("我们", "喜欢", "学习", "汉语"));
}

TEST(Tokenise, EmojiAndPunctuationAreNoWords) {
  EXPECT_THAT(words_of("great 😀👩‍👩‍👧 news!!! 🇩🇪"), ElementsAre("great", "news"));
  EXPECT_TRUE(words_of("?! ... --- \t\n").empty());
  EXPECT_TRUE(words_of("").empty());
}

TEST(Tokenise, EndlessWordsArePassedOver) {
  const std::string endless(1'000'000, 'a');
  EXPECT_THAT(words_of("before " + endless + " after"), ElementsAre("before", "after"));
  std::string many;
  for (int i = 0; i < 200'000; ++i) many += "word ";
  EXPECT_EQ(words_of(many).size(), 200'000U);
}

TEST(Tokenise, OneTokeniserServesManyTexts) {
  Tokeniser tokeniser;
  std::vector<std::string> out;
  for (const char* text : {"one two", "三个", "", "four"}) tokeniser.words(text, [&](std::string_view word) { out.emplace_back(word); });
  EXPECT_EQ(out.front(), "one");
  EXPECT_EQ(out.back(), "four");
}

TEST(Tokenise, Utf8IsTold) {
  EXPECT_TRUE(is_utf8("") && is_utf8("plain") && is_utf8("Öl 汉语 😀"));
  for (const char* bad : {"\xFF", "a\xC3", "\xED\xA0\x80", "\xC0\xAF"}) EXPECT_FALSE(is_utf8(bad)) << bad;
}

TEST(Tokenise, StopWordsAreFoldedAsTheTextIs) {
  EXPECT_TRUE(english_stop_words().contains("don't"));
  EXPECT_TRUE(english_stop_words().contains("how"));
  EXPECT_FALSE(english_stop_words().contains("linq"));
  for (const std::string& word : english_stop_words()) EXPECT_THAT(words_of(word), ElementsAre(word));
  EXPECT_TRUE(stop_words_of("Der\nDie\r\nDas\n").contains("die"));
}

}  // namespace
}  // namespace sluice
