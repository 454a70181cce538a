#include "sluice/advise/advise.h"

#include <charconv>

#include "sluice/core/text.h"

namespace sluice {
namespace {

// Tuned on half of the sets, see docs/advise.md.
constexpr double kCredibleNoise = 0.37;  // HDBSCAN's clusters count where its noise is no more than this
constexpr double kMostInOne = 0.9;       // and its largest cluster no more than this share
constexpr double kClearNoise = 0.1;      // they show structure by themselves where noise is no more than this
constexpr double kAgree = 0.75;          // two clusterings say the same
constexpr double kBetter = 0.1;          // one agrees clearly better than another
constexpr double kMixtureAgrees = 0.6;
constexpr int64_t kFewRows = 20;  // too few to tell

std::string rounded(double x) {
  char buffer[64];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, x, std::chars_format::fixed, 2).ptr};
}
std::string percent(double share) {
  char buffer[64];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, 100 * share, std::chars_format::fixed, 0).ptr) + " %";
}

std::vector<Candidate> candidates_of(const Measured& found) {
  const std::string size = to_text(found.min_cluster_size), samples = to_text(found.min_samples);
  std::vector<Candidate> out;
  out.push_back({"kmeans", {{"n_clusters", to_text(std::max<int64_t>(1, found.k))}}});
  out.push_back(
      {"gmm", {{"n_components", to_text(std::max<int64_t>(1, found.components))}, {"covariance_type", "\"full\""}, {"n_init", "2"}}});
  if (found.eps > 0) out.push_back({"dbscan", {{"eps", json_number(found.eps)}, {"min_samples", to_text(found.dbscan_min_samples)}}});
  out.push_back({"hdbscan", {{"min_cluster_size", size}, {"min_samples", samples}}});
  out.push_back({"hdbscan", {{"min_cluster_size", size}, {"min_samples", samples}, {"cluster_selection_method", "\"leaf\""}}});
  return out;
}

bool credible(const Measured& found) {
  return found.density_clusters >= 2 && found.noise <= kCredibleNoise && found.largest <= kMostInOne;
}
bool same_as_kmeans(const Measured& found) {
  return found.agreement_kmeans >= kAgree;
}
bool mixture_fits_better(const Measured& found) {
  return found.agreement_mixture >= kMixtureAgrees && found.agreement_mixture > found.agreement_kmeans + kBetter;
}

std::string density_words(const Measured& found) {
  return "HDBSCAN finds " + to_text(found.density_clusters) + " clusters and calls " + percent(found.noise) + " of the rows noise";
}
std::string agreement_words(const Measured& found) {
  return "on the other rows the k-means clusters agree with them to " + rounded(found.agreement_kmeans) + " and the mixture's " +
         to_text(found.components) + " components to " + rounded(found.agreement_mixture) + " (adjusted Rand index)";
}

// The method for data with clusters; says why.
std::string clusterer(const Measured& found, std::vector<std::string>& reasons) {
  reasons.push_back(density_words(found) + (found.density_clusters > 0 ? "; " + agreement_words(found) : ""));
  if (credible(found) && !same_as_kmeans(found)) {
    reasons.push_back("hdbscan: its clusters are clear (noise " + percent(found.noise) + " is within " + percent(kCredibleNoise) +
                      ") and not compact (agreement " + rounded(found.agreement_kmeans) + " with k-means is below " + rounded(kAgree) +
                      ")");
    return "hdbscan";
  }
  if (mixture_fits_better(found)) {
    reasons.push_back("gmm: its components agree with the dense parts better than k-means does (" + rounded(found.agreement_mixture) +
                      " against " + rounded(found.agreement_kmeans) + "): groups overlap, or differ in spread");
    return "gmm";
  }
  if (found.density_clusters == 0 && found.components >= 2) {
    reasons.push_back("gmm: no dense part stands out, and the lowest BIC has " + to_text(found.components) + " components: groups overlap");
    return "gmm";
  }
  if (same_as_kmeans(found)) {
    reasons.push_back("kmeans: agreement " + rounded(found.agreement_kmeans) + " is at least " + rounded(kAgree) +
                      ": groups are compact, and k-means leaves no row out");
  } else {
    reasons.push_back("kmeans: no shape that HDBSCAN (noise " + percent(found.noise) + ") or the mixture (agreement " +
                      rounded(found.agreement_mixture) + ") would be better for");
  }
  return "kmeans";
}

void describe_table(const Measured& found, const TableFacts& table, std::vector<std::string>& reasons) {
  std::string words = to_text(found.rows) + " rows, " + to_text(table.columns) + " columns, " + to_text(table.text_columns) +
                      " of them text, " + to_text(table.missing_cells) + " missing cells: " + to_text(found.cols) + " columns of numbers";
  if (found.sample_rows < found.rows) words += "; measured on " + to_text(found.sample_rows) + " of the rows";
  reasons.push_back(words);
  if (table.missing_cells > 0)
    reasons.push_back("impute the median first: it does not follow outliers, and " + to_text(table.missing_cells) + " cells are missing");
  if (found.pca_columns > 0)
    reasons.push_back("reduce by PCA first: " + to_text(found.pca_columns) + " components of " + to_text(found.cols) +
                      " columns hold 95 % of the variance (or are the most worth taking), and distances in fewer columns tell more");
}

Candidate rules(const TableFacts& table, std::vector<std::string>& reasons) {
  reasons.push_back("eclat: " + to_text(table.text_columns) + " of " + to_text(table.columns) +
                    " columns are categories, and rules column=value say more of them than distances do");
  return {"eclat", {{"min_support", "0.1"}, {"rules", "true"}}};
}

}  // namespace

Advice advise(const Measured& found, const TableFacts& table) {
  Advice out;
  describe_table(found, table, out.reasons);
  out.candidates = candidates_of(found);
  // Not where rows coincide: piles of equal rows are dense for another reason.
  const bool dense = found.rows >= kFewRows && found.density_spread > 0 && credible(found) && found.noise <= kClearNoise;
  out.structure = found.spread && (found.structured || dense);
  if (!found.spread) {
    out.reasons.push_back("no cluster structure: all rows are equal");
  } else {
    out.reasons.push_back((found.structured ? "cluster structure: " : "no compact clusters: ") + std::string("the k-means curve lies ") +
                          rounded(found.excess) + " deviations beyond what is usual for data that is " + found.null + ", and " +
                          rounded(found.limit) + " are needed" +
                          (found.structured ? "; k = " + to_text(found.k) + ", silhouette " + rounded(found.silhouette) : ""));
    if (!found.structured && dense)
      out.reasons.push_back("cluster structure all the same: dense parts with only " + percent(found.noise) + " noise between them");
  }
  if (found.density_spread > 0)
    out.reasons.push_back("densities differ: distances to the " + to_text(found.dbscan_min_samples - 1) +
                          "th neighbour spread by a factor of " + rounded(found.density_spread) +
                          " from their 10 % to their 90 % quantile; one eps fits all where it is small");
  const bool categories = 2 * table.text_columns > table.columns;
  if (categories || (!out.structure && table.text_columns > 0)) {
    out.chosen = rules(table, out.reasons);
    return out;
  }
  std::string method;
  if (out.structure) {
    method = clusterer(found, out.reasons);
  } else {
    method = "gmm";
    out.reasons.push_back("gmm with " + to_text(std::max<int64_t>(1, found.components)) +
                          " components: there are no clusters to find, so take a density instead, to draw from and to score rows by");
  }
  for (const Candidate& candidate : out.candidates) {
    if (candidate.method == method && out.chosen.method.empty()) out.chosen = candidate;
  }
  return out;
}

}  // namespace sluice
