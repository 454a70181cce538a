// Checkpoints as files in DIR.work/.checkpoints, bound to what they belong to: command, parameters, seed and input content.
// A checkpoint of something else is not used; a damaged one is Error{kBadModel}.
#pragma once
#include <chrono>
#include <string>

#include "sluice/core/context.h"

namespace sluice {

class CheckpointFolder final : public Checkpoints {
 public:
  // `identity`: any text that is equal exactly when a checkpoint may be used again.
  CheckpointFolder(std::string folder, std::string identity, Context& ctx);
  Bytes load(const std::string& key) override;
  void save(const std::string& key, Bytes state, bool now) override;
  bool saved() const { return saved_; }

 private:
  std::string path(const std::string& key) const;
  std::string folder_;
  std::string identity_;
  Context* ctx_;
  std::chrono::steady_clock::time_point last_;
  bool saved_ = false;
};

}  // namespace sluice
