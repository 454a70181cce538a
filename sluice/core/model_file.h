// A model on disk: named tensors and a few words about them, in the safetensors format (github.com/huggingface/safetensors), which
// holds no code and which every deep learning tool reads. Tensors are named as scikit-learn's attributes without the underscore.
//
// Reading checks before it allocates: header bounded by the file, every tensor inside the data, no overlap or gap, sizes that fit the
// type. What the values mean is for each algorithm's own load() to check. Damage is Error{kBadModel}.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "sluice/core/bytes.h"
#include "sluice/core/matrix.h"

namespace sluice {

struct Tensor {
  std::string dtype;  // F64, I64, I32, U8 (as safetensors names them)
  std::vector<int64_t> shape;
  Bytes data;
  int64_t count() const;
};

struct ModelFile {
  std::map<std::string, std::string> about;  // "algorithm", "params" (JSON), "features" (JSON list of names), ...
  std::map<std::string, Tensor> tensors;
  std::string where = "model";  // for errors

  void put(const std::string& name, const Matrix<double>& values);
  void put(const std::string& name, std::span<const double> values);
  void put(const std::string& name, std::span<const int64_t> values);
  void put(const std::string& name, std::span<const uint8_t> values);

  bool has(const std::string& name) const { return tensors.contains(name); }
  // The named tensor in the shape asked for; Error{kBadModel} if it is missing or of another type, shape, or not finite.
  Matrix<double> matrix(const std::string& name) const;
  std::vector<double> vector(const std::string& name) const;
  std::vector<int64_t> integers(const std::string& name) const;
  std::vector<uint8_t> bytes(const std::string& name) const;
  const std::string& text(const std::string& key) const;
  [[noreturn]] void damaged(const std::string& why) const;

 private:
  const Tensor& find(const std::string& name, const std::string& dtype, size_t dims) const;
};

Bytes encode_model(const ModelFile& model);
ModelFile decode_model(std::span<const std::byte> file, const std::string& where);
ModelFile read_model(const std::string& path);  // Error{kIo} if it can't be read

}  // namespace sluice
