#include "sluice/preprocess/stop_words.h"

#include <sstream>

#include "sluice/preprocess/tokenise.h"

namespace sluice {
namespace {

// Articles, pronouns, prepositions, conjunctions, auxiliaries and their contractions, question words, common adverbs.
constexpr const char* kEnglish =
    "a about above after again against all almost along already also although always am among an and another any anyone anything are "
    "aren't "
    "around as at away back be became because become been before being below between both but by can can't cannot could couldn't did "
    "didn't "
    "do does doesn't doing don't done down during each either else enough etc ever every everything few for from further get gets got had "
    "hadn't has hasn't have haven't having he he'd he'll he's her here here's hers herself him himself his how how's however i i'd i'll "
    "i'm "
    "i've if in instead into is isn't it it'd it'll it's its itself just least less let let's like made make many may maybe me might mine "
    "more most much must my myself neither never no nobody none nor not nothing now of off often on once one only onto or other others our "
    "ours ourselves out over own per perhaps please quite rather really same say says she she'd she'll she's should shouldn't since so "
    "some "
    "someone something sometimes still such than that that's the their theirs them themselves then there there's therefore these they "
    "they'd they'll they're they've this those though through thus to together too toward towards under until up upon us very via was "
    "wasn't we we'd we'll we're we've well were weren't what what's whatever when when's where where's whether which while who who's whom "
    "whose why why's will with within without won't would wouldn't yes yet you you'd you'll you're you've your yours yourself yourselves";

}  // namespace

const StopWords& english_stop_words() {
  static const StopWords kAll = [] {
    StopWords words;
    std::istringstream in(kEnglish);
    for (std::string word; in >> word;) words.insert(word);
    return words;
  }();
  return kAll;
}

StopWords stop_words_of(std::string_view text) {
  StopWords words;
  Tokeniser().words(text, [&](std::string_view word) { words.emplace(word); });
  return words;
}

}  // namespace sluice
