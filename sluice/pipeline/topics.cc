#include "sluice/pipeline/topics.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "sluice/pipeline/row_files.h"
#include "sluice/pipeline/text_input.h"

namespace sluice {
namespace {

constexpr const char* kTitle = "Topics";
constexpr size_t kWords = 10;
constexpr size_t kExamples = 3;
constexpr size_t kExampleBytes = 160;

struct Topic {
  int64_t size = 0;
  std::string words;
  std::string examples;
};

// On one line, cut where it is long, at the edge of a character.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool space = static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
    if (space && (out.empty() || out.back() == ' ')) continue;
    out += space ? ' ' : c;
    if (out.size() > kExampleBytes) break;
  }
  if (out.size() > kExampleBytes) {
    while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80) out.pop_back();
    if (!out.empty()) out.pop_back();
    out += "\xE2\x80\xA6";
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

void add_row(const CsrBlock& row, std::vector<double>& to) {
  for (int64_t p = 0; p < row.count(0); ++p) to[static_cast<size_t>(row.indices[p])] += row.values[p];
}

std::vector<double> sum_of_all(const CsrSource& rows) {
  std::vector<double> sum(static_cast<size_t>(rows.cols()));
  BlockBuffer buffer;
  constexpr int64_t kStep = 4096;
  for (int64_t at = 0; at < rows.rows(); at += kStep) {
    const CsrBlock block = rows.read_csr(at, std::min(kStep, rows.rows() - at), buffer);
    for (int64_t p = 0; p < block.begin(block.rows); ++p) sum[static_cast<size_t>(block.indices[p])] += block.values[p];
  }
  return sum;
}

std::string top_words(const TextFeatures& text, const std::vector<double>& mine, const std::vector<double>& all, double size) {
  const double others = static_cast<double>(text.rows->rows()) - size;
  std::vector<std::pair<double, size_t>> excess;
  for (size_t j = 0; j < mine.size(); ++j) {
    if (!(mine[j] > 0)) continue;
    const double more = mine[j] / size - (others > 0 ? std::max(0.0, all[j] - mine[j]) / others : 0);
    if (more > 0) excess.emplace_back(-more, j);
  }
  const size_t count = std::min(kWords, excess.size());
  std::partial_sort(excess.begin(), excess.begin() + static_cast<std::ptrdiff_t>(count), excess.end());
  std::string out;
  for (size_t i = 0; i < count; ++i) out += (i > 0 ? "; " : "") + text.model.vocabulary[excess[i].second];
  return out;
}

std::string examples_of(const TextFeatures& text, const std::vector<int64_t>& members, const std::vector<double>& mine) {
  std::vector<std::pair<double, int64_t>> near;
  BlockBuffer buffer;
  for (const int64_t row : members) {
    const CsrBlock one = text.rows->read_csr(row, 1, buffer);
    double product = 0;
    for (int64_t p = 0; p < one.count(0); ++p) product = std::fma(one.values[p], mine[static_cast<size_t>(one.indices[p])], product);
    near.emplace_back(-product, row);
  }
  std::sort(near.begin(), near.end());
  std::string out;
  std::set<std::string> taken;
  for (size_t i = 0; i < near.size() && taken.size() < kExamples; ++i) {
    const std::string example = shown(text.texts->at(near[i].second));
    if (example.empty() || !taken.insert(example).second) continue;
    out += (out.empty() ? "" : " | ") + example;
  }
  return out;
}

std::vector<Topic> topics_of(const TextFeatures& text, const std::vector<int32_t>& labels) {
  std::vector<std::vector<int64_t>> members;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0) continue;
    if (static_cast<size_t>(labels[i]) >= members.size()) members.resize(static_cast<size_t>(labels[i]) + 1);
    members[static_cast<size_t>(labels[i])].push_back(static_cast<int64_t>(i));
  }
  const std::vector<double> all = sum_of_all(*text.rows);
  std::vector<double> mine(all.size());
  std::vector<Topic> out;
  BlockBuffer buffer;
  for (const std::vector<int64_t>& rows : members) {
    std::fill(mine.begin(), mine.end(), 0.0);
    for (const int64_t row : rows) add_row(text.rows->read_csr(row, 1, buffer), mine);
    out.push_back(
        {static_cast<int64_t>(rows.size()), top_words(text, mine, all, static_cast<double>(rows.size())), examples_of(text, rows, mine)});
  }
  return out;
}

std::string csv_of(const std::vector<Topic>& topics) {
  std::string out = "cluster,size,words,examples\n";
  for (size_t c = 0; c < topics.size(); ++c) {
    out += std::to_string(c) + "," + std::to_string(topics[c].size) + "," + csv_field(topics[c].words) + "," +
           csv_field(topics[c].examples) + "\n";
  }
  return out;
}

}  // namespace

void add_topics(Outcome& outcome, const Dataset& data, Context& ctx) {
  const std::vector<Topic> topics = topics_of(*data.text, all_labels(outcome, ctx));
  if (topics.empty()) return;
  OutcomeTable table;
  table.title = kTitle;
  table.note = "The words whose mean weight in a cluster exceeds that in all other texts most, and the texts nearest to its mean.";
  table.header = {"cluster", "size", "words", "examples"};
  for (size_t c = 0; c < topics.size(); ++c)
    table.rows.push_back({static_cast<int64_t>(c), topics[c].size, topics[c].words, topics[c].examples});
  outcome.tables.insert(outcome.tables.begin(), std::move(table));
  outcome.files.push_back({"topics.csv", [csv = csv_of(topics)](const auto& put) { put(csv); }});
}

std::string topics_text(const Outcome& outcome) {
  constexpr size_t kLines = 40;
  const auto table = std::find_if(outcome.tables.begin(), outcome.tables.end(), [](const OutcomeTable& t) { return t.title == kTitle; });
  if (table == outcome.tables.end()) return "";
  std::string out;
  for (size_t c = 0; c < std::min(kLines, table->rows.size()); ++c) {
    const auto& row = table->rows[c];
    out += "cluster " + std::to_string(c) + " (" + std::to_string(std::get<int64_t>(row[1])) + "): " + std::get<std::string>(row[2]) + "\n";
  }
  if (table->rows.size() > kLines) out += "and " + std::to_string(table->rows.size() - kLines) + " more in topics.csv\n";
  return out;
}

}  // namespace sluice
