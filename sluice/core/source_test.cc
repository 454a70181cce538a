#include "sluice/core/source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "sluice/core/bytes.h"
#include "sluice/core/error.h"

namespace sluice {
namespace {

constexpr Storage kAll[] = {Storage::kF64, Storage::kF32, Storage::kF16, Storage::kBF16, Storage::kI64, Storage::kI32, Storage::kI16,
                            Storage::kI8,  Storage::kU64, Storage::kU32, Storage::kU16,  Storage::kU8,  Storage::kBool};

template <class T>
double as(const std::byte* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return static_cast<double>(value);
}

// IEEE 754 by its definition, in double.
double half(uint16_t h) {
  const int exponent = (h >> 10) & 31;
  const double sign = h & 0x8000 ? -1 : 1;
  const double fraction = (h & 1023) / 1024.0;
  if (exponent == 31) return fraction == 0 ? sign * INFINITY : NAN;
  return sign * (exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1 + fraction, exponent - 15));
}

double plain(Storage storage, const std::byte* p) {
  switch (storage) {
    case Storage::kF64:
      return as<double>(p);
    case Storage::kF32:
      return as<float>(p);
    case Storage::kF16:
      return half(static_cast<uint16_t>(as<uint16_t>(p)));
    case Storage::kBF16:
      return static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(as<uint16_t>(p)) << 16));
    case Storage::kI64:
      return as<int64_t>(p);
    case Storage::kI32:
      return as<int32_t>(p);
    case Storage::kI16:
      return as<int16_t>(p);
    case Storage::kI8:
      return as<int8_t>(p);
    case Storage::kU64:
      return as<uint64_t>(p);
    case Storage::kU32:
      return as<uint32_t>(p);
    case Storage::kU16:
      return as<uint16_t>(p);
    case Storage::kU8:
      return as<uint8_t>(p);
    case Storage::kBool:
      return as<uint8_t>(p) != 0;
  }
  return 0;
}

bool same(double a, double b) {
  return (a != a && b != b) || (a == b && std::signbit(a) == std::signbit(b));
}

int file_of(const Bytes& bytes) {
  char path[] = "/tmp/sluice-source-XXXXXX";
  const int fd = ::mkstemp(path);
  ::unlink(path);
  EXPECT_EQ(::write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  return fd;
}

Bytes random_bytes(Storage storage, int64_t count) {
  std::mt19937_64 random(static_cast<uint64_t>(storage) + 1);
  Bytes bytes(static_cast<size_t>(count) * size_of(storage));
  for (std::byte& b : bytes) b = static_cast<std::byte>(random());
  if (storage == Storage::kI64 || storage == Storage::kU64) {  // within 2^53
    for (int64_t i = 0; i < count; ++i) {
      int64_t value = static_cast<int64_t>(random() >> 11);
      if (storage == Storage::kI64 && i % 2) value = -value;
      std::memcpy(bytes.data() + i * 8, &value, 8);
    }
  }
  return bytes;
}

TEST(FileSource, EveryStorageIsReadAsItsValues) {
  const int64_t rows = 501, cols = 7, offset = 13;
  for (const Storage storage : kAll) {
    for (const bool swap : {false, true}) {
      SCOPED_TRACE("storage " + std::to_string(static_cast<int>(storage)) + (swap ? " swapped" : ""));
      const size_t width = size_of(storage);
      const Bytes bytes = random_bytes(storage, rows * cols);
      Bytes file(static_cast<size_t>(offset) + bytes.size());
      std::copy(bytes.begin(), bytes.end(), file.begin() + offset);
      if (swap) {
        for (size_t at = static_cast<size_t>(offset); at < file.size(); at += width)
          std::reverse(file.begin() + static_cast<int64_t>(at), file.begin() + static_cast<int64_t>(at + width));
      }
      const FileSource source(file_of(file), "test", storage, swap, offset, rows, cols);
      EXPECT_EQ(source.dtype(), delivered_as(storage));
      BlockBuffer buffer;
      std::vector<double> scratch(static_cast<size_t>(cols));
      int64_t wrong = 0;
      for (const auto& [first, count] : {std::pair<int64_t, int64_t>{0, rows}, {100, 3}, {rows - 1, 1}}) {
        const MatrixBlock block = source.read(first, count, buffer);
        EXPECT_EQ(block.first_row, first);
        ASSERT_EQ(block.rows, count);
        for (int64_t i = 0; i < count; ++i) {
          const double* row = block.row(i, scratch.data());
          for (int64_t j = 0; j < cols; ++j) {
            wrong += !same(row[j], plain(storage, bytes.data() + static_cast<size_t>((first + i) * cols + j) * width));
          }
        }
      }
      EXPECT_EQ(wrong, 0);
    }
  }
}

TEST(Widen, EveryHalfFloat) {
  std::vector<uint16_t> halves(65536);
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
  std::vector<float> out(halves.size());
  widen(Storage::kF16, false, reinterpret_cast<const std::byte*>(halves.data()), 65536, out.data());
  for (size_t i = 0; i < halves.size(); ++i) EXPECT_TRUE(same(static_cast<double>(out[i]), half(halves[i]))) << i;
  widen(Storage::kBF16, false, reinterpret_cast<const std::byte*>(halves.data()), 65536, out.data());
  for (size_t i = 0; i < halves.size(); ++i) EXPECT_EQ(std::bit_cast<uint32_t>(out[i]), static_cast<uint32_t>(i << 16));
}

TEST(FileSource, AFileCutShortIsAnIoError) {
  const FileSource source(file_of(random_bytes(Storage::kF32, 99)), "short.npy", Storage::kF32, false, 0, 10, 10);
  BlockBuffer buffer;
  EXPECT_EQ(source.read(0, 9, buffer).rows, 9);
  try {
    source.read(9, 1, buffer);
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.code, ErrorCode::kIo);
    EXPECT_EQ(e.where, "short.npy");
  }
}

TEST(FileSource, AClosedFileIsAnIoError) {
  const int fd = ::open("/tmp", O_RDONLY);  // a folder can't be read
  const FileSource source(fd, "folder", Storage::kU8, false, 0, 1, 1);
  BlockBuffer buffer;
  EXPECT_THROW(source.read(0, 1, buffer), Error);
}

TEST(FileSource, IntegersBeyondDoubleAreRefusedByPlace) {
  const auto refusal = [](auto value, Storage storage) -> std::string {
    Bytes bytes(6 * 8);
    std::memcpy(bytes.data() + 5 * 8, &value, 8);
    const FileSource source(file_of(bytes), "ids.npy", storage, false, 0, 3, 2);
    BlockBuffer buffer;
    source.read(0, 2, buffer);
    try {
      source.read(1, 2, buffer);
    } catch (const Error& e) {
      EXPECT_EQ(e.code, ErrorCode::kBadInput);
      return e.what();
    }
    return "";
  };
  const int64_t limit = int64_t{1} << 53;
  EXPECT_EQ(refusal(limit, Storage::kI64), "");
  EXPECT_EQ(refusal(-limit, Storage::kI64), "");
  EXPECT_EQ(refusal(static_cast<uint64_t>(limit), Storage::kU64), "");
  EXPECT_NE(refusal(limit + 1, Storage::kI64).find("ids.npy, row 2, column 1: 9007199254740993"), std::string::npos);
  EXPECT_NE(refusal(-limit - 1, Storage::kI64), "");
  EXPECT_NE(refusal(std::numeric_limits<int64_t>::min(), Storage::kI64), "");
  EXPECT_NE(refusal(std::numeric_limits<uint64_t>::max(), Storage::kU64), "");
}

TEST(FileSource, DeletesTheFileItWasAskedTo) {
  char path[] = "/tmp/sluice-source-XXXXXX";
  const int fd = ::mkstemp(path);
  {
    const FileSource source(fd, path, Storage::kU8, false, 0, 0, 1, path);
    EXPECT_EQ(::access(path, F_OK), 0);
  }
  EXPECT_NE(::access(path, F_OK), 0);
}

TEST(MemorySource, SlicesWithStrideAndWeights) {
  std::vector<float> padded(10 * 4);
  for (size_t i = 0; i < padded.size(); ++i) padded[i] = static_cast<float>(i);
  MemorySource source(DType::kF32, padded.data(), 10, 3, 4, nullptr);
  source.set_weights({1, 2, 3, 4, 5, 6, 7, 8, 9, 0});
  EXPECT_EQ(source.max_weight(), 9);
  BlockBuffer buffer;
  const MatrixBlock block = source.read(4, 3, buffer);
  double scratch[3];
  EXPECT_EQ(block.row(1, scratch)[2], 5 * 4 + 2);
  EXPECT_EQ(block.weight(1), 6);
  EXPECT_EQ(block.first_row, 4);
  const MemorySource copy = source;
  source.set_weights(std::vector<double>(10, 1.0));
  EXPECT_EQ(copy.read(4, 3, buffer).weight(1), 6) << "a copy keeps its own weights";
}

TEST(MemorySource, RefusesBadWeightsAndSizes) {
  MemorySource source(std::vector<double>{1, 2, 3, 4}, 2, 2);
  for (const std::vector<double>& weights : {std::vector<double>{1}, {1, 2, 3}, {1, -1}, {1, NAN}, {1, INFINITY}, {0, 0}}) {
    EXPECT_THROW(source.set_weights(weights), Error);
  }
  EXPECT_THROW(MemorySource(std::vector<double>{1, 2, 3}, 2, 2), Error);
}

TEST(Load, KeepsValuesWeightsAndNames) {
  std::vector<double> padded(7 * 4);
  for (size_t i = 0; i < padded.size(); ++i) padded[i] = static_cast<double>(i);
  MemorySource source(DType::kF64, padded.data(), 7, 3, 4, nullptr);
  source.names = {"a", "b", "c"};
  source.set_weights({1, 2, 3, 4, 5, 6, 7});
  const auto loaded = load(source);
  BlockBuffer buffer;
  const MatrixBlock block = loaded->read(0, 7, buffer);
  EXPECT_EQ(block.stride, 3);
  EXPECT_EQ(block.weight(6), 7);
  EXPECT_EQ(block.row(6, nullptr)[2], 6 * 4 + 2);
  EXPECT_EQ(loaded->name_of(1), "b");
  EXPECT_EQ(load(MemorySource(std::vector<double>{}, 0, 2))->rows(), 0);
}

}  // namespace
}  // namespace sluice
