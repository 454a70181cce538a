#include "progress.h"

#include <cstdio>

namespace sluice {
namespace {

std::string seconds_text(double seconds) {
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  if (whole < 90) return std::to_string(whole) + " s";
  if (whole < 5400) return std::to_string(whole / 60) + " min";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
}

}  // namespace

void TextProgress::stage(const std::string& name, int64_t total_steps) {
  if (name == name_ && total_steps == total_) return;  // another start of the same
  name_ = name;
  total_ = total_steps;
  begun_ = Clock::now();
}

void TextProgress::step(int64_t done, const std::string& note) {
  const auto now = Clock::now();
  const auto wait = terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(1000 * seconds_);
  if (now - shown_ < wait) return;
  shown_ = now;
  const double spent = std::chrono::duration<double>(now - begun_).count();
  std::string line = name_ + ": " + std::to_string(done) + (total_ > 0 ? " of " + std::to_string(total_) : std::string()) +
                     (note.empty() ? "" : ", " + note) + ", " + seconds_text(spent);
  if (total_ > 0 && done > 0 && done < total_)
    line += ", at most " + seconds_text(spent * static_cast<double>(total_ - done) / static_cast<double>(done)) + " left";
  if (terminal_) {
    std::fprintf(stderr, "\r\x1b[K%.200s", line.c_str());
    std::fflush(stderr);
    drawn_ = true;
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
}

void TextProgress::clear() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
  drawn_ = false;
}

}  // namespace sluice
