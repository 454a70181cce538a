// Memory for kernels: 64-byte aligned, zeroed when it grows, never shrinks. Not for data sets.
#pragma once
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

namespace sluice::kernels {

template <class T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(int64_t count) { reserve(count); }

  // At least `count` values; what was there before is lost when it grows.
  T* reserve(int64_t count) {
    if (count > size_) {
      const size_t bytes = static_cast<size_t>(count) * sizeof(T);
      data_.reset(static_cast<T*>(::operator new(bytes, std::align_val_t{64})));
      std::memset(static_cast<void*>(data_.get()), 0, bytes);
      size_ = count;
    }
    return data_.get();
  }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  int64_t size() const { return size_; }

 private:
  struct Free {
    void operator()(T* p) const { ::operator delete(static_cast<void*>(p), std::align_val_t{64}); }
  };
  std::unique_ptr<T, Free> data_;
  int64_t size_ = 0;
};

}  // namespace sluice::kernels
