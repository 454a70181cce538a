// What an algorithm hands to whoever called it by name: the model, the numbers of its summary, and what belongs to the rows.
// The command line, the pipeline and Python turn this into files, tables and pages; an algorithm writes none of them.
#pragma once
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sluice/core/fold.h"
#include "sluice/core/matrix.h"
#include "sluice/core/model_file.h"
#include "sluice/core/text.h"

namespace sluice {

// Keys of `result` in summary.json, each with its value as JSON text.
class ResultKeys {
 public:
  void put(const std::string& key, double value) { json_[key] = json_number(value); }
  void put(const std::string& key, int64_t value) { json_[key] = to_text(value); }
  void put(const std::string& key, bool value) { json_[key] = value ? "true" : "false"; }
  void put(const std::string& key, const std::string& value) { json_[key] = json_quoted(value); }
  void put(const std::string& key, const char* value) { json_[key] = json_quoted(value); }
  void put(const std::string& key, std::nullopt_t) { json_[key] = "null"; }
  template <class T>
  void put(const std::string& key, const std::vector<T>& values) {
    std::string list = "[";
    for (const T& value : values) {
      if (list.size() > 1) list += ',';
      if constexpr (std::is_floating_point_v<T>) {
        list += json_number(value);
      } else if constexpr (std::is_same_v<T, std::string>) {
        list += json_quoted(value);
      } else {
        list += to_text(static_cast<int64_t>(value));
      }
    }
    json_[key] = list + "]";
  }
  void put_json(const std::string& key, std::string json) { json_[key] = std::move(json); }
  const std::map<std::string, std::string>& all() const { return json_; }

 private:
  std::map<std::string, std::string> json_;
};

// Lines with an optional band, for the page.
struct Figure {
  struct Line {
    std::string name;
    std::vector<double> x, y, low, high;  // low and high: the band, or empty
  };
  std::string title, x_name, y_name, note;
  std::vector<Line> lines;
  std::optional<double> marked_x;
};

// A small table for the page, e.g. the strongest rules; long ones belong into a file. A cell is text or a number.
struct OutcomeTable {
  std::string title, note;
  std::vector<std::string> header;
  std::vector<std::vector<std::variant<std::string, int64_t, double>>> rows;
};

// A file of its own, in a fixed order and written piece by piece, e.g. itemsets.csv. Only rank 0 calls `write`: what it needs all ranks hold.
struct OutcomeFile {
  std::string name;
  std::function<void(const std::function<void(std::string_view)>& put)> write;
};

// A further value, or `cols` of them, for every row of this rank: NAME.npy. `type` as numpy writes it: "<f8", "<i8", "<i4", "|u1".
struct OutcomeArray {
  std::string name, type;
  int64_t cols = 0;  // 0: one value a row, a vector
  int64_t first_row = 0, rows = 0;
  std::vector<std::byte> values;  // rows * max(cols, 1) of them
};

template <class T>
OutcomeArray outcome_array(std::string name, std::string type, int64_t cols, int64_t first_row, std::span<const T> values) {
  const auto bytes = std::as_bytes(values);
  return {std::move(name),
          std::move(type),
          cols,
          first_row,
          static_cast<int64_t>(values.size()) / std::max<int64_t>(cols, 1),
          {bytes.begin(), bytes.end()}};
}

// A tree of clusters for the page, e.g. HDBSCAN's condensed tree: branch i hangs from `parent` (-1: the root) between two levels.
struct OutcomeTree {
  struct Branch {
    int64_t parent = -1;
    double birth = 0, death = 0;  // levels, birth <= death
    int64_t size = 0;             // rows at birth
    int32_t label = -1;           // the cluster it was chosen as, or -1
  };
  std::string level_name;
  std::vector<Branch> branches;
};

struct Outcome {
  ModelFile model;  // empty tensors: nothing to apply later
  ResultKeys result;

  // Clusterers: a label a row (-1: noise), this rank's rows; and, where there are centres, the row-local distance to one's own.
  std::optional<RowColumn<int32_t>> labels;
  std::function<void(const MatrixBlock& rows, const int32_t* labels, double* out)> distances;
  std::function<void(const CsrBlock& rows, const int32_t* labels, double* out)> distances_csr;  // the same of sparse rows, or null
  Matrix<double> centers;                   // one row a cluster, in the units of the input; empty if the method has none
  std::vector<Matrix<double>> covariances;  // of the clusters, d x d each, where the method has them: drawn as ellipses
  OutcomeTree tree;                         // of the clusters, where the method has one

  // Reducers: the row-local map to embedding_cols columns; runs on any thread.
  int64_t embedding_cols = 0;
  std::function<void(const MatrixBlock& rows, double* out)> embed;
  std::function<void(const CsrBlock& rows, double* out)> embed_csr;       // the same of sparse rows, or null
  std::function<Matrix<double>(const Matrix<double>& embedded)> inverse;  // back to the input's columns, where there is a way

  // Reducers whose map is not row-local in the fit (t-SNE, UMAP): all rows of the map, on every rank. Instead of `embed`.
  Matrix<double> embedding;

  // Detectors: a score a row, higher is more anomalous; and the row-local score of any new row, on any thread, where there is one.
  std::optional<RowColumn<double>> scores;
  std::function<void(const MatrixBlock& rows, double* out)> score;

  std::vector<OutcomeArray> arrays;
  std::vector<OutcomeFile> files;
  std::vector<OutcomeTable> tables;
  std::vector<Figure> figures;
  std::vector<std::string> notes;  // sentences for people: what was decided and why
};

}  // namespace sluice
