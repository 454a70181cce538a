#include "sluice/preprocess/tfidf.h"

#include <gtest/gtest.h>

#include "sluice/core/fold.h"
#include "sluice/preprocess/tfidf_sklearn.h"

namespace sluice {
namespace {

TextAt texts_at(const std::vector<std::string>& texts) {
  return [&texts](int64_t row) -> std::string_view { return texts[static_cast<size_t>(row)]; };
}

TfidfParams params_of(const std::string& name) {
  TfidfParams params;
  params.stop_words = "none";
  params.min_df = "1";
  if (name == "bounds") params.min_df = "3", params.max_df = "0.4";
  if (name == "share") params.min_df = "0.1", params.max_df = "12";
  if (name == "sublinear") params.min_df = "2", params.sublinear_tf = true;
  return params;
}

struct Fitted {
  TfidfFit fit;
  std::unique_ptr<CsrSource> rows;
};
Fitted fitted(const std::vector<std::string>& texts, const TfidfParams& params, Context ctx = {}) {
  const auto n = static_cast<int64_t>(texts.size());
  Fitted out;
  out.fit = tfidf_fit(n, texts_at(texts), params, {}, ctx);
  out.rows = tfidf_rows(out.fit.model, n, texts_at(texts), false, ctx);
  return out;
}

TEST(Tfidf, EqualsScikitLearn) {
  for (const testing::SklearnTfidf& truth : testing::kSklearnTfidf) {
    SCOPED_TRACE(truth.name);
    const Fitted ours = fitted(testing::kTexts, params_of(truth.name));
    ASSERT_EQ(ours.fit.model.vocabulary, truth.vocabulary);
    for (size_t j = 0; j < truth.idf.size(); ++j) EXPECT_NEAR(ours.fit.model.idf[j], truth.idf[j], 1e-12);
    BlockBuffer buffer;
    const CsrBlock block = ours.rows->read_csr(0, ours.rows->rows(), buffer);
    ASSERT_EQ(block.rows + 1, static_cast<int64_t>(truth.offsets.size()));
    for (size_t i = 0; i < truth.offsets.size(); ++i) ASSERT_EQ(block.offsets[i], truth.offsets[i]);
    for (size_t p = 0; p < truth.values.size(); ++p) {
      EXPECT_EQ(block.indices[p], truth.indices[p]);
      EXPECT_NEAR(block.values[p], truth.values[p], 1e-12);
    }
  }
}

// Enough texts for several pieces of work.
std::vector<std::string> many_texts() {
  std::vector<std::string> out;
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (int w = 0; w < i % 9; ++w) text += "w" + std::to_string((i * 31 + w * w * 17) % 400) + " ";
    out.push_back(text);
  }
  return out;
}

TEST(Tfidf, SameBitsForAnyThreadsAndMemory) {
  const std::vector<std::string> texts = many_texts();
  Context one, three, small;
  three.threads = 3;
  small.memory = 1 << 19;  // the rows go to a spool
  const Fitted a = fitted(texts, params_of("plain"), one);
  Context ctx;
  const auto content = measure(*a.rows, ctx).content;
  for (const Context& other : {three, small}) {
    const Fitted b = fitted(texts, params_of("plain"), other);
    EXPECT_EQ(a.fit.model.vocabulary, b.fit.model.vocabulary);
    EXPECT_EQ(a.fit.model.idf, b.fit.model.idf);
    EXPECT_EQ(measure(*b.rows, ctx).content, content);
  }
}

TEST(Tfidf, NewTextsUseTheOldVocabulary) {
  const std::vector<std::string> old{"red apple", "red pear", "red rose"};
  const std::vector<std::string> fresh{"blue apple apple", "blue", "RED"};
  Context ctx;
  const TfidfFit fit = tfidf_fit(3, texts_at(old), params_of("plain"), {}, ctx);
  const auto rows = tfidf_rows(fit.model, 3, texts_at(fresh), false, ctx);
  EXPECT_EQ(rows->names, (std::vector<std::string>{"apple", "pear", "red", "rose"}));
  EXPECT_EQ(read_row(*rows, 0), (std::vector<double>{1, 0, 0, 0}));
  EXPECT_EQ(read_row(*rows, 1), (std::vector<double>{0, 0, 0, 0}));
  EXPECT_EQ(read_row(*rows, 2), (std::vector<double>{0, 0, 1, 0}));
}

TEST(Tfidf, StopWordsByMeasureByNameAndByFile) {
  const std::vector<std::string> english{"how to sort a list in python", "what is the best way to sort a list",
                                         "why does my list not sort"};
  const std::vector<std::string> german{"wie sortiert man eine liste", "die beste liste", "warum sortiert man die liste"};
  Context ctx;
  TfidfParams params;
  EXPECT_TRUE(tfidf_fit(3, texts_at(english), params, {}, ctx).english);
  EXPECT_EQ(tfidf_fit(3, texts_at(english), params, {}, ctx).model.vocabulary, (std::vector<std::string>{"list", "sort"}));
  EXPECT_FALSE(tfidf_fit(3, texts_at(german), params, {}, ctx).english);
  params.stop_words = "words.txt";
  EXPECT_EQ(tfidf_fit(3, texts_at(german), params, {"die", "man"}, ctx).model.vocabulary, (std::vector<std::string>{"liste", "sortiert"}));
}

TEST(Tfidf, MostFrequentWordsWithTiesByCodePoint) {
  TfidfParams params = params_of("plain");
  params.max_features = 2;
  EXPECT_EQ(fitted({"c b a", "c c"}, params).fit.model.vocabulary, (std::vector<std::string>{"a", "c"}));
}

TEST(Tfidf, HostileTexts) {
  EXPECT_THROW(fitted({"", "...", "!!"}, params_of("plain")), Error);
  TfidfParams params = params_of("plain");
  for (const char* bad : {"0", "-1", "1.5", "half", "", "2e3", "nan"}) {
    params.min_df = bad;
    EXPECT_THROW(check_tfidf(params), Error) << bad;
  }
  const std::string long_text(1'000'000, 'x');
  const Fitted one = fitted({long_text + " good", "good", "<script>alert(1)</script>"}, params_of("plain"));
  EXPECT_EQ(one.fit.model.vocabulary, (std::vector<std::string>{"1", "alert", "good", "script"}));
  Context tight;
  tight.memory = 2000;
  try {
    fitted(many_texts(), params_of("plain"), tight);
    FAIL() << "more words than the budget holds";
  } catch (const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kMemory);
  }
}

}  // namespace
}  // namespace sluice
