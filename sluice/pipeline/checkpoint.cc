#include "sluice/pipeline/checkpoint.h"

#include <filesystem>

#include "sluice/pipeline/files.h"

namespace sluice {
namespace {
constexpr auto kBetween = std::chrono::seconds(10);
constexpr uint32_t kFormat = 1;
}  // namespace

CheckpointFolder::CheckpointFolder(std::string folder, std::string identity, Context& ctx)
    : folder_(std::move(folder)), identity_(std::move(identity)), ctx_(&ctx), last_(std::chrono::steady_clock::now()) {}

std::string CheckpointFolder::path(const std::string& key) const {
  return folder_ + "/" + key;
}

Bytes CheckpointFolder::load(const std::string& key) {
  Bytes state;
  on_root(*ctx_, [&] {
    std::error_code error;
    if (!std::filesystem::exists(path(key), error)) return;
    const std::string file = read_text_file(path(key));
    ByteReader in(std::as_bytes(std::span<const char>(file)), path(key));
    if (in.get<uint32_t>() != kFormat) return;
    const std::string identity = in.get_text();
    const std::string digest = in.get_text();
    Bytes body = in.get_all<std::byte>();
    if (identity != identity_) return;
    if (sha256_hex(body) != digest) in.damaged("its content has changed since it was written");
    state = std::move(body);
  });
  if (ctx_->ranks() > 1) ctx_->comm->broadcast(state, 0);
  return state;
}

void CheckpointFolder::save(const std::string& key, Bytes state, bool now) {
  if (ctx_->rank() != 0) return;
  if (!now && std::chrono::steady_clock::now() - last_ < kBetween) return;
  last_ = std::chrono::steady_clock::now();
  std::filesystem::create_directories(folder_);
  ByteWriter out;
  out.put(kFormat);
  out.put_text(identity_);
  out.put_text(sha256_hex(state));
  out.put_all(std::span<const std::byte>(state));
  const std::string fresh = path(key) + ".new";
  write_file(fresh, out.take());
  sync_path(fresh);
  std::filesystem::rename(fresh, path(key));
  saved_ = true;
}

}  // namespace sluice
