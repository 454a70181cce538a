#include "sluice/metrics/agreement.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "sluice/core/error.h"
#include "sluice/core/exact_sum.h"
#include "sluice/core/math.h"

namespace sluice {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

struct PairHash {
  size_t operator()(const std::pair<int64_t, int64_t>& pair) const {
    uint64_t h =
        static_cast<uint64_t>(pair.first) * 0x9E3779B97F4A7C15u ^ (static_cast<uint64_t>(pair.second) + 0x7F4A7C15u) * 0xC2B2AE3D27D4EB4Fu;
    h ^= h >> 32;
    return static_cast<size_t>(h * 0x9E3779B97F4A7C15u);
  }
};

Contingency sorted(std::vector<Contingency::Cell> cells) {
  std::sort(cells.begin(), cells.end(),
            [](const auto& a, const auto& b) { return std::tie(a.truth, a.label) < std::tie(b.truth, b.label); });
  Contingency table;
  for (const auto& cell : cells) {
    if (!table.cells.empty() && table.cells.back().truth == cell.truth && table.cells.back().label == cell.label) {
      table.cells.back().count += cell.count;
    } else {
      table.cells.push_back(cell);
    }
  }
  return table;
}

template <class T>
Contingency count(std::span<const int64_t> truth, std::span<const T> labels) {
  if (truth.size() != labels.size()) {
    fail(ErrorCode::kBadInput, "labels", std::to_string(labels.size()) + " labels against " + std::to_string(truth.size()),
         "give one label a row on either side");
  }
  std::unordered_map<std::pair<int64_t, int64_t>, int64_t, PairHash> counts;
  for (size_t i = 0; i < truth.size(); ++i) ++counts[{truth[i], static_cast<int64_t>(labels[i])}];
  std::vector<Contingency::Cell> cells;
  cells.reserve(counts.size());
  for (const auto& [pair, n] : counts) cells.push_back({pair.first, pair.second, n});
  return sorted(std::move(cells));
}

// The table with its margins; a cell knows its row and column by number.
struct Margins {
  std::vector<int64_t> classes;
  std::vector<int64_t> clusters;
  std::vector<size_t> class_of;  // of each cell
  std::vector<size_t> cluster_of;
  int64_t rows = 0;
};

Margins margins_of(const Contingency& table) {
  Margins m;
  std::map<int64_t, size_t> cluster_number;
  for (const auto& cell : table.cells) cluster_number.emplace(cell.label, 0);
  size_t next = 0;
  for (auto& [label, number] : cluster_number) number = next++;
  m.clusters.resize(next);
  for (size_t i = 0; i < table.cells.size(); ++i) {
    const auto& cell = table.cells[i];
    if (i == 0 || table.cells[i - 1].truth != cell.truth) m.classes.push_back(0);
    if (cell.count < 1 || cell.count >= (int64_t{1} << 62) - m.rows) {
      fail(ErrorCode::kBadInput, "labels", "the table of labels holds counts that are not positive, or 2^62 rows",
           "give a table of counts");
    }
    m.classes.back() += cell.count;
    m.class_of.push_back(m.classes.size() - 1);
    m.cluster_of.push_back(cluster_number[cell.label]);
    m.clusters[m.cluster_of.back()] += cell.count;
    m.rows += cell.count;
  }
  return m;
}

// sum (s / n) log(n / s)
double entropy(const std::vector<int64_t>& sizes, int64_t rows) {
  const auto n = static_cast<double>(rows);
  ExactSum sum;
  for (const int64_t size : sizes) {
    const auto s = static_cast<double>(size);
    sum.add(s / n * log64(n / s));
  }
  return sum.value();
}

double mutual_information(const Contingency& table, const Margins& m) {
  if (m.classes.size() < 2 || m.clusters.size() < 2) return 0;
  const auto n = static_cast<double>(m.rows);
  ExactSum sum;
  for (size_t i = 0; i < table.cells.size(); ++i) {
    const auto nij = static_cast<double>(table.cells[i].count);
    const double ratio = (nij / static_cast<double>(m.classes[m.class_of[i]])) * (n / static_cast<double>(m.clusters[m.cluster_of[i]]));
    const double term = nij / n * log64(ratio);
    if (std::fabs(term) >= kEpsilon) sum.add(term);
  }
  return std::max(0.0, sum.value());
}

__extension__ using Wide = unsigned __int128;

double adjusted_rand(const Contingency& table, const Margins& m) {
  Wide together = 0, class_pairs = 0, cluster_pairs = 0;
  for (const auto& cell : table.cells) together += Wide(static_cast<uint64_t>(cell.count)) * static_cast<uint64_t>(cell.count - 1);
  for (const int64_t s : m.classes) class_pairs += Wide(static_cast<uint64_t>(s)) * static_cast<uint64_t>(s - 1);
  for (const int64_t s : m.clusters) cluster_pairs += Wide(static_cast<uint64_t>(s)) * static_cast<uint64_t>(s - 1);
  const Wide all = Wide(static_cast<uint64_t>(m.rows)) * static_cast<uint64_t>(m.rows - 1);
  if (class_pairs == together && cluster_pairs == together) return 1;
  const auto tp = static_cast<double>(together);
  const auto fn = static_cast<double>(class_pairs - together);
  const auto fp = static_cast<double>(cluster_pairs - together);
  const auto tn = static_cast<double>(all - class_pairs - cluster_pairs + together);
  // tp tn - fn fp to the last bits (Kahan): near 0 the two products cancel.
  const double product = fn * fp;
  const double lost = std::fma(-fn, fp, product);
  const double numerator = std::fma(tp, tn, -product) + lost;
  return 2 * numerator / ((tp + fn) * (fn + tn) + (tp + fp) * (fp + tn));
}

double purity(const Contingency& table, const Margins& m) {
  std::vector<int64_t> largest(m.clusters.size());
  for (size_t i = 0; i < table.cells.size(); ++i) largest[m.cluster_of[i]] = std::max(largest[m.cluster_of[i]], table.cells[i].count);
  int64_t sum = 0;
  for (const int64_t size : largest) sum += size;
  return static_cast<double>(sum) / static_cast<double>(m.rows);
}

// The mean of (x / n) log(n x / (a b)) for an overlap x of sets of a and b among n.
double expected_term(int64_t a, int64_t b, int64_t n) {
  constexpr double kNegligible = 1e-25;
  const int64_t low = std::max<int64_t>(0, a + b - n);
  const int64_t high = std::min(a, b);
  const auto mode_at =
      static_cast<int64_t>((Wide(static_cast<uint64_t>(a + 1)) * static_cast<uint64_t>(b + 1)) / static_cast<uint64_t>(n + 2));
  const int64_t mode = std::clamp(mode_at, low, high);
  const auto value = [&](int64_t x) {
    if (x == 0) return 0.0;
    const auto overlap = static_cast<double>(x);
    return overlap / static_cast<double>(n) * log64((overlap / static_cast<double>(a)) * (static_cast<double>(n) / static_cast<double>(b)));
  };
  double weights = 1;
  double sum = value(mode);
  double weight = 1;
  for (int64_t x = mode; x < high && weight > kNegligible; ++x) {
    weight *=
        static_cast<double>(a - x) * static_cast<double>(b - x) / (static_cast<double>(x + 1) * static_cast<double>(n - a - b + x + 1));
    weights += weight;
    sum += weight * value(x + 1);
  }
  weight = 1;
  for (int64_t x = mode; x > low && weight > kNegligible; --x) {
    weight *=
        static_cast<double>(x) * static_cast<double>(n - a - b + x) / (static_cast<double>(a - x + 1) * static_cast<double>(b - x + 1));
    weights += weight;
    sum += weight * value(x - 1);
  }
  return sum / weights;
}

double adjusted_mutual_information(double mi, double mean_entropy, const Margins& m) {
  if (m.classes.size() < 2 || m.clusters.size() < 2) return m.classes.size() == m.clusters.size() ? 1 : 0;
  const double expected = expected_mutual_information(m.classes, m.clusters);
  // Neither side may be 0 (a perfect match has 0 / 0); scikit-learn's guard.
  const auto away = [](double x) { return x < 0 ? std::min(x, -kEpsilon) : std::max(x, kEpsilon); };
  const double denominator = away(mean_entropy - expected);
  const double numerator = mi - expected;
  return (std::fabs(numerator) < kEpsilon && std::fabs(denominator) <= kEpsilon ? away(numerator) : numerator) / denominator;
}

}  // namespace

Contingency contingency(std::span<const int64_t> truth, std::span<const int64_t> labels) {
  return count(truth, labels);
}
Contingency contingency(std::span<const int64_t> truth, std::span<const int32_t> labels) {
  return count(truth, labels);
}

Contingency add_over_ranks(const Contingency& mine, Context& ctx) {
  if (ctx.ranks() == 1) return mine;
  ByteWriter out;
  out.put_all(std::span<const Contingency::Cell>(mine.cells));
  std::vector<Contingency::Cell> cells;
  for (const Bytes& bytes : ctx.comm->all_gather(out.take())) {
    ByteReader in(bytes);
    const auto part = in.get_all<Contingency::Cell>();
    in.expect_end();
    cells.insert(cells.end(), part.begin(), part.end());
  }
  return sorted(std::move(cells));
}

double expected_mutual_information(std::span<const int64_t> class_sizes, std::span<const int64_t> cluster_sizes) {
  int64_t n = 0;
  std::map<int64_t, int64_t> classes, clusters;  // size -> how many have it
  for (const int64_t size : class_sizes) ++classes[size], n += size;
  for (const int64_t size : cluster_sizes) ++clusters[size];
  ExactSum sum;
  for (const auto& [a, times_a] : classes) {
    for (const auto& [b, times_b] : clusters) sum.add(static_cast<double>(times_a) * static_cast<double>(times_b) * expected_term(a, b, n));
  }
  return sum.value();
}

Agreement agreement(const Contingency& table) {
  Agreement out;
  if (table.cells.empty()) return out;
  const Margins m = margins_of(table);
  const double class_entropy = entropy(m.classes, m.rows);
  const double cluster_entropy = entropy(m.clusters, m.rows);
  const double mi = mutual_information(table, m);
  const double mean = 0.5 * (class_entropy + cluster_entropy);
  out.ari = adjusted_rand(table, m);
  out.nmi = m.classes.size() == 1 && m.clusters.size() == 1 ? 1 : mi == 0 ? 0 : mi / mean;
  out.ami = adjusted_mutual_information(mi, mean, m);
  out.homogeneity = class_entropy > 0 ? mi / class_entropy : 1;
  out.completeness = cluster_entropy > 0 ? mi / cluster_entropy : 1;
  const double both = out.homogeneity + out.completeness;
  out.v_measure = both == 0 ? 0 : 2 * out.homogeneity * out.completeness / both;
  out.purity = purity(table, m);
  return out;
}

}  // namespace sluice
