#include "sluice/core/model_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "sluice/core/model_parts.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

int64_t width_of(const std::string& dtype) {
  if (dtype == "F64" || dtype == "I64") return 8;
  if (dtype == "F32" || dtype == "I32") return 4;
  if (dtype == "U8") return 1;
  return 0;
}

template <class T>
Tensor tensor_of(std::string dtype, std::vector<int64_t> shape, std::span<const T> values) {
  const auto bytes = std::as_bytes(values);
  return {std::move(dtype), std::move(shape), Bytes(bytes.begin(), bytes.end())};
}

// The product of a shape, or -1 when it is negative somewhere or too large.
int64_t product(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t n : shape) {
    if (n < 0 || (n > 0 && count > (int64_t{1} << 58) / n)) return -1;
    count *= n;
  }
  return count;
}

template <class T>
std::vector<T> values_of(const Tensor& tensor) {
  std::vector<T> values(tensor.data.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), tensor.data.data(), values.size() * sizeof(T));
  return values;
}

// Refuses two equal keys in one object, of which the parser would keep the last.
Json parse_strictly(const std::string& text, const ModelFile& model) {
  constexpr int kDeepest = 3;
  std::array<std::set<std::string>, kDeepest + 1> keys;  // of the object open at each depth
  bool wrong = false;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (wrong || depth > kDeepest) {
      wrong = true;
      return false;  // nothing more is kept, however long or deep the rest is
    }
    const auto at = static_cast<size_t>(depth);
    if (event == Json::parse_event_t::object_start) keys[at].clear();
    if (event == Json::parse_event_t::key) wrong = !keys[at - 1].insert(value.get<std::string>()).second;
    return !wrong;
  };
  Json header = Json::parse(text, watch, false);
  if (wrong || header.is_discarded() || !header.is_object()) model.damaged("its header is not the JSON object it should be");
  return header;
}

Tensor read_tensor(const std::string& name, const Json& entry, std::span<const std::byte> data, size_t file_bytes, const ModelFile& model,
                   std::vector<std::pair<int64_t, int64_t>>& taken) {
  const std::string what = "tensor " + name;
  if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") || !entry["dtype"].is_string() || !entry.contains("shape") ||
      !entry["shape"].is_array() || !entry.contains("data_offsets") || !entry["data_offsets"].is_array() ||
      entry["data_offsets"].size() != 2) {
    model.damaged(what + " is not described as it should be");
  }
  Tensor tensor;
  tensor.dtype = entry["dtype"].get<std::string>();
  for (const Json& n : entry["shape"]) {
    if (!n.is_number_unsigned() || n.get<uint64_t>() > (uint64_t{1} << 58)) model.damaged(what + " has an impossible shape");
    tensor.shape.push_back(n.get<int64_t>());
  }
  for (const Json& n : entry["data_offsets"]) {
    if (!n.is_number_unsigned() || n.get<uint64_t>() > data.size()) model.damaged(what + " lies outside the file");
  }
  const auto begin = entry["data_offsets"][0].get<int64_t>();
  const auto end = entry["data_offsets"][1].get<int64_t>();
  const int64_t width = width_of(tensor.dtype);
  const int64_t count = product(tensor.shape);
  if (width == 0) model.damaged(what + " is of type " + tensor.dtype + ", which no model of ours holds");
  // A tensor without values still states its sides, and who loads it may believe them.
  const bool believable =
      std::all_of(tensor.shape.begin(), tensor.shape.end(), [&](int64_t n) { return n <= static_cast<int64_t>(file_bytes); });
  if (count < 0 || !believable || end < begin || count * width != end - begin)
    model.damaged(what + " has a shape that does not fit its bytes");
  taken.emplace_back(begin, end);
  tensor.data.assign(data.begin() + begin, data.begin() + end);
  return tensor;
}

void check_length(uint64_t header, size_t file, const std::string& where) {
  ModelFile model;
  model.where = where;
  if (file < 8) model.damaged("it is too short for a model");
  if (header > file - 8 || header > (uint64_t{100} << 20)) model.damaged("its header is longer than the file");
}

}  // namespace

int64_t Tensor::count() const {
  return product(shape);
}

void ModelFile::put(const std::string& name, const Matrix<double>& values) {
  tensors[name] = tensor_of<double>("F64", {values.rows, values.cols}, values.values);
}
void ModelFile::put(const std::string& name, std::span<const double> values) {
  tensors[name] = tensor_of<double>("F64", {static_cast<int64_t>(values.size())}, values);
}
void ModelFile::put(const std::string& name, std::span<const int64_t> values) {
  tensors[name] = tensor_of<int64_t>("I64", {static_cast<int64_t>(values.size())}, values);
}
void ModelFile::put(const std::string& name, std::span<const uint8_t> values) {
  tensors[name] = tensor_of<uint8_t>("U8", {static_cast<int64_t>(values.size())}, values);
}

void ModelFile::damaged(const std::string& why) const {
  fail(ErrorCode::kBadModel, where, why, "it was damaged or is of another program: fit the model again");
}

const Tensor& ModelFile::find(const std::string& name, const std::string& dtype, size_t dims) const {
  const auto found = tensors.find(name);
  if (found == tensors.end()) damaged("tensor " + name + " is missing");
  if (found->second.dtype != dtype || found->second.shape.size() != dims) damaged("tensor " + name + " is of another type or shape");
  return found->second;
}

Matrix<double> ModelFile::matrix(const std::string& name) const {
  const Tensor& tensor = find(name, "F64", 2);
  Matrix<double> out;
  out.rows = tensor.shape[0];
  out.cols = tensor.shape[1];
  out.values = values_of<double>(tensor);
  if (!std::all_of(out.values.begin(), out.values.end(), [](double x) { return std::isfinite(x); }))
    damaged("tensor " + name + " holds values that are not finite");
  return out;
}

std::vector<double> ModelFile::vector(const std::string& name) const {
  auto out = values_of<double>(find(name, "F64", 1));
  if (!std::all_of(out.begin(), out.end(), [](double x) { return std::isfinite(x); }))
    damaged("tensor " + name + " holds values that are not finite");
  return out;
}

std::vector<int64_t> ModelFile::integers(const std::string& name) const {
  return values_of<int64_t>(find(name, "I64", 1));
}

std::vector<uint8_t> ModelFile::bytes(const std::string& name) const {
  return values_of<uint8_t>(find(name, "U8", 1));
}

const std::string& ModelFile::text(const std::string& key) const {
  const auto found = about.find(key);
  if (found == about.end()) damaged("it does not say its " + key);
  return found->second;
}

void each_model_part(const ModelFile& model, const std::function<void(std::span<const std::byte>)>& put) {
  Json header = Json::object();
  header["__metadata__"] = model.about;
  int64_t at = 0;
  for (const auto& [name, tensor] : model.tensors) {
    const auto size = static_cast<int64_t>(tensor.data.size());
    header[name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {at, at + size}}};
    at += size;
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t length = text.size();
  put(std::as_bytes(std::span<const uint64_t>(&length, 1)));
  put(std::as_bytes(std::span<const char>(text)));
  for (const auto& [name, tensor] : model.tensors) put(tensor.data);
}

Bytes encode_model(const ModelFile& model) {
  ByteWriter out;
  each_model_part(model, [&](std::span<const std::byte> part) { out.put_raw(part); });
  return out.take();
}

ModelFile decode_model(std::span<const std::byte> file, const std::string& where) {
  ModelFile model;
  model.where = where;
  uint64_t length = 0;
  if (!file.empty()) std::memcpy(&length, file.data(), std::min<size_t>(8, file.size()));
  check_length(length, file.size(), where);
  const std::string text(reinterpret_cast<const char*>(file.data()) + 8, length);
  const auto data = file.subspan(8 + length);
  const Json header = parse_strictly(text, model);
  std::vector<std::pair<int64_t, int64_t>> taken;
  for (const auto& [name, entry] : header.items()) {
    if (name != "__metadata__") {
      model.tensors[name] = read_tensor(name, entry, data, file.size(), model, taken);
      continue;
    }
    if (!entry.is_object()) model.damaged("its description is not an object");
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) model.damaged("its description holds what is not text");
      model.about[key] = value.get<std::string>();
    }
  }
  std::sort(taken.begin(), taken.end());
  int64_t at = 0;
  for (const auto& [begin, end] : taken) {
    if (begin != at) model.damaged("its tensors overlap or leave gaps");
    at = end;
  }
  if (at != static_cast<int64_t>(data.size())) model.damaged("it ends too early or has bytes left over");
  return model;
}

ModelFile read_model(const std::string& path) {
  std::error_code error;
  const bool plain = std::filesystem::is_regular_file(path, error);  // opening a pipe would wait
  std::ifstream in;
  if (plain) in.open(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = in.is_open() ? static_cast<std::streamoff>(in.tellg()) : -1;
  if (size < 0) fail(ErrorCode::kIo, path, "the model can't be read", "check the path");
  uint64_t length = 0;  // looked at before the rest is read: any other large file is refused here
  in.seekg(0);
  in.read(reinterpret_cast<char*>(&length), std::min<std::streamsize>(size, 8));
  check_length(length, static_cast<size_t>(size), path);
  Bytes file(static_cast<size_t>(size));
  in.seekg(0);
  if (!in.read(reinterpret_cast<char*>(file.data()), size)) fail(ErrorCode::kIo, path, "reading the model failed", "check the disk");
  return decode_model(file, path);
}

}  // namespace sluice
