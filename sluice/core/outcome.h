// What an algorithm hands to whoever called it by name: the model, the numbers of its summary, and what belongs to the rows.
// The command line, the pipeline and Python turn this into files, tables and pages; an algorithm writes none of them.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
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

struct Outcome {
  ModelFile model;  // empty tensors: nothing to apply later
  ResultKeys result;

  // Clusterers: a label a row (-1: noise), this rank's rows; and, where there are centres, the row-local distance to one's own.
  std::optional<RowColumn<int32_t>> labels;
  std::function<void(const MatrixBlock& rows, const int32_t* labels, double* out)> distances;
  Matrix<double> centers;  // one row a cluster, in the units of the input; empty if the method has none

  // Reducers: the row-local map to embedding_cols columns; runs on any thread.
  int64_t embedding_cols = 0;
  std::function<void(const MatrixBlock& rows, double* out)> embed;
  std::function<Matrix<double>(const Matrix<double>& embedded)> inverse;  // back to the input's columns, where there is a way

  // Detectors: a score a row, higher is more anomalous.
  std::optional<RowColumn<double>> scores;

  std::vector<Figure> figures;
  std::vector<std::string> notes;  // sentences for people: what was decided and why
};

}  // namespace sluice
