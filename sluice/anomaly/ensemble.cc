#include "sluice/anomaly/ensemble.h"

#include <algorithm>
#include <memory>

#include "sluice/anomaly/detector.h"
#include "sluice/anomaly/ecod.h"
#include "sluice/anomaly/gmm_density.h"
#include "sluice/anomaly/hdbscan_outliers.h"
#include "sluice/anomaly/isolation_forest.h"
#include "sluice/anomaly/knn_distance.h"
#include "sluice/anomaly/lof.h"
#include "sluice/anomaly/mahalanobis.h"
#include "sluice/anomaly/pca_error.h"

namespace sluice {
namespace {

struct Member {
  const char* name;
  Outcome (*run)(const Source& rows, Context& ctx);
  Outcome (*apply)(const ModelFile& file, const Source& rows, Context& ctx);
};

template <class P, Outcome (*Run)(const Source&, const P&, Context&)>
Outcome run_default(const Source& rows, Context& ctx) {
  return Run(rows, P{}, ctx);
}

// dbscan_noise is not among them: no eps suits by default.
constexpr Member kMembers[] = {
    {"isolation_forest", run_default<IsolationForestParams, isolation_forest_run>, isolation_forest_apply},
    {"ecod", run_default<EcodParams, ecod_run>, ecod_apply},
    {"knn", run_default<KnnDistanceParams, knn_distance_run>, knn_distance_apply},
    {"lof", run_default<LofParams, lof_run>, lof_apply},
    {"mahalanobis", run_default<MahalanobisParams, mahalanobis_run>, mahalanobis_apply},
    {"pca_error", run_default<PcaErrorParams, pca_error_run>, pca_error_apply},
    {"gmm_density", run_default<GmmDensityParams, gmm_density_run>, gmm_density_apply},
    {"hdbscan_outliers", run_default<HdbscanOutlierParams, hdbscan_outliers_run>, hdbscan_outliers_apply},
};

const Member* find_member(const std::string& name) {
  for (const Member& kind : kMembers) {
    if (name == kind.name) return &kind;
  }
  return nullptr;
}

std::vector<std::string> words_of(const std::string& list) {
  std::vector<std::string> words;
  for (size_t at = 0;;) {
    const size_t comma = list.find(',', at);
    words.push_back(list.substr(at, comma - at));
    if (comma == std::string::npos) return words;
    at = comma + 1;
  }
}

std::vector<const Member*> members_of(const std::string& list) {
  std::vector<const Member*> members;
  for (const std::string& word : words_of(list)) {
    const Member* kind = find_member(word);
    if (kind == nullptr) {
      std::string known;
      for (const std::string& name : ensemble_members()) known += (known.empty() ? "" : ", ") + name;
      fail(ErrorCode::kUsage, "--methods", "'" + word + "' is no member of an ensemble", "take some of " + known);
    }
    if (std::find(members.begin(), members.end(), kind) != members.end())
      fail(ErrorCode::kUsage, "--methods", word + " stands there twice", "name each once");
    members.push_back(kind);
  }
  if (members.size() < 2)
    fail(ErrorCode::kUsage, "--methods", "an ensemble has at least two members", "name another, or use --method " + list);
  return members;
}

// The share of `ascending` below the score, equal ones counting half.
double rank_of(const double* ascending, int64_t n, double score) {
  const auto [low, high] = std::equal_range(ascending, ascending + n, score);
  return static_cast<double>((low - ascending) + (high - ascending)) / (2 * static_cast<double>(n));
}

// What rows are scored by: the members, fitted or loaded, and their scores of the fit's rows.
struct Ensemble {
  std::vector<Outcome> members;
  Matrix<double> ascending;  // members x n
};

Outcome outcome_of(Ensemble made, const Source& rows, Context& ctx) {
  const auto ensemble = std::make_shared<const Ensemble>(std::move(made));
  const auto count = static_cast<double>(ensemble->members.size());
  const int64_t n = ensemble->ascending.cols;
  Outcome out;
  out.scores.emplace(leaf_range(rows.rows(), rows.cols(), ctx), 0.0);
  for (int64_t i = out.scores->first_row(); i < out.scores->last_row(); ++i) {
    double sum = 0;
    for (size_t m = 0; m < ensemble->members.size(); ++m)
      sum += rank_of(ensemble->ascending.row(static_cast<int64_t>(m)), n, (*ensemble->members[m].scores)[i]);
    (*out.scores)[i] = sum / count;
  }
  out.score = [ensemble, count, n](const MatrixBlock& block, double* to) {
    std::fill(to, to + block.rows, 0.0);
    std::vector<double> scores(static_cast<size_t>(block.rows));
    for (size_t m = 0; m < ensemble->members.size(); ++m) {
      ensemble->members[m].score(block, scores.data());
      for (int64_t r = 0; r < block.rows; ++r)
        to[r] += rank_of(ensemble->ascending.row(static_cast<int64_t>(m)), n, scores[static_cast<size_t>(r)]);
    }
    for (int64_t r = 0; r < block.rows; ++r) to[r] /= count;
  };
  return out;
}

// A member's model within the ensemble's: every name has the member's before it.
void put_member(ModelFile& file, const std::string& name, ModelFile member) {
  for (const auto& [key, value] : member.about) file.about[name + "." + key] = value;
  for (auto& [key, tensor] : member.tensors) file.tensors[name + "." + key] = std::move(tensor);
}

// Refuses before the first member is fitted what the last would not find room for: each leaves its rows, where it keeps them, in itself and
// in the model; and beside them stand the scores by every member, twice.
void check_memory(const std::vector<const Member*>& members, const Source& rows, Context& ctx) {
  const auto n = static_cast<double>(rows.rows()), d = static_cast<double>(rows.cols());
  double bytes = n * kScoreBytes;
  for (const Member* member : members) {
    const std::string_view name = member->name;
    const bool keeps = name == "ecod" || name == "knn" || name == "lof" || name == "hdbscan_outliers";
    bytes += n * 24 + (keeps ? n * (16 * d + 64) : 0);
  }
  require_left("ensemble", "the members' models, which hold " + to_text(rows.rows()) + " rows,", bytes, rows, ctx,
               "take a sample of the rows, or give a larger --memory");
}

ModelFile take_member(const ModelFile& file, const std::string& name) {
  ModelFile member;
  member.where = file.where;
  const std::string head = name + ".";
  for (const auto& [key, value] : file.about) {
    if (key.starts_with(head)) member.about[key.substr(head.size())] = value;
  }
  for (const auto& [key, tensor] : file.tensors) {
    if (key.starts_with(head)) member.tensors[key.substr(head.size())] = tensor;
  }
  return member;
}

}  // namespace

const std::vector<std::string>& ensemble_members() {
  static const std::vector<std::string> kAll = [] {
    std::vector<std::string> all;
    for (const Member& kind : kMembers) all.emplace_back(kind.name);
    return all;
  }();
  return kAll;
}

Outcome ensemble_run(const Source& rows, const EnsembleParams& params, Context& ctx) {
  const std::vector<const Member*> kinds = members_of(params.methods);
  require_rows(rows);
  check_memory(kinds, rows, ctx);
  Ensemble ensemble;
  ensemble.ascending = Matrix<double>(static_cast<int64_t>(kinds.size()), rows.rows());
  ModelFile file;
  file.about = {{"algorithm", "ensemble"}, {"methods", params.methods}};
  std::vector<std::string> notes;
  for (size_t m = 0; m < kinds.size(); ++m) {
    Outcome member = kinds[m]->run(rows, ctx);
    const std::vector<double> scores = gather(*member.scores, ctx);
    double* ascending = ensemble.ascending.row(static_cast<int64_t>(m));
    std::copy(scores.begin(), scores.end(), ascending);
    std::sort(ascending, ascending + scores.size());
    put_member(file, kinds[m]->name, std::move(member.model));
    member.model = {};
    for (const std::string& note : member.notes) notes.push_back(std::string(kinds[m]->name) + ": " + note);
    ensemble.members.push_back(std::move(member));
  }
  file.put("scores", ensemble.ascending);
  Outcome out = outcome_of(std::move(ensemble), rows, ctx);
  out.model = std::move(file);
  out.notes = std::move(notes);
  return out;
}

Outcome ensemble_apply(const ModelFile& file, const Source& rows, Context& ctx) {
  Ensemble ensemble;
  const std::vector<std::string> words = words_of(file.text("methods"));
  ensemble.ascending = file.matrix("scores");
  if (words.size() < 2 || ensemble.ascending.rows != static_cast<int64_t>(words.size()) || ensemble.ascending.cols < 1)
    file.damaged("its scores are not one row a member");
  for (int64_t m = 0; m < ensemble.ascending.rows; ++m) {
    if (!std::is_sorted(ensemble.ascending.row(m), ensemble.ascending.row(m) + ensemble.ascending.cols))
      file.damaged("the scores of a member do not ascend");
  }
  for (const std::string& word : words) {
    const Member* kind = find_member(word);
    if (kind == nullptr) file.damaged("it has a member that is not known here");
    ensemble.members.push_back(kind->apply(take_member(file, word), rows, ctx));
  }
  return outcome_of(std::move(ensemble), rows, ctx);
}

}  // namespace sluice
