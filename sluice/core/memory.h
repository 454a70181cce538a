// What a computation may still take of the memory budget, for those that cannot stream and so say their bytes before they start.
#pragma once
#include <cstdint>
#include <string>

#include "sluice/core/context.h"
#include "sluice/core/source.h"

namespace sluice {

// ctx.memory less what the program itself takes (code, threads, buffers: 24 MiB, or half of a smaller budget) and less the rows, where they
// lie in memory (half of the rest at most). The same on every rank.
int64_t memory_left(const Source& rows, const Context& ctx);

// Error{kMemory} when `bytes` exceed what is left; `what` says what takes them, `who` which part of the program.
void require_left(const std::string& who, const std::string& what, double bytes, const Source& rows, const Context& ctx,
                  const std::string& remedy);

}  // namespace sluice
