// Writing and reading plain values as bytes: what states, checkpoints and messages between ranks are made of.
// Little-endian hosts only (checked at compile time). A reader never trusts a length: it checks it against what is left.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "sluice/core/error.h"

namespace sluice {

static_assert(std::endian::native == std::endian::little, "sluice stores little-endian values as they lie in memory");

using Bytes = std::vector<std::byte>;

class ByteWriter {
 public:
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void put(const T& value) {
    append(&value, sizeof value);
  }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void put_all(std::span<const T> values) {
    put<uint64_t>(values.size());
    append(values.data(), values.size_bytes());
  }
  // Bytes without a count in front of them.
  void put_raw(std::span<const std::byte> bytes) { append(bytes.data(), bytes.size()); }
  void put_text(std::string_view text) { put_all(std::span<const char>(text.data(), text.size())); }

  Bytes take() { return std::move(bytes_); }

 private:
  void append(const void* from, size_t count) {
    if (count == 0) return;
    const size_t at = bytes_.size();
    bytes_.resize(at + count);
    std::memcpy(bytes_.data() + at, from, count);
  }
  Bytes bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes, std::string where = "state") : left_(bytes), where_(std::move(where)) {}

  template <class T>
    requires std::is_trivially_copyable_v<T>
  T get() {
    T value;
    std::memcpy(&value, take(sizeof value), sizeof value);
    return value;
  }
  template <class T>
    requires std::is_trivially_copyable_v<T>
  std::vector<T> get_all() {
    const auto count = get<uint64_t>();
    if (count > left_.size() / sizeof(T)) damaged("says it holds more values than it has bytes");
    std::vector<T> values(count);
    if (count > 0) std::memcpy(values.data(), take(count * sizeof(T)), count * sizeof(T));
    return values;
  }
  std::string get_text() {
    auto chars = get_all<char>();
    return {chars.begin(), chars.end()};
  }
  bool done() const { return left_.empty(); }
  // To be called when all has been read: bytes left over mean another format.
  void expect_end() const {
    if (!done()) damaged("has bytes left over");
  }
  [[noreturn]] void damaged(const std::string& why) const {
    fail(ErrorCode::kBadModel, where_, why, "it was damaged or written by another version: make it again");
  }

 private:
  const std::byte* take(size_t count) {
    if (count > left_.size()) damaged("ends too early");
    const std::byte* p = left_.data();
    left_ = left_.subspan(count);
    return p;
  }
  std::span<const std::byte> left_;
  std::string where_;
};

}  // namespace sluice
