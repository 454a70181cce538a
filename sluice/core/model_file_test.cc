#include "sluice/core/model_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>

#include "sluice/core/error.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

ModelFile example() {
  ModelFile model;
  model.about = {{"algorithm", "kmeans"}, {"params", R"({"n_clusters":2})"}};
  Matrix<double> centers(2, 3);
  for (size_t i = 0; i < 6; ++i) centers.values[i] = 0.1 * static_cast<double>(i) - 0.2;
  model.put("cluster_centers", centers);
  const std::vector<double> mean = {1.5, -2.5};
  model.put("mean", std::span<const double>(mean));
  const std::vector<int64_t> sizes = {7, int64_t{1} << 60};
  model.put("sizes", std::span<const int64_t>(sizes));
  const std::vector<uint8_t> flags = {1, 0, 255};
  model.put("flags", std::span<const uint8_t>(flags));
  model.put("none", Matrix<double>(0, 3));
  return model;
}

Bytes file_of(const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  Bytes bytes(8 + header.size() + data_bytes);
  std::memcpy(bytes.data(), &length, 8);
  std::memcpy(bytes.data() + 8, header.data(), header.size());
  return bytes;
}

// True when refused as damaged; false when it decodes to something.
bool refused(std::span<const std::byte> file) {
  try {
    const ModelFile model = decode_model(file, "test");
    for (const auto& [name, tensor] : model.tensors) EXPECT_GE(tensor.count(), 0);
  } catch (const Error& e) {
    EXPECT_EQ(e.code, ErrorCode::kBadModel);
    return true;
  }
  return false;
}

TEST(ModelFile, RoundTrip) {
  const ModelFile model = example();
  const Bytes bytes = encode_model(model);
  const ModelFile back = decode_model(bytes, "here");
  EXPECT_EQ(back.where, "here");
  EXPECT_EQ(back.about, model.about);
  EXPECT_EQ(back.tensors.size(), model.tensors.size());
  EXPECT_EQ(back.matrix("cluster_centers"), model.matrix("cluster_centers"));
  EXPECT_EQ(back.vector("mean"), (std::vector<double>{1.5, -2.5}));
  EXPECT_EQ(back.integers("sizes"), (std::vector<int64_t>{7, int64_t{1} << 60}));
  EXPECT_EQ(back.bytes("flags"), (std::vector<uint8_t>{1, 0, 255}));
  EXPECT_EQ(back.matrix("none").cols, 3);
  EXPECT_EQ(back.text("algorithm"), "kmeans");
  EXPECT_EQ(encode_model(back), bytes) << "the same model, the same bytes";
}

TEST(ModelFile, AsksForTypeShapeAndFiniteValues) {
  ModelFile model = example();
  EXPECT_THROW(model.matrix("mean"), Error);
  EXPECT_THROW(model.vector("cluster_centers"), Error);
  EXPECT_THROW(model.integers("mean"), Error);
  EXPECT_THROW(model.bytes("sizes"), Error);
  EXPECT_THROW(model.vector("missing"), Error);
  EXPECT_THROW(model.text("missing"), Error);
  EXPECT_FALSE(model.has("missing"));
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    Matrix<double> m(1, 1, bad);
    model.put("m", m);
    model.put("v", std::span<const double>(m.values));
    EXPECT_THROW(model.matrix("m"), Error);
    EXPECT_THROW(model.vector("v"), Error);
  }
}

TEST(ModelFile, EveryTruncationIsRefused) {
  const Bytes bytes = encode_model(example());
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_TRUE(refused(std::span(bytes).first(size))) << size;
  Bytes longer = bytes;
  longer.push_back(std::byte{0});
  EXPECT_TRUE(refused(longer));
}

TEST(ModelFile, EverySingleByteDamageIsRefusedOrDecodes) {
  Bytes bytes = encode_model(example());
  int64_t taken = 0, tried = 0;
  for (size_t at = 0; at < bytes.size(); ++at) {
    const std::byte kept = bytes[at];
    for (int value = 0; value < 256; ++value) {
      bytes[at] = static_cast<std::byte>(value);
      taken += !refused(bytes);
      ++tried;
    }
    bytes[at] = kept;
  }
  EXPECT_GT(taken, 0);  // a changed data byte is another valid model
  EXPECT_LT(taken, tried);
}

TEST(ModelFile, LyingHeadersAreRefused) {
  const auto tensor = [](const char* shape, const char* offsets, const char* dtype = "F64") {
    return std::string(R"({"dtype":")") + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
  };
  EXPECT_FALSE(refused(file_of("{\"a\":" + tensor("[2]", "[0,16]") + "}", 16)));
  const std::string bad[] = {
      "{\"a\":" + tensor("[2]", "[0,16]") + "}",                      // no data at all (below: 0 bytes)
      "{\"a\":" + tensor("[2]", "[8,24]") + "}",                      // past the end
      "{\"a\":" + tensor("[2]", "[16,0]") + "}",                      // backwards
      "{\"a\":" + tensor("[3]", "[0,16]") + "}",                      // shape and bytes differ
      "{\"a\":" + tensor("[-2]", "[0,16]") + "}",                     // negative
      "{\"a\":" + tensor("[4294967296,4294967296]", "[0,16]") + "}",  // the product wraps to 0
      "{\"a\":" + tensor("[18446744073709551615]", "[0,16]") + "}",
      "{\"a\":" + tensor("[2.0]", "[0,16]") + "}",
      "{\"a\":" + tensor("[2]", "[0,16]", "F16") + "}",
      "{\"a\":" + tensor("[2]", "[0,16,16]") + "}",
      "{\"a\":" + tensor("[1]", "[0,8]") + ",\"b\":" + tensor("[1]", "[0,8]") + "}",                        // overlap
      "{\"a\":" + tensor("[1]", "[0,8]") + ",\"a\":" + tensor("[1]", "[8,16]") + "}",                       // twice the same name
      "{\"a\":" + tensor("[1]", "[8,16]") + "}",                                                            // a gap before
      "{\"a\":" + tensor("[1]", "[0,8]") + "}",                                                             // bytes left over
      "{\"a\":" + tensor("[2]", "[0,16]") + ",\"e\":" + tensor("[288230376151711743,0]", "[16,16]") + "}",  // empty, but how wide
      "{\"a\":" + tensor("[2]", "[0,16]") + ",\"__metadata__\":{\"k\":1}}",
      "{\"a\":" + tensor("[2]", "[0,16]") + ",\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}",
      "{\"a\":" + tensor("[2]", "[0,16]") + ",\"__metadata__\":[]}",
      "{\"a\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16],\"x\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}",
      "{\"a\":{\"dtype\":\"F64\",\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]}}",
      "{\"a\":1}",
      "[]",
      "",
      "null",
      "{",
      "{\"a\":\xff}",
      "{\"\xff\":" + tensor("[2]", "[0,16]") + "}",
  };
  for (const std::string& header : bad) EXPECT_TRUE(refused(file_of(header, &header == bad ? 0 : 16))) << header;
}

TEST(ModelFile, HugeHeadersCostNoMore) {
  for (const uint64_t length : {~uint64_t{0}, uint64_t{1} << 63, uint64_t{1} << 40, uint64_t{1000}}) {
    ByteWriter out;
    out.put(length);
    out.put(uint64_t{0});
    EXPECT_TRUE(refused(out.take()));
  }
  EXPECT_TRUE(refused(file_of(std::string(5'000'000, '['), 0)));
  std::string nested = "{\"a\":";
  for (int i = 0; i < 500'000; ++i) nested += "{\"a\":";
  EXPECT_TRUE(refused(file_of(nested, 0)));
  std::string many = "{\"__metadata__\":{";
  for (int i = 0; i < 200'000; ++i) many += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":\"\"";
  EXPECT_FALSE(refused(file_of(many + "}}", 0)));  // many keys are looked at once each
}

TEST(ReadModel, ReadsFilesAndRefusesTheRest) {
  const fs::path folder = fs::temp_directory_path() / ("sluice-model-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  const Bytes bytes = encode_model(example());
  const auto write = [&](const char* name, std::span<const std::byte> what) {
    std::ofstream(folder / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(what.data()), static_cast<std::streamsize>(what.size()));
    return (folder / name).string();
  };
  const auto code_of = [](const std::string& path) {
    try {
      read_model(path);
    } catch (const Error& e) {
      EXPECT_EQ(e.where, path);
      return e.code;
    }
    return ErrorCode::kBug;
  };
  EXPECT_EQ(read_model(write("good", bytes)).vector("mean").size(), 2U);
  EXPECT_EQ(code_of(write("empty", {})), ErrorCode::kBadModel);
  EXPECT_EQ(code_of(write("cut", std::span(bytes).first(5))), ErrorCode::kBadModel);
  EXPECT_EQ(code_of(write("cut2", std::span(bytes).first(bytes.size() - 1))), ErrorCode::kBadModel);
  EXPECT_EQ(code_of((folder / "missing").string()), ErrorCode::kIo);
  EXPECT_EQ(code_of(folder.string()), ErrorCode::kIo);
  const std::string pipe = (folder / "pipe").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(code_of(pipe), ErrorCode::kIo) << "a pipe must not make it wait";
  fs::remove_all(folder);
}

TEST(ModelFile, PythonSafetensorsReadsIt) {
  const char* asked = std::getenv("SLUICE_PYTHON");
  const std::string python = asked != nullptr ? asked : (fs::path(__FILE__).parent_path() / "../../.venv/bin/python").string();
  if (std::system((python + " -c 'import safetensors.numpy' > /dev/null 2>&1").c_str()) != 0) {
    GTEST_SKIP() << "no Python with safetensors at " << python << " (SLUICE_PYTHON names another)";
  }
  const fs::path path = fs::temp_directory_path() / ("sluice-model-" + std::to_string(::getpid()) + ".safetensors");
  const Bytes bytes = encode_model(example());
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  const std::string program = "import safetensors, safetensors.numpy as s; m = s.load_file('" + path.string() +
                              "'); f = safetensors.safe_open('" + path.string() +
                              "', 'np'); assert f.metadata()['algorithm'] == 'kmeans'; assert m['cluster_centers'].shape == (2, 3); assert "
                              "m['cluster_centers'][1, 2] == 0.1 * 5 - 0.2; "
                              "assert m['sizes'][1] == 2**60; assert m['flags'][2] == 255; assert m['none'].shape == (0, 3); assert "
                              "m['mean'].tolist() == [1.5, -2.5]";
  EXPECT_EQ(std::system((python + " -c \"" + program + "\"").c_str()), 0);
  fs::remove(path);
}

}  // namespace
}  // namespace sluice
