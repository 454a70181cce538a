// Words that say nothing of what a text is about. English ones are built in; other languages come from a file, one word a line.
#pragma once
#include <string>
#include <string_view>
#include <unordered_set>

namespace sluice {

using StopWords = std::unordered_set<std::string>;

// About 180 function words of English, folded as the tokeniser folds.
const StopWords& english_stop_words();

// The words of a text (valid UTF-8), folded as the tokeniser folds.
StopWords stop_words_of(std::string_view text);

}  // namespace sluice
