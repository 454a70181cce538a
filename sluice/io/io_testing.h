// What the tests of this room share: files that vanish, plain values of tables, and the error a call must end in.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "sluice/core/error.h"
#include "sluice/core/table.h"
#include "sluice/io/file.h"

namespace sluice::testing {

inline std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int v : values) text += static_cast<char>(v);
  return text;
}

// A folder of its own for each test.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sluice-io-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name, const std::string& content) const {
    const std::filesystem::path path = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path.string();
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::shared_ptr<File> in_memory(const std::string& content, const std::string& where = "data") {
  return file_of_bytes(content.data(), content.size(), where);
}

inline std::string gzip(const std::string& content, int window_bits = 15 + 16) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, content.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  z.avail_in = static_cast<uInt>(content.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

inline std::string zstd(const std::string& content) {
  std::string out(ZSTD_compressBound(content.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), content.data(), content.size(), 3));
  return out;
}

// All numbers of a table, row by row.
inline std::vector<double> numbers_of(const Table& table) {
  std::vector<double> values;
  if (table.numbers == nullptr) return values;
  BlockBuffer buffer;
  std::vector<double> scratch(static_cast<size_t>(table.numbers->cols()));
  for (int64_t i = 0; i < table.numbers->rows(); ++i) {
    const MatrixBlock block = table.numbers->read(i, 1, buffer);
    const double* row = block.row(0, scratch.data());
    values.insert(values.end(), row, row + block.cols);
  }
  return values;
}

inline std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const TableColumn& column : table.columns) names.push_back(column.name);
  return names;
}

inline std::vector<std::string> texts_of(const Table& table, size_t text) {
  std::vector<std::string> cells;
  for (int64_t i = 0; i < table.texts.at(text)->rows(); ++i)
    cells.emplace_back(table.texts[text]->missing(i) ? "<missing>" : std::string(table.texts[text]->at(i)));
  return cells;
}

// The call ends in an Error of this code whose line holds `part`.
inline void expect_error(ErrorCode code, const std::string& part, const std::function<void()>& call) {
  try {
    call();
    ADD_FAILURE() << "no error, where one about '" << part << "' is expected";
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.code), static_cast<int>(code)) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    EXPECT_FALSE(error.where.empty() || error.message.empty() || error.remedy.empty()) << error.what();
  }
}

// Every truncation of `content` must be refused as bad input (or, where the reader may accept a shorter file, read). Never anything else.
inline void expect_truncations(const std::string& content, bool may_accept, const std::function<void(const std::shared_ptr<File>&)>& read) {
  EXPECT_NO_THROW(read(in_memory(content)));
  for (size_t size = 0; size < std::min<size_t>(content.size(), 4096); ++size) {
    try {
      read(in_memory(content.substr(0, size)));
      EXPECT_TRUE(may_accept) << "accepted when cut to " << size << " of " << content.size() << " bytes";
    } catch (const Error& error) {
      EXPECT_TRUE(error.code == ErrorCode::kBadInput || error.code == ErrorCode::kIo) << error.what();
    }
  }
}

// Path of a file of the data folder, or "" when there is none.
inline std::string data_file(const std::string& name) {
  const char* root = std::getenv("SLUICE_DATA");
  const std::filesystem::path path = std::filesystem::path(root != nullptr ? root : SLUICE_SOURCE_DIR "/../shared/data") / name;
  return std::filesystem::exists(path) ? path.string() : "";
}

}  // namespace sluice::testing
