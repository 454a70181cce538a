// Texts to sparse rows: how often each word of a vocabulary occurs in a text, weighed by how rare it is among the texts (TF-IDF).
// Use before clustering, search or truncated SVD of texts; not where meaning hangs on the order of words.
//
//   value(text, word) = tf * idf, then every row made length 1;  tf = count, or 1 + ln count;  idf = ln((1 + n) / (1 + df)) + 1
// with n texts and df of them holding the word: scikit-learn's TfidfVectorizer with smooth_idf and norm l2, on words as tokenise.h finds
// them. The vocabulary stands in the order of code points.
//
// Determinism: counts are integers, ln is core/math.h's; same bits for any threads, ranks, memory and CPU, and the same version of Unicode.
// Cost: two passes over the texts to fit and fill, O(bytes). Memory: the distinct words (fit), 12 bytes a value (rows; on disk beyond
// a quarter of the budget), 8 bytes a text.
// Sparck Jones 1972, doi:10.1108/eb026526; Salton and Buckley 1988, doi:10.1016/0306-4573(88)90021-0.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sluice/core/csr.h"
#include "sluice/core/params.h"
#include "sluice/preprocess/stop_words.h"

namespace sluice {

struct TfidfParams {
  std::string min_df = "2";
  std::string max_df = "1.0";
  std::optional<int64_t> max_features;
  bool sublinear_tf = false;
  std::string stop_words = "auto";

  template <class Visitor>
  void describe(Visitor&& v) {
    v(min_df, "min_df", Text{}, "Leave out words in fewer texts; a share if it has a point, else a count.", "1");
    v(max_df, "max_df", Text{}, "Leave out words in more texts; a share if it has a point, else a count.");
    v(max_features, "max_features", Range<int64_t>{1, (int64_t{1} << 31) - 1}, "Keep the most frequent words only; auto: all.", "None");
    v(sublinear_tf, "sublinear_tf", Flag{}, "Weigh a word that occurs c times in a text by 1 + ln c.");
    v(stop_words, "stop_words", ChoiceOrFile{{"auto", "english", "none"}},
      "Words to leave out; a file holds them, one a line; auto: English ones where the texts are English.", "None");
  }
};

// Throws Error{kUsage} where min_df or max_df is neither a share nor a count.
void check_tfidf(const TfidfParams& params);

struct TfidfModel {
  std::vector<std::string> vocabulary;  // ascending by code point
  std::vector<double> idf;              // one a word
  bool sublinear_tf = false;
};

struct TfidfFit {
  TfidfModel model;
  int64_t n_words = 0;       // in all texts
  int64_t n_distinct = 0;    // of them
  double english_share = 0;  // of the words that English stop words are
  bool english = false;      // they were left out
};

using TextAt = std::function<std::string_view(int64_t row)>;  // any thread may call

// `own`: the stop words where params.stop_words names a file. Every rank computes the same.
// Throws Error{kBadInput} when no word is left, Error{kMemory} when the distinct words take more than a quarter of the budget.
TfidfFit tfidf_fit(int64_t n, const TextAt& texts, const TfidfParams& params, const StopWords& own, Context& ctx);

// The rows of texts under a fitted vocabulary; words outside it count for nothing, a text without any is a row of zeros. Names are the words.
// narrow: values rounded to float32. Not measured yet.
std::unique_ptr<CsrSource> tfidf_rows(const TfidfModel& model, int64_t n, const TextAt& texts, bool narrow, Context& ctx);

}  // namespace sluice
