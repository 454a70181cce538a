#include "sluice/core/csr.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

#include "sluice/core/error.h"

namespace sluice {
namespace {

constexpr int64_t kEntryBytes = sizeof(double) + sizeof(int32_t);
constexpr size_t kFlushBytes = size_t{4} << 20;

[[noreturn]] void disk_refuses(const std::string& path, const std::string& what) {
  fail(ErrorCode::kIo, path, what + ": " + std::strerror(errno), "free some space or name another folder with --spool");
}

void read_all(int fd, const std::string& path, std::byte* to, size_t bytes, int64_t at) {
  for (size_t done = 0; done < bytes;) {
    const ssize_t got = ::pread(fd, to + done, bytes - done, static_cast<off_t>(at) + static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) disk_refuses(path, "reading the spool failed");
    if (got == 0) fail(ErrorCode::kIo, path, "the spool became shorter while it was read", "check the disk");
    done += static_cast<size_t>(got);
  }
}

}  // namespace

CsrBlock Source::read_csr(int64_t, int64_t, BlockBuffer&) const {
  fail(ErrorCode::kBug, "source", "its rows are not sparse", "please report this as a bug");
}

CsrSource::CsrSource(std::vector<int64_t> offsets, std::vector<int32_t> indices, std::vector<double> values, int64_t cols)
    : cols_(cols), offsets_(std::move(offsets)), indices_(std::move(indices)), values_(std::move(values)) {
  const auto broken = [] { fail(ErrorCode::kBug, "sparse rows", "they are not in order", "please report this as a bug"); };
  if (offsets_.empty() || offsets_.front() != 0 || !std::is_sorted(offsets_.begin(), offsets_.end())) broken();
  if (offsets_.back() != static_cast<int64_t>(indices_.size()) || indices_.size() != values_.size()) broken();
  for (int64_t i = 0; i < rows(); ++i) {
    int64_t before = -1;
    for (auto p = static_cast<size_t>(offsets_[static_cast<size_t>(i)]); p < static_cast<size_t>(offsets_[static_cast<size_t>(i) + 1]);
         ++p) {
      if (indices_[p] <= before || indices_[p] >= cols_ || values_[p] == 0) broken();
      before = indices_[p];
    }
  }
}

CsrSource::CsrSource(int fd, std::string path, std::vector<int64_t> offsets, int64_t cols)
    : cols_(cols), offsets_(std::move(offsets)), fd_(fd), path_(std::move(path)) {}

CsrSource::~CsrSource() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(path_.c_str());
}

CsrBlock CsrSource::read_csr(int64_t first, int64_t count, BlockBuffer& buffer) const {
  const int64_t* offsets = offsets_.data() + first;
  const double* weights = weights_.empty() ? nullptr : weights_.data() + first;
  const int64_t entries = offsets[count] - offsets[0];
  if (fd_ < 0) return {count, cols_, offsets, indices_.data() + offsets[0], values_.data() + offsets[0], first, weights};
  // values | columns | as stored
  const auto whole = static_cast<size_t>(entries * kEntryBytes);
  std::byte* out = buffer.reserve(std::max<size_t>(64, 2 * whole));
  std::byte* stored = out + whole;
  read_all(fd_, path_, stored, whole, offsets[0] * kEntryBytes);
  auto* values = reinterpret_cast<double*>(out);
  auto* indices = reinterpret_cast<int32_t*>(out + static_cast<size_t>(entries) * sizeof(double));
  for (int64_t i = 0; i < count; ++i) {
    const int64_t at = offsets[i] - offsets[0];
    const auto many = static_cast<size_t>(offsets[i + 1] - offsets[i]);
    const std::byte* row = stored + at * kEntryBytes;
    std::memcpy(values + at, row, many * sizeof(double));
    std::memcpy(indices + at, row + many * sizeof(double), many * sizeof(int32_t));
  }
  return {count, cols_, offsets, indices, values, first, weights};
}

MatrixBlock CsrSource::read(int64_t first, int64_t count, BlockBuffer& buffer) const {
  const CsrBlock sparse = read_csr(first, count, buffer.inner());
  const auto cells = static_cast<size_t>(count * cols_);
  auto* out = reinterpret_cast<double*>(buffer.reserve(std::max<size_t>(64, cells * sizeof(double))));
  std::fill_n(out, cells, 0.0);
  for (int64_t i = 0; i < count; ++i) {
    double* row = out + i * cols_;
    const int64_t begin = sparse.begin(i);
    for (int64_t p = begin; p < begin + sparse.count(i); ++p) row[sparse.indices[p]] = sparse.values[p];
  }
  return {DType::kF64, out, count, cols_, cols_, first, sparse.weights};
}

void CsrSource::set_weights(std::vector<double> weights) {
  if (static_cast<int64_t>(weights.size()) != rows()) {
    fail(ErrorCode::kBadInput, "weights", std::to_string(weights.size()) + " weights for " + std::to_string(rows()) + " rows",
         "give one weight a row");
  }
  for (size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] >= 0) || std::isinf(weights[i]))
      fail(ErrorCode::kBadInput, "weight of row " + std::to_string(i), "it is not a finite number >= 0", "mend it");
  }
  max_weight_ = weights.empty() ? 0 : *std::max_element(weights.begin(), weights.end());
  if (!weights.empty() && max_weight_ == 0) fail(ErrorCode::kBadInput, "weights", "all weights are 0", "give some row a weight above 0");
  weights_ = std::move(weights);
}

CsrStore::CsrStore(StoreOptions options) : options_(std::move(options)) {
  if (options_.to_file) spill();
}

CsrStore::~CsrStore() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(path_.c_str());
}

void CsrStore::append(std::span<const int32_t> indices, std::span<const double> values) {
  offsets_.push_back(offsets_.back() + static_cast<int64_t>(indices.size()));
  if (fd_ >= 0) {
    put(values.data(), values.size_bytes());
    put(indices.data(), indices.size_bytes());
    return;
  }
  indices_.insert(indices_.end(), indices.begin(), indices.end());
  values_.insert(values_.end(), values.begin(), values.end());
  // The vectors may hold twice what they use.
  if (static_cast<int64_t>(values_.size()) * kEntryBytes > options_.memory / 2) spill();
}

void CsrStore::spill() {
  do {  // a dead run with our process number, or one of another host, may have left such a file
    path_ = new_spool_path(options_.spool_dir);
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  } while (fd_ < 0 && errno == EEXIST);
  if (fd_ < 0) disk_refuses(path_, "the spool file can't be made");
  for (int64_t i = 0; i < rows(); ++i) {
    const auto begin = static_cast<size_t>(offsets_[static_cast<size_t>(i)]);
    const auto count = static_cast<size_t>(offsets_[static_cast<size_t>(i) + 1]) - begin;
    put(values_.data() + begin, count * sizeof(double));
    put(indices_.data() + begin, count * sizeof(int32_t));
  }
  values_ = {};
  indices_ = {};
}

void CsrStore::put(const void* data, size_t bytes) {
  const auto* from = static_cast<const std::byte*>(data);
  pending_.insert(pending_.end(), from, from + bytes);
  if (pending_.size() >= kFlushBytes) flush();
}

void CsrStore::flush() {
  for (size_t done = 0; done < pending_.size();) {
    const ssize_t put = ::write(fd_, pending_.data() + done, pending_.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) disk_refuses(path_, "writing the spool failed");
    done += static_cast<size_t>(put);
  }
  pending_.clear();
}

std::unique_ptr<CsrSource> CsrStore::finish(int64_t cols) {
  std::vector<int64_t> offsets = std::exchange(offsets_, {0});
  if (fd_ < 0) return std::make_unique<CsrSource>(std::move(offsets), std::exchange(indices_, {}), std::exchange(values_, {}), cols);
  flush();
  return std::make_unique<CsrSource>(std::exchange(fd_, -1), std::move(path_), std::move(offsets), cols);
}

}  // namespace sluice
