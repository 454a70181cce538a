// Files written so that a crash leaves the old or the new, never half: synced before they are named.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sluice/core/fold.h"
#include "sluice/core/model_file.h"

namespace sluice {

void write_file(const std::string& path, std::span<const std::byte> content);  // Error{kIo}
void write_file(const std::string& path, const std::string& content);
std::string read_text_file(const std::string& path);  // Error{kIo}
void sync_path(const std::string& path);              // a file's or a folder's content to disk

// A model as its file, without a copy of its tensors.
void write_model(const std::string& path, const ModelFile& model);

// The SHA-256 of a file as 64 hexadecimal digits, and its size.
struct FileDigest {
  std::string sha256;
  int64_t bytes = 0;
};
FileDigest digest_file(const std::string& path);
std::string sha256_hex(std::span<const std::byte> bytes);

// A .npy file of one fixed-width row a row, written in pieces at their places by any thread of any rank.
// The constructor is collective: rank 0 makes the file, the others open it.
class NpyWriter {
 public:
  // descr as numpy writes it: "<i4", "<f8", "<i8", "|u1". cols 0: a one-dimensional array.
  NpyWriter(const std::string& path, const std::string& descr, int64_t rows, int64_t cols, Context& ctx);
  ~NpyWriter();
  NpyWriter(const NpyWriter&) = delete;
  NpyWriter& operator=(const NpyWriter&) = delete;
  void write(int64_t first_row, int64_t rows, const void* values) const;

 private:
  std::string path_;
  int fd_ = -1;
  int64_t header_ = 0;
  int64_t row_bytes_ = 0;
};

// Runs f on rank 0 and makes all ranks fail alike if it throws.
void on_root(Context& ctx, const std::function<void()>& f);
// Runs f, which makes no collective call, on every rank and makes all fail alike if one throws.
void on_each(Context& ctx, const std::function<void()>& f);

}  // namespace sluice
