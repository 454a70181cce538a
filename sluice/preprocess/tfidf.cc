#include "sluice/preprocess/tfidf.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <unordered_map>

#include "sluice/core/error.h"
#include "sluice/core/fold.h"
#include "sluice/core/math.h"
#include "sluice/preprocess/tokenise.h"

namespace sluice {
namespace {

constexpr int64_t kTexts = 1024;        // of one piece of work
constexpr double kEnglishShare = 0.25;  // of the words; English prose has 0.4 to 0.5, titles 0.3, other languages below 0.1

struct Hash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
struct Counts {
  int64_t texts = 0;
  int64_t times = 0;
  int64_t last = -1;  // text it was seen in last
};
using WordCounts = std::unordered_map<std::string, Counts, Hash, std::equal_to<>>;

// A number of texts: a share of n if it has a point, else a count.
double bound_of(const std::string& text, int64_t n) {
  const double value = *parse_number<double>(text);
  return text.find('.') == std::string::npos ? value : value * static_cast<double>(n);
}

// All pieces of the texts, on this rank's threads: each rank does all of them.
void each_piece(int64_t n, Context& ctx, const std::function<void(int worker, int64_t piece, int64_t first, int64_t last)>& f,
                int64_t first_piece, int64_t last_piece) {
  Context alone = ctx;
  alone.comm = nullptr;
  for_each_leaf({kTexts, last_piece, first_piece, last_piece, n}, alone,
                [&](int worker, int64_t piece) { f(worker, piece, piece * kTexts, std::min(n, (piece + 1) * kTexts)); });
}

int64_t pieces_of(int64_t n) {
  return (n + kTexts - 1) / kTexts;
}

[[noreturn]] void too_many_words(int64_t most) {
  fail(ErrorCode::kMemory, "--text", "its distinct words take more than " + std::to_string(most >> 20) + " MiB",
       "raise --memory, or give fewer texts");
}

// Words of all texts with how often they occur. Integers, so whoever counts.
WordCounts count_words(int64_t n, const TextAt& texts, Context& ctx) {
  constexpr int64_t kOverhead = 96;  // of a word in the map
  const int64_t most = ctx.memory / 4;
  std::vector<WordCounts> counts(static_cast<size_t>(ctx.threads));
  std::vector<std::unique_ptr<Tokeniser>> tokenisers(static_cast<size_t>(ctx.threads));
  std::atomic<int64_t> bytes{0};
  each_piece(
      n, ctx,
      [&](int worker, int64_t, int64_t first, int64_t last) {
        auto& tokeniser = tokenisers[static_cast<size_t>(worker)];
        if (!tokeniser) tokeniser = std::make_unique<Tokeniser>();
        WordCounts& mine = counts[static_cast<size_t>(worker)];
        for (int64_t row = first; row < last; ++row) {
          tokeniser->words(texts(row), [&](std::string_view word) {
            auto found = mine.find(word);
            if (found == mine.end()) {
              found = mine.emplace(std::string(word), Counts{}).first;
              bytes += kOverhead + static_cast<int64_t>(word.size());
            }
            ++found->second.times;
            if (found->second.last != row) ++found->second.texts;
            found->second.last = row;
          });
          if (bytes > most) too_many_words(most);
        }
      },
      0, pieces_of(n));
  for (size_t w = 1; w < counts.size(); ++w) {
    for (const auto& [word, seen] : counts[w]) {
      Counts& to = counts[0][word];
      to.texts += seen.texts;
      to.times += seen.times;
    }
    counts[w] = {};
  }
  return std::move(counts[0]);
}

struct Kept {
  std::string word;
  Counts counts;
};

// The words that stay, ascending.
std::vector<Kept> chosen(const WordCounts& counts, const StopWords* stop, double low, double high, std::optional<int64_t> most) {
  std::vector<Kept> out;
  for (const auto& [word, seen] : counts) {
    const auto texts = static_cast<double>(seen.texts);
    if (texts < low || texts > high || (stop != nullptr && stop->contains(word))) continue;
    out.push_back({word, seen});
  }
  const auto by_word = [](const Kept& a, const Kept& b) { return a.word < b.word; };
  if (most && *most < static_cast<int64_t>(out.size())) {
    std::sort(out.begin(), out.end(), [&](const Kept& a, const Kept& b) {
      return a.counts.times != b.counts.times ? a.counts.times > b.counts.times : by_word(a, b);
    });
    out.resize(static_cast<size_t>(*most));
  }
  std::sort(out.begin(), out.end(), by_word);
  return out;
}

// Rows of one piece.
struct Piece {
  std::vector<int64_t> counts;
  std::vector<int32_t> indices;
  std::vector<double> values;
};

// One text's row, from the places of its words.
void add_row(const TfidfModel& model, std::vector<int32_t>& places, bool narrow, Piece& out) {
  std::sort(places.begin(), places.end());
  const size_t begin = out.values.size();
  double squares = 0;
  for (size_t at = 0; at < places.size();) {
    size_t end = at;
    while (end < places.size() && places[end] == places[at]) ++end;
    const auto count = static_cast<double>(end - at);
    const double tf = model.sublinear_tf ? log64(count) + 1 : count;
    out.indices.push_back(places[at]);
    out.values.push_back(tf * model.idf[static_cast<size_t>(places[at])]);
    squares = std::fma(out.values.back(), out.values.back(), squares);
    at = end;
  }
  const double length = std::sqrt(squares);
  for (size_t p = begin; p < out.values.size(); ++p) {
    out.values[p] /= length;
    if (narrow) out.values[p] = static_cast<float>(out.values[p]);
  }
  out.counts.push_back(static_cast<int64_t>(out.values.size() - begin));
}

}  // namespace

void check_tfidf(const TfidfParams& params) {
  for (const auto& [name, text] : {std::pair{"--min-df", params.min_df}, std::pair{"--max-df", params.max_df}}) {
    const bool share = text.find('.') != std::string::npos;
    const auto value = parse_number<double>(text);
    const bool good = value && (share ? *value >= 0 && *value <= 1 : *value >= 1 && parse_number<int64_t>(text).has_value());
    if (!good) fail(ErrorCode::kUsage, name, "'" + text + "' is not a value for it", "give a share as 0.5, or a count as 5");
  }
}

TfidfFit tfidf_fit(int64_t n, const TextAt& texts, const TfidfParams& params, const StopWords& own, Context& ctx) {
  check_tfidf(params);
  const double low = bound_of(params.min_df, n), high = bound_of(params.max_df, n);
  ctx.stage("words");
  const WordCounts counts = count_words(n, texts, ctx);
  TfidfFit fit;
  int64_t english = 0;
  for (const auto& [word, seen] : counts) {
    fit.n_words += seen.times;
    if (english_stop_words().contains(word)) english += seen.times;
  }
  fit.n_distinct = static_cast<int64_t>(counts.size());
  fit.english_share = fit.n_words == 0 ? 0 : static_cast<double>(english) / static_cast<double>(fit.n_words);
  fit.english = params.stop_words == "english" || (params.stop_words == "auto" && fit.english_share >= kEnglishShare);
  const bool from_file = params.stop_words != "english" && params.stop_words != "auto" && params.stop_words != "none";
  const StopWords* stop = fit.english ? &english_stop_words() : from_file ? &own : nullptr;
  fit.model.sublinear_tf = params.sublinear_tf;
  for (Kept& kept : chosen(counts, stop, low, high, params.max_features)) {
    fit.model.vocabulary.push_back(std::move(kept.word));
    fit.model.idf.push_back(log64(static_cast<double>(n + 1) / static_cast<double>(kept.counts.texts + 1)) + 1);
  }
  if (fit.model.vocabulary.empty()) {
    fail(ErrorCode::kBadInput, "--text",
         "no word is left: " + std::to_string(n) + " texts hold " + std::to_string(fit.n_distinct) + " distinct words, and none is in " +
             params.min_df + " to " + params.max_df + " of them and no stop word",
         "lower --min-df, raise --max-df, or name another column");
  }
  if (fit.model.vocabulary.size() >= (size_t{1} << 31)) too_many_words(ctx.memory / 4);
  return fit;
}

std::unique_ptr<CsrSource> tfidf_rows(const TfidfModel& model, int64_t n, const TextAt& texts, bool narrow, Context& ctx) {
  std::unordered_map<std::string_view, int32_t> place;
  place.reserve(model.vocabulary.size());
  for (size_t j = 0; j < model.vocabulary.size(); ++j) place.emplace(model.vocabulary[j], static_cast<int32_t>(j));
  StoreOptions options = store_options(ctx);
  options.to_file = false;  // every rank makes its own
  CsrStore store(options);
  std::vector<std::unique_ptr<Tokeniser>> tokenisers(static_cast<size_t>(ctx.threads));
  const int64_t pieces = pieces_of(n);
  const int64_t window = 4 * ctx.threads;
  ctx.stage("rows of words", pieces);
  for (int64_t first = 0; first < pieces; first += window) {
    const int64_t last = std::min(pieces, first + window);
    std::vector<Piece> made(static_cast<size_t>(last - first));
    each_piece(
        n, ctx,
        [&](int worker, int64_t piece, int64_t from, int64_t to) {
          auto& tokeniser = tokenisers[static_cast<size_t>(worker)];
          if (!tokeniser) tokeniser = std::make_unique<Tokeniser>();
          std::vector<int32_t> places;
          for (int64_t row = from; row < to; ++row) {
            places.clear();
            tokeniser->words(texts(row), [&](std::string_view word) {
              if (const auto found = place.find(word); found != place.end()) places.push_back(found->second);
            });
            add_row(model, places, narrow, made[static_cast<size_t>(piece - first)]);
          }
        },
        first, last);
    for (const Piece& piece : made) {
      size_t at = 0;
      for (const int64_t count : piece.counts) {
        store.append(std::span(piece.indices).subspan(at, static_cast<size_t>(count)),
                     std::span(piece.values).subspan(at, static_cast<size_t>(count)));
        at += static_cast<size_t>(count);
      }
    }
    ctx.step(last);
  }
  auto rows = store.finish(static_cast<int64_t>(model.vocabulary.size()));
  rows->names = model.vocabulary;
  return rows;
}

}  // namespace sluice
