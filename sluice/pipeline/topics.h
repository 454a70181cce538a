// What clusters of texts are about: the words that set each apart and the texts that stand for it.
#pragma once
#include <string>

#include "sluice/core/outcome.h"
#include "sluice/pipeline/input.h"

namespace sluice {

// For an outcome with labels over texts: adds topics.csv (cluster,size,words,examples) and the same as a table for the page. Words: the ten
// whose mean TF-IDF in the cluster exceeds the mean over all other texts most; examples: the three different texts most similar (cosine)
// to the cluster's mean. Ties to the word first in order, to the lower row. Cost O(non-zeros + clusters * words). Collective; the same on
// every rank.
void add_topics(Outcome& outcome, const Dataset& data, Context& ctx);

// The topics of an outcome for a terminal, a line a cluster, at most 40; "" where there are none.
std::string topics_text(const Outcome& outcome);

}  // namespace sluice
