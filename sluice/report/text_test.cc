#include "sluice/report/text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

namespace sluice::page {
namespace {

const std::string kBad = "\xEF\xBF\xBD";

std::string base64_of(std::string_view text) {
  return base64(std::as_bytes(std::span(text)));
}

TEST(CleanUtf8, KeepsWhatIsWellFormed) {
  for (const char* text : {"", "abc\t\n", "é", "ศ", "😀", "\xEF\xBF\xBD", "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF", "\xE0\xA0\x80"})
    EXPECT_EQ(clean_utf8(text), text);
}

TEST(CleanUtf8, EachBadByteIsReplaced) {
  EXPECT_EQ(clean_utf8("a\xFFz"), "a" + kBad + "z");
  EXPECT_EQ(clean_utf8("\xC0\xAF"), kBad + kBad);                        // overlong
  EXPECT_EQ(clean_utf8("\xE0\x80\x80"), kBad + kBad + kBad);             // overlong
  EXPECT_EQ(clean_utf8("\xED\xA0\x80"), kBad + kBad + kBad);             // a surrogate
  EXPECT_EQ(clean_utf8("\xF4\x90\x80\x80"), kBad + kBad + kBad + kBad);  // past U+10FFFF
  EXPECT_EQ(clean_utf8("\xE2\x82"), kBad + kBad);                        // cut off
  EXPECT_EQ(clean_utf8("\xE2<"), kBad + "<");                            // a broken lead must not swallow markup
}

TEST(CleanUtf8, ControlsBecomePictures) {
  EXPECT_EQ(clean_utf8(std::string("\0\x1B\x7F\r", 4)), "␀␛␡␍");
}

TEST(Html, EscapesWhatEndsTextOrAttribute) {
  EXPECT_EQ(html("<a href=\"x\">'&</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&lt;/a&gt;");
}

TEST(Json, EscapesWhatEndsStringOrScript) {
  EXPECT_EQ(json("</script>&\"\\\n\t"), "\"\\u003c/script\\u003e\\u0026\\\"\\\\\\n\\t\"");
  EXPECT_EQ(json("<!--"), "\"\\u003c!--\"");
  EXPECT_EQ(json("\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xA7"), "\"\\u2028\\u2029\xE2\x80\xA7\"");
}

TEST(Json, AnAddressReadsTheSameAndIsNotFound) {
  EXPECT_EQ(html("http://x h"), "&#104;ttp://x h");
  EXPECT_EQ(json("http"), "\"\\u0068ttp\"");
}

TEST(Json, Numbers) {
  EXPECT_EQ(json(0.1), "0.1");
  EXPECT_EQ(json(1e300), "1e+300");
  EXPECT_EQ(json(std::nan("")), "null");
  EXPECT_EQ(json(-INFINITY), "null");
}

// RFC 4648, section 10.
TEST(Base64, Vectors) {
  EXPECT_EQ(base64_of(""), "");
  EXPECT_EQ(base64_of("f"), "Zg==");
  EXPECT_EQ(base64_of("fo"), "Zm8=");
  EXPECT_EQ(base64_of("foo"), "Zm9v");
  EXPECT_EQ(base64_of("foob"), "Zm9vYg==");
  EXPECT_EQ(base64_of("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64_of("\xFF\xEF\xBE"), "/+++");
}

}  // namespace
}  // namespace sluice::page
