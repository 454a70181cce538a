#include "sluice/core/memory.h"

#include <algorithm>

#include "sluice/core/error.h"
#include "sluice/core/text.h"

namespace sluice {
namespace {

constexpr int64_t kProgram = int64_t{24} << 20;

}  // namespace

int64_t memory_left(const Source& rows, const Context& ctx) {
  const int64_t rest = ctx.memory - std::min(kProgram, ctx.memory / 2);
  if (dynamic_cast<const MemorySource*>(&rows) == nullptr) return rest;
  const double held = static_cast<double>(rows.rows()) * static_cast<double>(rows.cols()) * static_cast<double>(size_of(rows.dtype()));
  return rest - static_cast<int64_t>(std::min(held, static_cast<double>(rest / 2)));
}

void require_left(const std::string& who, const std::string& what, double bytes, const Source& rows, const Context& ctx,
                  const std::string& remedy) {
  const int64_t left = memory_left(rows, ctx);
  if (bytes <= static_cast<double>(left)) return;
  fail(ErrorCode::kMemory, who,
       what + " takes " + to_text(static_cast<int64_t>(std::min(bytes, 0x1p62))) + " bytes; of the budget of " + to_text(ctx.memory) +
           ", " + to_text(left) + " are left beside the program and its rows",
       remedy);
}

}  // namespace sluice
