#include "sluice/curate/select.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sluice/core/error.h"
#include "sluice/core/fold.h"
#include "sluice/core/normalised.h"
#include "sluice/core/text.h"

namespace sluice {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Rows with their distance to their own centre, a leaf at a time, in either form.
struct Measured {
  const RowColumn<int32_t>* labels;
  const Outcome* clusters;

  std::vector<double> distances(const MatrixBlock& leaf) const { return by(clusters->distances, leaf); }
  std::vector<double> distances(const CsrBlock& leaf) const { return by(clusters->distances_csr, leaf); }

 private:
  template <class F, class B>
  std::vector<double> by(const F& f, const B& leaf) const {
    std::vector<double> out(static_cast<size_t>(leaf.rows));
    f(leaf, labels->at(leaf.first_row), out.data());
    return out;
  }
};

// Of each cluster the rows it has, and the nearest one of weight above 0.
class NearestState {
 public:
  NearestState(Measured rows, int64_t clusters)
      : rows_(rows), distance(static_cast<size_t>(clusters), kInfinity), row(distance.size(), -1), count(distance.size(), 0) {}
  void accumulate(const MatrixBlock& leaf) { take(leaf); }
  void accumulate(const CsrBlock& leaf) { take(leaf); }
  void merge(NearestState&& other) {
    for (size_t c = 0; c < row.size(); ++c) {
      offer(c, other.distance[c], other.row[c]);
      count[c] += other.count[c];
    }
  }
  void save(ByteWriter& out) const {
    out.put_all(std::span<const double>(distance));
    out.put_all(std::span<const int64_t>(row));
    out.put_all(std::span<const int64_t>(count));
  }
  void load(ByteReader& in) {
    distance = in.get_all<double>();
    row = in.get_all<int64_t>();
    count = in.get_all<int64_t>();
  }
  int64_t bytes() const { return static_cast<int64_t>(row.size()) * 24; }

 private:
  Measured rows_;

 public:
  std::vector<double> distance;
  std::vector<int64_t> row, count;

 private:
  template <class B>
  void take(const B& leaf) {
    const std::vector<double> far = rows_.distances(leaf);
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const auto c = static_cast<size_t>((*rows_.labels)[leaf.first_row + i]);
      ++count[c];
      if (leaf.weight(i) > 0) offer(c, far[static_cast<size_t>(i)], leaf.first_row + i);
    }
  }
  void offer(size_t c, double far, int64_t at) {
    if (at < 0 || (row[c] >= 0 && (far > distance[c] || (far == distance[c] && at > row[c])))) return;
    distance[c] = far;
    row[c] = at;
  }
};

// Under cosine a row lies on its own centre but for rounding.
constexpr double kSameDirection = 1e-10;

// The row of weight above 0 farthest from its own centre, ties the lowest; none where all such rows lie on theirs. A row without a direction
// can't be a centre under cosine.
class FarthestState {
 public:
  FarthestState(Measured rows, bool cosine) : rows_(rows), cosine_(cosine) {}
  void accumulate(const MatrixBlock& leaf) {
    std::vector<double> scratch(static_cast<size_t>(leaf.cols));
    take(leaf, [&](int64_t i) {
      const double* values = leaf.row(i, scratch.data());
      return std::any_of(values, values + leaf.cols, [](double x) { return x != 0; });
    });
  }
  void accumulate(const CsrBlock& leaf) {
    take(leaf, [&](int64_t i) { return leaf.count(i) > 0; });
  }
  void merge(FarthestState&& other) { offer(other.distance, other.row); }
  void save(ByteWriter& out) const {
    out.put(distance);
    out.put(row);
  }
  void load(ByteReader& in) {
    distance = in.get<double>();
    row = in.get<int64_t>();
  }
  int64_t bytes() const { return 16; }

 private:
  Measured rows_;
  bool cosine_;

 public:
  double distance = 0;
  int64_t row = -1;

 private:
  template <class B, class F>
  void take(const B& leaf, const F& has_direction) {
    const std::vector<double> far = rows_.distances(leaf);
    for (int64_t i = 0; i < leaf.rows; ++i) {
      if (leaf.weight(i) > 0 && (!cosine_ || has_direction(i))) offer(far[static_cast<size_t>(i)], leaf.first_row + i);
    }
  }
  void offer(double far, int64_t at) {
    if (at < 0 || !(far > (cosine_ ? kSameDirection : 0)) || (row >= 0 && (far < distance || (far == distance && at > row)))) return;
    distance = far;
    row = at;
  }
};

NearestState nearest_of(const Source& rows, const Outcome& clusters, Context& ctx) {
  return fold(rows, [&] { return NearestState({&*clusters.labels, &clusters}, clusters.centers.rows); }, ctx);
}

[[noreturn]] void refuse_budget(int64_t budget, int64_t there, const std::string& what) {
  fail(ErrorCode::kBadInput, "--budget", to_text(budget) + " rows are to be chosen and there are " + to_text(there) + " " + what,
       there < 1 ? "give some rows" : "ask for at most " + to_text(there));
}

// The clusters again with the first empty one's centre on the farthest row. That row leaves its centre, so the objective falls each time.
Outcome without_one_empty(const Source& rows, Outcome clusters, const NearestState& nearest, const SelectParams& params, Context& ctx) {
  const bool cosine = params.metric == KMeansMetric::kCosine;
  const FarthestState far = fold(rows, [&] { return FarthestState({&*clusters.labels, &clusters}, cosine); }, ctx);
  if (far.row < 0) {
    const auto there = std::count_if(nearest.row.begin(), nearest.row.end(), [](int64_t row) { return row >= 0; });
    refuse_budget(params.budget, there, cosine ? "distinct directions" : "distinct ones");
  }
  std::vector<double> values = read_row(rows, far.row);
  if (cosine) normalise(values.data(), rows.cols());
  const auto empty = std::find(nearest.row.begin(), nearest.row.end(), -1) - nearest.row.begin();
  std::copy(values.begin(), values.end(), clusters.centers.row(empty));
  clusters.model.put("cluster_centers", clusters.centers);
  Outcome again = kmeans_apply(clusters.model, rows, ctx);
  for (const auto& [key, value] : clusters.result.all()) {
    if (!again.result.all().contains(key)) again.result.put_json(key, value);  // of the fit: n_iter and others
  }
  again.notes = std::move(clusters.notes);
  again.model = std::move(clusters.model);
  return again;
}

}  // namespace

Selection select_rows(const Source& rows, const SelectParams& params, Context& ctx) {
  if (rows.rows() < params.budget) refuse_budget(params.budget, rows.rows(), "rows");
  KMeansParams kmeans;
  kmeans.n_clusters = params.budget;
  kmeans.metric = params.metric;
  kmeans.n_init = params.n_init;
  kmeans.max_iter = params.max_iter;
  Selection out;
  out.clusters = kmeans_run(rows, kmeans, ctx);
  for (;;) {
    NearestState nearest = nearest_of(rows, out.clusters, ctx);
    if (std::find(nearest.row.begin(), nearest.row.end(), -1) == nearest.row.end()) {
      out.row = std::move(nearest.row);
      out.distance = std::move(nearest.distance);
      out.stands_for = std::move(nearest.count);
      return out;
    }
    out.clusters = without_one_empty(rows, std::move(out.clusters), nearest, params, ctx);
  }
}

std::vector<int64_t> nearest_share(const std::vector<int32_t>& labels, const std::vector<double>& distances,
                                   const std::vector<int64_t>& chosen, double share) {
  std::vector<std::vector<int64_t>> members(chosen.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto c = static_cast<size_t>(labels[i]);
    if (static_cast<int64_t>(i) != chosen[c]) members[c].push_back(static_cast<int64_t>(i));
  }
  std::vector<int64_t> out;
  for (size_t c = 0; c < chosen.size(); ++c) {
    std::vector<int64_t>& rows = members[c];
    const auto all = static_cast<double>(rows.size() + 1);
    const auto take = std::max<int64_t>(std::llround(share * all), 1) - 1;  // beside the representative
    std::partial_sort(rows.begin(), rows.begin() + take, rows.end(), [&](int64_t a, int64_t b) {
      const double x = distances[static_cast<size_t>(a)], y = distances[static_cast<size_t>(b)];
      return x != y ? x < y : a < b;
    });
    out.push_back(chosen[c]);
    out.insert(out.end(), rows.begin(), rows.begin() + take);
  }
  std::sort(out.begin(), out.end());
  return out;
}

Outcome select_run(const Source& rows, const SelectParams& params, Context& ctx) {
  Selection chosen = select_rows(rows, params, ctx);
  Outcome out = std::move(chosen.clusters);
  out.model.about["algorithm"] = "select";
  out.model.put("representatives", std::span<const int64_t>(chosen.row));
  out.model.put("distances", std::span<const double>(chosen.distance));
  out.model.put("stands_for", std::span<const int64_t>(chosen.stands_for));
  const ResultKeys all = std::exchange(out.result, {});
  for (const char* key : {"inertia", "n_iter", "converged", "metric", "n_starts", "n_starts_agreed"}) {
    out.result.put_json(key, all.all().at(key));
  }
  out.result.put("budget", params.budget);
  out.result.put("n_selected", static_cast<int64_t>(chosen.row.size()));
  out.result.put("cluster_sizes", chosen.stands_for);
  return out;
}

void put_representatives(Outcome& selected, const ModelFile& model) {
  const std::vector<int64_t> chosen = model.integers("representatives");
  const RowColumn<int32_t>& labels = *selected.labels;
  std::vector<int64_t> stands;
  for (int64_t i = labels.first_row(); i < labels.last_row(); ++i) stands.push_back(chosen[static_cast<size_t>(labels[i])]);
  selected.arrays.push_back(outcome_array<int64_t>("representatives", "<i8", 0, labels.first_row(), stands));
}

Outcome select_apply(const ModelFile& model, const Source& rows, Context& ctx) {
  const std::vector<int64_t> chosen = model.integers("representatives"), sizes = model.integers("stands_for");
  const std::vector<double> distances = model.vector("distances");
  const auto centers = static_cast<size_t>(model.matrix("cluster_centers").rows);
  if (chosen.size() != centers || sizes.size() != centers || distances.size() != centers)
    model.damaged("it does not hold one representative a centre");
  constexpr int64_t kMost = int64_t{1} << 53;  // rows that a table can have
  for (size_t c = 0; c < centers; ++c) {
    if (chosen[c] < 0 || chosen[c] >= kMost || sizes[c] < 1 || sizes[c] > kMost || distances[c] < 0)
      model.damaged("a representative's row, size or distance can't be");
  }
  Outcome out = kmeans_apply(model, rows, ctx);
  put_representatives(out, model);
  return out;
}

}  // namespace sluice
