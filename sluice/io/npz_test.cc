#include "sluice/io/npz.h"

#include "sluice/io/io_testing.h"
#include "sluice/io/npy.h"

namespace sluice {
namespace {

using namespace testing;
using Values = std::vector<double>;

template <class T>
std::string le(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

struct Entry {
  std::string name;
  std::string content;
  bool deflated = false;
  bool wide = false;  // zip64 sizes in the directory and in the local header
  uint32_t wrong_crc = 0;
  uint32_t lie_bytes = 0;  // another uncompressed size than the true one
};

std::string zip(const std::vector<Entry>& entries, const std::string& comment = "") {
  std::string out;
  std::string directory;
  for (const Entry& e : entries) {
    const std::string stored = e.deflated ? gzip(e.content, -15) : e.content;
    const auto crc =
        static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(e.content.data()), static_cast<uInt>(e.content.size()))) ^
        e.wrong_crc;
    const uint32_t full = e.lie_bytes != 0 ? e.lie_bytes : static_cast<uint32_t>(e.content.size());
    const std::string sizes = e.wide ? le(0xffffffffU) + le(0xffffffffU) : le(static_cast<uint32_t>(stored.size())) + le(full);
    const std::string extra = e.wide ? le(uint16_t{1}) + le(uint16_t{16}) + le(uint64_t{full}) + le(uint64_t{stored.size()}) : "";
    const std::string common = le(uint16_t{45}) + le(uint16_t{0}) + le(static_cast<uint16_t>(e.deflated ? 8 : 0)) + le(uint32_t{0}) +
                               le(crc) + sizes + le(static_cast<uint16_t>(e.name.size())) + le(static_cast<uint16_t>(extra.size()));
    directory += "PK\x01\x02" + le(uint16_t{45}) + common + le(uint16_t{0}) + le(uint16_t{0}) + le(uint16_t{0}) + le(uint32_t{0}) +
                 le(static_cast<uint32_t>(out.size())) + e.name + extra;
    out += "PK\x03\x04" + common + e.name + extra + stored;
  }
  const auto offset = static_cast<uint32_t>(out.size());
  const auto count = static_cast<uint16_t>(entries.size());
  return out + directory + "PK\x05\x06" + le(uint32_t{0}) + le(count) + le(count) + le(static_cast<uint32_t>(directory.size())) +
         le(offset) + le(static_cast<uint16_t>(comment.size())) + comment;
}

std::string array(std::initializer_list<double> values, int64_t rows, int64_t cols) {
  std::string out = write_npy_header("<f8", rows, cols);
  for (const double v : values) out += le(v);
  return out;
}

const std::string kX = array({1, 2, 3, 4}, 2, 2);
const std::string kY = array({5, 6}, 2, -1);

Values parse(const std::string& content, const std::string& name = "") {
  return numbers_of(read_npz(in_memory(content, "a.npz"), name, {}));
}

void refuse(const std::string& content, const std::string& part, const std::string& name = "") {
  expect_error(ErrorCode::kBadInput, part, [&] { parse(content, name); });
}

TEST(Npz, StoredDeflatedAndZip64) {
  for (const bool deflated : {false, true}) {
    for (const bool wide : {false, true}) {
      const std::string content = zip({{"X.npy", kX, deflated, wide}, {"y.npy", kY, deflated, wide}}, "a comment");
      EXPECT_EQ(parse(content), (Values{1, 2, 3, 4}));
      EXPECT_EQ(parse(content, "y"), (Values{5, 6}));
    }
  }
}

TEST(Npz, ChoosesTheArray) {
  EXPECT_EQ(parse(zip({{"emb.npy", kX}, {"y.npy", kY}, {"notes.txt", "hello"}})), (Values{1, 2, 3, 4}));
  refuse(zip({{"a.npy", kX}, {"b.npy", kX}}), "choose with --array: a, b");
  refuse(zip({{"y.npy", kY}}), "no array called X");
  refuse(zip({{"y.npy", kY}}), "holds no array called z; it holds: y", "z");
  refuse(zip({{"X.npy", kX}, {"X.npy", kX}}), "two arrays called X");
}

TEST(Npz, RefusesWhatIsDamaged) {
  refuse("", "not a zip archive");
  refuse(std::string(100, 'x'), "not a zip archive");
  refuse(zip({}), "no array called X");
  for (const bool deflated : {false, true}) refuse(zip({{"X.npy", kX, deflated, false, 1}}), "wrong checksum");
  refuse(zip({{"X.npy", kX, true, false, 0, 10}}), "holds more than the 10 bytes");
  refuse(zip({{"X.npy", kX, true, false, 0, 5000}}), "shorter than the archive says");
  refuse(zip({{"X.npy", kX, true, false, 0, 0x7fffffff}}), "impossible size");
  refuse(zip({{"X.npy", kX, false, false, 0, 10}}), "two sizes");
  std::string moved = zip({{"X.npy", kX}});
  moved[0] = 'Q';
  refuse(moved, "not where its directory says");
}

TEST(Npz, EveryTruncationAndEveryFlippedByteIsRefused) {
  for (const bool deflated : {false, true}) {
    const std::string content = zip({{"X.npy", kX, deflated}});
    expect_truncations(content, false, [](const auto& file) { read_npz(file, "", {}); });
    for (size_t i = 0; i < content.size(); ++i) {
      std::string flipped = content;
      flipped[i] ^= 0x10;
      try {
        EXPECT_EQ(parse(flipped), (Values{1, 2, 3, 4})) << i;  // bytes without meaning, such as dates
      } catch (const Error& error) {
        EXPECT_EQ(error.code, ErrorCode::kBadInput) << error.what();
      }
    }
  }
}

TEST(Npz, TheSetsOfTheDataFolder) {
  const std::string path = data_file("anomaly/adbench/45_wine.npz");
  if (path.empty()) GTEST_SKIP() << "no data folder: set SLUICE_DATA";
  const Table table = read_npz(open_file(path, {}), "", {});
  EXPECT_EQ(table.columns.size(), 13u);
  EXPECT_EQ(table.rows, 129);
  EXPECT_EQ(read_npz(open_file(path, {}), "y", {}).columns.size(), 1u);
}

}  // namespace
}  // namespace sluice
