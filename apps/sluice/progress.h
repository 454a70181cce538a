// Progress on standard error: a line with an estimate of the time left that is drawn over and over on a terminal; plain lines elsewhere, as
// many seconds apart as asked for.
#pragma once
#include <chrono>
#include <string>

#include "sluice/core/context.h"

namespace sluice {

class TextProgress final : public Progress {
 public:
  TextProgress(bool terminal, int seconds) : terminal_(terminal), seconds_(seconds) {}
  ~TextProgress() override { clear(); }
  void stage(const std::string& name, int64_t total_steps) override;
  void step(int64_t done, const std::string& note) override;
  // Takes the drawn line away, before anything else is printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  bool terminal_;
  int seconds_;
  bool drawn_ = false;
  std::string name_;
  int64_t total_ = 0;
  Clock::time_point begun_ = Clock::now();
  Clock::time_point shown_ = Clock::now();
};

}  // namespace sluice
