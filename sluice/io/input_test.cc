#include "sluice/io/input.h"

#include <unistd.h>

#include "sluice/io/byte_stream.h"
#include "sluice/io/encoding.h"
#include "sluice/io/format.h"
#include "sluice/io/io_testing.h"
#include "sluice/io/npy_header.h"
#include "sluice/io/views.h"

namespace sluice {
namespace {

using namespace testing;
using Values = std::vector<double>;
using Strings = std::vector<std::string>;

Table open(const Strings& inputs, const ReadOptions& options = {}) {
  Context ctx;
  return read_table(inputs, options, {}, ctx);
}

std::string npy_of(std::initializer_list<float> values, int64_t rows, int64_t cols) {
  std::string out = write_npy_header("<f4", rows, cols);
  for (const float v : values) out.append(reinterpret_cast<const char*>(&v), 4);
  return out;
}

TEST(Input, FormatsByName) {
  EXPECT_EQ(format_of_name("a/b.csv"), Format::kCsv);
  EXPECT_EQ(format_of_name("b.CSV.gz"), Format::kCsv);
  EXPECT_EQ(format_of_name("b.tsv.zst"), Format::kTsv);
  EXPECT_EQ(format_of_name("b.jsonl"), Format::kJsonl);
  EXPECT_EQ(format_of_name("b.npy"), Format::kNpy);
  EXPECT_EQ(format_of_name("b.npz"), Format::kNpz);
  EXPECT_EQ(format_of_name("train-images-idx3-ubyte"), Format::kIdx);
  EXPECT_EQ(format_of_name("train-images.idx3-ubyte"), Format::kIdx);
  EXPECT_EQ(format_of_name("train-labels-idx1-ubyte.gz"), Format::kIdx);
  EXPECT_EQ(format_of_name("b.idx"), Format::kIdx);
  EXPECT_EQ(format_of_name("b.parquet"), Format::kArrow);
  EXPECT_EQ(format_of_name("b.dat.gz"), Format::kBaskets);
  EXPECT_EQ(format_of_name("b"), Format::kUnknown);
  EXPECT_EQ(format_of_name("idx"), Format::kUnknown);
}

TEST(Input, RefusesByExitCode) {
  const TempDir dir;
  expect_error(ErrorCode::kIo, "no such file", [&] { open({dir.path() + "/none.csv"}); });
  expect_error(ErrorCode::kIo, "matches no file", [&] { open({dir.path() + "/*.csv"}); });
  expect_error(ErrorCode::kUsage, "s3://", [&] { open({"s3://bucket/x.csv"}); });
  expect_error(ErrorCode::kUsage, "no known format", [&] { open({dir.file("x.what", "1")}); });
  expect_error(ErrorCode::kUsage, "not there yet", [&] { open({dir.file("x.wav", "1")}); });
  expect_error(ErrorCode::kUsage, "not there yet", [&] { open({dir.file("x.txt", "1")}); });
  expect_error(ErrorCode::kUsage, "item baskets", [&] { open({dir.file("x.dat", "1")}); });
  expect_error(ErrorCode::kUsage, "not read from .gz", [&] { open({dir.file("x.npy.gz", "1")}); });
  expect_error(ErrorCode::kBadInput, "not an npy file", [&] { open({dir.file("x.npy", "1")}); });
  ReadOptions wrong;
  wrong.format = "xls";
  expect_error(ErrorCode::kUsage, "--format xls", [&] { open({dir.file("x.csv", "1")}, wrong); });
  expect_error(ErrorCode::kUsage, "no input", [&] { open({}); });
  const TempDir empty;
  expect_error(ErrorCode::kBadInput, "without files", [&] { open({empty.path()}); });
}

TEST(Input, FoldersAndPatternsAreSorted) {
  const TempDir dir;
  dir.file("b.csv", "x\n3\n");
  dir.file("a.csv", "x\n1\n2\n");
  dir.file("sub/c.csv", "x\n4\n");
  dir.file(".hidden.csv", "y\n9\n");
  EXPECT_EQ(numbers_of(open({dir.path()})), (Values{1, 2, 3, 4}));
  EXPECT_EQ(numbers_of(open({dir.path() + "/?.csv"})), (Values{1, 2, 3}));
  EXPECT_EQ(numbers_of(open({dir.path() + "/b.csv", dir.path() + "/a.csv"})), (Values{3, 1, 2}));
}

TEST(Input, FilesOfNumbersAreStacked) {
  const TempDir dir;
  const std::string a = dir.file("a.npy", npy_of({1, 2, 3, 4}, 2, 2));
  const std::string b = dir.file("b.npy", npy_of({5, 6}, 1, 2));
  const std::string c = dir.file("c.csv", "7,8.5\n9,10\n");
  const std::string d = dir.file("d.npy", npy_of({5, 6, 7}, 1, 3));
  ReadOptions bare;
  bare.header = false;
  const Table two = open({a, b});
  EXPECT_EQ(two.numbers->dtype(), DType::kF32);
  EXPECT_EQ(numbers_of(two), (Values{1, 2, 3, 4, 5, 6}));
  const Table three = open({a, b, c}, bare);
  EXPECT_EQ(three.rows, 5);
  BlockBuffer buffer;
  const MatrixBlock block = three.numbers->read(1, 3, buffer);
  EXPECT_EQ(block.first_row, 1);
  const auto* v = static_cast<const double*>(block.data);
  EXPECT_EQ(Values(v, v + 6), (Values{3, 4, 5, 6, 7, 8.5}));
  expect_error(ErrorCode::kBadInput, "has 3 columns where the first file has 2", [&] { open({a, d}); });
}

TEST(Input, CompressedFilesByName) {
  const TempDir dir;
  EXPECT_EQ(numbers_of(open({dir.file("x.csv.gz", gzip("a\n1\n"))})), (Values{1}));
  EXPECT_EQ(numbers_of(open({dir.file("x.tsv.zst", zstd("a\tb\n1\t2\n"))})), (Values{1, 2}));
  EXPECT_EQ(numbers_of(open({dir.file("x.jsonl.gz", gzip("{\"a\": 3}"))})), (Values{3}));
  EXPECT_EQ(numbers_of(open({dir.file("x-idx1-ubyte.gz", gzip(bytes({0, 0, 8, 1, 0, 0, 0, 1, 4})))})), (Values{4}));
}

// Standard input can be read once only, but a late text needs a second pass: it is spooled.
TEST(Input, StandardInput) {
  std::string text = "a,b\n";
  for (int i = 0; i < 3000; ++i) text += "1,2\n";
  text += "3,x\n";
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int kept = ::dup(STDIN_FILENO);
  ::dup2(ends[0], STDIN_FILENO);
  ASSERT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  const Table table = open({"-"});
  ::dup2(kept, STDIN_FILENO);
  ::close(kept);
  ::close(ends[0]);
  EXPECT_EQ(table.rows, 3001);
  EXPECT_EQ(table.texts[0]->at(3000), "x");
  EXPECT_EQ(table.texts[0]->at(0), "2");
}

TEST(Input, Encodings) {
  const TempDir dir;
  const auto read = [&](const std::string& name, const std::string& content, const std::string& encoding) {
    ReadOptions options;
    options.encoding = encoding;
    return texts_of(open({dir.file(name, content)}, options), 0)[0];
  };
  EXPECT_EQ(read("l.csv", "t\nK\xF6ln\n", "ISO-8859-1"), "K\xC3\xB6ln");
  EXPECT_EQ(read("g.csv", "t\n\xD6\xD0\xCE\xC4\n", "GB18030"), "\xE4\xB8\xAD\xE6\x96\x87");
  std::string wide = "\xFF\xFE";
  for (const char c : std::string("t\n\"a\"\n")) wide += std::string{c, '\0'};
  EXPECT_EQ(read("u.csv", wide, "UTF-16"), "a");
  EXPECT_EQ(read("j.jsonl", "{\"t\": \"K\xF6ln\"}", "ISO-8859-1"), "K\xC3\xB6ln");
  expect_error(ErrorCode::kUsage, "not a known encoding", [&] { read("l.csv", "t\nx\n", "klingon"); });
  expect_error(ErrorCode::kBadInput, "near byte", [&] { read("g.csv", "t\n\xFF\xFF\n", "GB18030"); });
  expect_error(ErrorCode::kBadInput, "not valid UTF-16", [&] { read("u.csv", wide + "\xD8", "UTF-16"); });
}

TEST(Input, Utf8IsStrict) {
  EXPECT_TRUE(valid_utf8("plain ascii of some length"));
  EXPECT_TRUE(valid_utf8("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"));
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "12345678\xFF"})
    EXPECT_FALSE(valid_utf8(bad));
}

TEST(Input, StreamsAreCheckedToTheirEnd) {
  const std::string text(300000, 'a');
  std::string out(400000, '\0');
  const auto drain = [&](const std::string& content, Compression compression) {
    return read_fully(*open_stream(in_memory(content), compression), out.data(), out.size());
  };
  EXPECT_EQ(drain(gzip(text), Compression::kGzip), text.size());
  EXPECT_EQ(drain(gzip(text) + std::string(512, '\0'), Compression::kGzip), text.size());
  EXPECT_EQ(drain(zstd(text), Compression::kZstd), text.size());
  std::string damaged = gzip(text);
  damaged[damaged.size() - 6] ^= 1;  // in the checksum
  expect_error(ErrorCode::kBadInput, "not valid compressed data", [&] { drain(damaged, Compression::kGzip); });
  expect_error(ErrorCode::kBadInput, "ends in its middle", [&] { drain("", Compression::kGzip); });
  expect_error(ErrorCode::kBadInput, "ends in its middle", [&] { drain("", Compression::kZstd); });
}

// What a spool holds is the same in memory and on disk, and nothing is left behind.
TEST(Input, SpoolsMoveToDisk) {
  const TempDir dir;
  const std::string text = "0123456789";
  std::string all;
  for (int i = 0; i < 400000; ++i) all += text;
  {
    const auto spooled = spool_stream(*open_stream(in_memory(all), Compression::kNone), "x", {1 << 20, dir.path(), false}, INT64_MAX);
    EXPECT_EQ(spooled->size(), static_cast<int64_t>(all.size()));
    std::string back(all.size(), '\0');
    spooled->read_exact(0, back.data(), back.size());
    EXPECT_EQ(back, all);
    EXPECT_FALSE(std::filesystem::is_empty(dir.path()));
  }
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(Labels, NumbersAndWords) {
  const TempDir dir;
  EXPECT_EQ(read_labels(dir.file("a.txt", "3\n-1\n+2\r\n\n")).values, (std::vector<int64_t>{3, -1, 2}));
  const LabelFile words = read_labels(dir.file("b.txt", "cat\ndog\nant\ncat"));
  EXPECT_EQ(words.values, (std::vector<int64_t>{1, 2, 0, 1}));
  EXPECT_EQ(words.names, (Strings{"ant", "cat", "dog"}));
  EXPECT_EQ(read_labels(dir.file("c.labels0.gz", gzip("1\n2\n"))).values, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(read_labels(dir.file("y-idx1-ubyte.gz", gzip(bytes({0, 0, 8, 1, 0, 0, 0, 2, 4, 9})))).values, (std::vector<int64_t>{4, 9}));
  EXPECT_EQ(read_labels(dir.file("f.npy", npy_of({1, 2, -1}, 3, -1))).values, (std::vector<int64_t>{1, 2, -1}));
  const int64_t large = (int64_t{1} << 60) + 1;
  EXPECT_EQ(read_labels(dir.file("l.npy", write_npy_header("<i8", 1) + std::string(reinterpret_cast<const char*>(&large), 8))).values[0],
            large);
}

TEST(Labels, RefusesWhatAreNoLabels) {
  const TempDir dir;
  expect_error(ErrorCode::kBadInput, ":2: is an empty line", [&] { read_labels(dir.file("a.txt", "1\n\n2\n")); });
  expect_error(ErrorCode::kBadInput, "no labels", [&] { read_labels(dir.file("b.txt", "\n")); });
  expect_error(ErrorCode::kBadInput, "row 1: holds a label that is not a whole",
               [&] { read_labels(dir.file("f.npy", npy_of({1, 2.5}, 2, -1))); });
  expect_error(ErrorCode::kBadInput, "holds 2 columns", [&] { read_labels(dir.file("g.npy", npy_of({1, 2}, 1, 2))); });
  expect_error(ErrorCode::kIo, "can't be opened", [&] { read_labels(dir.path() + "/none.npy"); });
}

}  // namespace
}  // namespace sluice
