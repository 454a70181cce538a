#include "sluice/pipeline/files.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "sluice/core/error.h"
#include "sluice/core/model_parts.h"

namespace sluice {
namespace {

[[noreturn]] void io_error(const std::string& path, const std::string& what) {
  fail(ErrorCode::kIo, path, what + ": " + std::strerror(errno), "check the path, the permissions and the space on the disk");
}

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags, mode_t mode = 0644) : fd(::open(path.c_str(), flags | O_CLOEXEC, mode)) {
    if (fd < 0) io_error(path, "it can't be opened");
  }
  ~Descriptor() { ::close(fd); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  const int fd;
};

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void update(const void* data, size_t size) { EVP_DigestUpdate(context_.get(), data, size); }
  std::string hex() {
    unsigned char digest[32];
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_.get(), digest, &size);
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    for (const unsigned char byte : digest) {
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
    return out;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::string npy_header(const std::string& descr, int64_t rows, int64_t cols) {
  std::string text = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + std::to_string(rows) + "," +
                     (cols > 0 ? " " + std::to_string(cols) : std::string()) + "), }";
  while ((10 + text.size() + 1) % 64 != 0) text += ' ';
  text += '\n';
  std::string header = "\x93NUMPY";
  header += '\x01';
  header += '\0';
  header += static_cast<char>(text.size() & 0xff);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

}  // namespace

namespace {

void write_all(const Descriptor& file, const std::string& path, std::span<const std::byte> content) {
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t put = ::write(file.fd, content.data() + done, content.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) io_error(path, "writing failed");
    done += static_cast<size_t>(put);
  }
}

}  // namespace

void write_file(const std::string& path, std::span<const std::byte> content) {
  const Descriptor file(path, O_WRONLY | O_CREAT | O_TRUNC);
  write_all(file, path, content);
}

void write_model(const std::string& path, const ModelFile& model) {
  const Descriptor file(path, O_WRONLY | O_CREAT | O_TRUNC);
  each_model_part(model, [&](std::span<const std::byte> part) { write_all(file, path, part); });
}

void write_file(const std::string& path, const std::string& content) {
  write_file(path, std::as_bytes(std::span<const char>(content)));
}

std::string read_text_file(const std::string& path) {
  const Descriptor file(path, O_RDONLY);
  std::string out;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = ::read(file.fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) io_error(path, "reading failed");
    if (got == 0) return out;
    out.append(buffer, static_cast<size_t>(got));
  }
}

void sync_path(const std::string& path) {
  const Descriptor file(path, O_RDONLY);
  if (::fsync(file.fd) != 0 && errno != EINVAL) io_error(path, "it could not be brought to disk");
}

FileDigest digest_file(const std::string& path) {
  const Descriptor file(path, O_RDONLY);
  Sha256 sha;
  FileDigest out;
  std::vector<char> buffer(size_t{1} << 20);
  for (;;) {
    const ssize_t got = ::read(file.fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) io_error(path, "reading failed");
    if (got == 0) break;
    sha.update(buffer.data(), static_cast<size_t>(got));
    out.bytes += got;
  }
  out.sha256 = sha.hex();
  return out;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 sha;
  sha.update(bytes.data(), bytes.size());
  return sha.hex();
}

NpyWriter::NpyWriter(const std::string& path, const std::string& descr, int64_t rows, int64_t cols, Context& ctx) : path_(path) {
  const std::string header = npy_header(descr, rows, cols);
  header_ = static_cast<int64_t>(header.size());
  row_bytes_ = std::max<int64_t>(1, cols) * (descr.back() - '0');
  on_root(ctx, [&] {
    write_file(path, header);
    if (::truncate(path.c_str(), static_cast<off_t>(header_ + rows * row_bytes_)) != 0) io_error(path, "it can't be given its size");
  });
  fd_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd_ < 0) io_error(path, "it can't be opened");
}

NpyWriter::~NpyWriter() {
  if (fd_ >= 0) ::close(fd_);
}

void NpyWriter::write(int64_t first_row, int64_t rows, const void* values) const {
  const auto* from = static_cast<const char*>(values);
  auto left = static_cast<size_t>(rows * row_bytes_);
  auto at = static_cast<off_t>(header_ + first_row * row_bytes_);
  while (left > 0) {
    const ssize_t put = ::pwrite(fd_, from, left, at);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) io_error(path_, "writing failed");
    from += put;
    at += put;
    left -= static_cast<size_t>(put);
  }
}

namespace {
void on_ranks(Context& ctx, int first, int last, const std::function<void()>& f) {
  LeafRange mine;  // one leaf a rank that works, so that the executor's agreement on errors serves here too
  mine.rows = mine.leaves = ctx.ranks();
  mine.rows_per_leaf = 1;
  mine.first = ctx.rank();
  mine.last = ctx.rank() >= first && ctx.rank() < last ? ctx.rank() + 1 : ctx.rank();
  Context plain = ctx;
  plain.threads = 1;
  plain.stop = nullptr;
  for_each_leaf(mine, plain, [&](int, int64_t) { f(); });
}
}  // namespace

void on_root(Context& ctx, const std::function<void()>& f) {
  on_ranks(ctx, 0, 1, f);
}

void on_each(Context& ctx, const std::function<void()>& f) {
  on_ranks(ctx, 0, ctx.ranks(), f);
}

}  // namespace sluice
