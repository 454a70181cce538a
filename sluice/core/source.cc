#include "sluice/core/source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>

#include "sluice/core/error.h"

namespace sluice {
namespace {

float half_to_float(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16;
  const uint32_t exponent = (h >> 10) & 31;
  const uint32_t mantissa = h & 1023;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  const float small = static_cast<float>(mantissa) * 0x1p-24F;
  return sign != 0 ? -small : small;
}

template <class T>
T swapped(T value) {
  std::array<std::byte, sizeof(T)> bytes;
  std::memcpy(bytes.data(), &value, sizeof value);
  std::reverse(bytes.begin(), bytes.end());
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

template <class From, class To, class Convert>
void widen_as(bool byte_swap, const std::byte* from, int64_t count, void* to, Convert convert) {
  auto* out = static_cast<To*>(to);
  for (int64_t i = 0; i < count; ++i) {
    From value;
    std::memcpy(&value, from + i * static_cast<int64_t>(sizeof(From)), sizeof value);
    out[i] = convert(byte_swap ? swapped(value) : value);
  }
}

template <class From, class To>
void widen_plain(bool byte_swap, const std::byte* from, int64_t count, void* to) {
  widen_as<From, To>(byte_swap, from, count, to, [](From value) { return static_cast<To>(value); });
}

template <class T>
void refuse_beyond_double(const std::string& where, bool byte_swap, const std::byte* raw, int64_t rows, int64_t cols, int64_t first_row) {
  for (int64_t i = 0; i < rows * cols; ++i) {
    T value;
    std::memcpy(&value, raw + i * static_cast<int64_t>(sizeof(T)), sizeof value);
    if (byte_swap) value = swapped(value);
    bool fits = value <= static_cast<T>(int64_t{1} << 53);
    if constexpr (std::is_signed_v<T>) fits = fits && value >= -(int64_t{1} << 53);
    if (!fits) {
      fail(ErrorCode::kBadInput, where + ", row " + std::to_string(first_row + i / cols) + ", column " + std::to_string(i % cols),
           std::to_string(value) + " is a whole number beyond 2^53, which float64 does not hold exactly",
           "leave the column out or store it as float64");
    }
  }
}

}  // namespace

MemorySource::MemorySource(DType dtype, const void* data, int64_t rows, int64_t cols, int64_t stride, std::shared_ptr<const void> keep)
    : all_{dtype, data, rows, cols, stride, 0, nullptr}, keep_(std::move(keep)) {}

MemorySource::MemorySource(std::vector<double> values, int64_t rows, int64_t cols) {
  if (static_cast<int64_t>(values.size()) != rows * cols)
    fail(ErrorCode::kBug, "source", "another number of values than rows times columns", "please report this as a bug");
  auto owned = std::make_shared<std::vector<double>>(std::move(values));
  all_ = {DType::kF64, owned->data(), rows, cols, cols, 0, nullptr};
  keep_ = std::move(owned);
}

void MemorySource::set_weights(std::vector<double> weights) {
  if (static_cast<int64_t>(weights.size()) != rows()) {
    fail(ErrorCode::kBadInput, "weights", std::to_string(weights.size()) + " weights for " + std::to_string(rows()) + " rows",
         "give one weight a row");
  }
  for (size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] >= 0) || std::isinf(weights[i]))
      fail(ErrorCode::kBadInput, "weight of row " + std::to_string(i), "it is not a finite number >= 0", "mend it");
  }
  max_weight_ = weights.empty() ? 0 : *std::max_element(weights.begin(), weights.end());
  if (!weights.empty() && max_weight_ == 0)
    fail(ErrorCode::kBadInput, "weights", "all weights are 0", "give at least one row a weight above 0");
  weights_ = std::make_shared<const std::vector<double>>(std::move(weights));
  all_.weights = weights_->data();
}

size_t size_of(Storage storage) {
  switch (storage) {
    case Storage::kF64:
    case Storage::kI64:
    case Storage::kU64:
      return 8;
    case Storage::kF32:
    case Storage::kI32:
    case Storage::kU32:
      return 4;
    case Storage::kF16:
    case Storage::kBF16:
    case Storage::kI16:
    case Storage::kU16:
      return 2;
    default:
      return 1;
  }
}

DType delivered_as(Storage storage) {
  switch (storage) {
    case Storage::kF64:
    case Storage::kI64:
    case Storage::kU64:
    case Storage::kI32:
    case Storage::kU32:
      return DType::kF64;
    default:
      return DType::kF32;
  }
}

void widen(Storage storage, bool byte_swap, const std::byte* from, int64_t count, void* to) {
  switch (storage) {
    case Storage::kF64:
      return widen_plain<double, double>(byte_swap, from, count, to);
    case Storage::kF32:
      return widen_plain<float, float>(byte_swap, from, count, to);
    case Storage::kF16:
      return widen_as<uint16_t, float>(byte_swap, from, count, to, half_to_float);
    case Storage::kBF16:
      return widen_as<uint16_t, float>(byte_swap, from, count, to,
                                       [](uint16_t h) { return std::bit_cast<float>(static_cast<uint32_t>(h) << 16); });
    case Storage::kI64:
      return widen_plain<int64_t, double>(byte_swap, from, count, to);
    case Storage::kU64:
      return widen_plain<uint64_t, double>(byte_swap, from, count, to);
    case Storage::kI32:
      return widen_plain<int32_t, double>(byte_swap, from, count, to);
    case Storage::kU32:
      return widen_plain<uint32_t, double>(byte_swap, from, count, to);
    case Storage::kI16:
      return widen_plain<int16_t, float>(byte_swap, from, count, to);
    case Storage::kU16:
      return widen_plain<uint16_t, float>(byte_swap, from, count, to);
    case Storage::kI8:
      return widen_plain<int8_t, float>(false, from, count, to);
    case Storage::kU8:
      return widen_plain<uint8_t, float>(false, from, count, to);
    case Storage::kBool:
      return widen_as<uint8_t, float>(false, from, count, to, [](uint8_t b) { return b != 0 ? 1.0F : 0.0F; });
  }
}

FileSource::FileSource(int fd, std::string where, Storage storage, bool byte_swap, int64_t offset, int64_t rows, int64_t cols,
                       std::string unlink_path)
    : fd_(fd),
      where_(std::move(where)),
      storage_(storage),
      byte_swap_(byte_swap),
      offset_(offset),
      rows_(rows),
      cols_(cols),
      unlink_path_(std::move(unlink_path)) {}

std::optional<FileSource::Place> FileSource::place() const {
  struct stat mine{}, named{};
  if (::fstat(fd_, &mine) != 0 || ::stat(where_.c_str(), &named) != 0) return std::nullopt;
  if (mine.st_ino != named.st_ino || mine.st_dev != named.st_dev) return std::nullopt;
  return Place{where_, storage_, byte_swap_, offset_};
}

FileSource::~FileSource() {
  if (fd_ >= 0) ::close(fd_);
  if (!unlink_path_.empty()) ::unlink(unlink_path_.c_str());
}

MatrixBlock FileSource::read(int64_t first, int64_t count, BlockBuffer& buffer) const {
  const int64_t values = count * cols_;
  const size_t width = size_of(storage_);
  const size_t delivered = size_of(dtype());
  const bool as_is = width == delivered && !byte_swap_ && (storage_ == Storage::kF64 || storage_ == Storage::kF32);
  const size_t raw_bytes = static_cast<size_t>(values) * width;
  const size_t out_bytes = (static_cast<size_t>(values) * delivered + 63) / 64 * 64;
  std::byte* out = buffer.reserve(as_is ? raw_bytes : out_bytes + raw_bytes);
  std::byte* raw = as_is ? out : out + out_bytes;
  size_t done = 0;
  while (done < raw_bytes) {
    const auto at = static_cast<off_t>(static_cast<size_t>(offset_) + static_cast<size_t>(first * cols_) * width + done);
    const ssize_t got = ::pread(fd_, raw + done, raw_bytes - done, at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      fail(ErrorCode::kIo, where_,
           got < 0 ? std::string("reading failed: ") + std::strerror(errno) : "the file became shorter while it was read",
           "check the disk and that nobody writes the file");
    }
    done += static_cast<size_t>(got);
  }
  if (storage_ == Storage::kI64) refuse_beyond_double<int64_t>(where_, byte_swap_, raw, count, cols_, first);
  if (storage_ == Storage::kU64) refuse_beyond_double<uint64_t>(where_, byte_swap_, raw, count, cols_, first);
  if (!as_is) widen(storage_, byte_swap_, raw, values, out);
  return {dtype(), out, count, cols_, cols_, first, nullptr};
}

std::vector<double> read_row(const Source& source, int64_t row) {
  BlockBuffer buffer;
  const MatrixBlock block = source.read(row, 1, buffer);
  std::vector<double> values(static_cast<size_t>(block.cols));
  const double* from = block.row(0, values.data());
  if (from != values.data()) std::copy(from, from + block.cols, values.begin());
  return values;
}

std::unique_ptr<MemorySource> load(const Source& source) {
  const size_t row_bytes = static_cast<size_t>(source.cols()) * size_of(source.dtype());
  auto keep = std::make_shared<BlockBuffer>();
  std::byte* all = keep->reserve(std::max<size_t>(64, static_cast<size_t>(source.rows()) * row_bytes));
  BlockBuffer buffer;
  std::vector<double> weights;
  const int64_t step = std::max<int64_t>(1, static_cast<int64_t>((size_t{4} << 20) / std::max<size_t>(1, row_bytes)));
  for (int64_t at = 0; at < source.rows(); at += step) {
    const MatrixBlock block = source.read(at, std::min(step, source.rows() - at), buffer);
    if (block.weights != nullptr) weights.insert(weights.end(), block.weights, block.weights + block.rows);
    for (int64_t i = 0; i < block.rows; ++i) {
      std::memcpy(all + static_cast<size_t>(at + i) * row_bytes, block.slice(i, 1).data, row_bytes);
    }
  }
  auto loaded = std::make_unique<MemorySource>(source.dtype(), all, source.rows(), source.cols(), source.cols(), keep);
  if (!weights.empty()) loaded->set_weights(std::move(weights));
  loaded->names = source.names;
  loaded->stats = source.stats;
  return loaded;
}

}  // namespace sluice
