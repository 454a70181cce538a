#include "sluice/reduce/leaf_sums.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace sluice {
namespace {

int ceil_log2(int64_t n) {
  return n <= 1 ? 0 : std::bit_width(static_cast<uint64_t>(n - 1));
}

LimbFormat two_limbs(const LeafRange& range) {
  // One more than the bound's exponent, since a total may equal the bound. A median so far below it asks for the second limb.
  const int exponent = ceil_log2(range.rows_per_leaf) + 1;
  const std::array<LimbFormat::Range, 1> all = {{{exponent, exponent - 20, exponent + ceil_log2(range.leaves)}}};
  return {all, range.leaves};
}

}  // namespace

LeafSumFormat::LeafSumFormat(const LeafRange& range) : format_(two_limbs(range)) {
  if (format_.limbs() != 2)
    fail(ErrorCode::kBug, "leaf sums", "they need " + std::to_string(format_.limbs()) + " limbs", "please report this as a bug");
  std::copy_n(format_.magic(), 2, magic_);
}

double LeafSumFormat::value(int64_t high, int64_t low, int64_t leaves) const {
  const int64_t sums[2] = {high, low};
  return format_.value(sums, leaves, 0);
}

Context within_memory(const Context& ctx, const char* what, const char* otherwise, double bytes_once, double bytes_per_thread) {
  // Half is for the rows, a small part for everything else a run holds; little is never refused.
  const double budget = std::max(16e6, 0.5 * static_cast<double>(ctx.memory) - 32e6);
  const double most = std::min<double>((budget - bytes_once) / std::max(1.0, bytes_per_thread), worker_count(ctx));
  const auto mine = static_cast<int64_t>(std::floor(std::max(0.0, most)));
  const int64_t threads = ctx.comm == nullptr ? mine : all_min(*ctx.comm, mine);
  if (threads < 1) {
    fail(ErrorCode::kMemory, what,
         "it needs " + std::to_string(static_cast<int64_t>(bytes_once + bytes_per_thread)) + " bytes beside the rows",
         "raise --memory to at least " + std::to_string(static_cast<int64_t>(2 * (bytes_once + bytes_per_thread + 32e6))) + ", or " +
             otherwise);
  }
  Context within = ctx;
  within.threads = static_cast<int>(threads);
  return within;
}

}  // namespace sluice
