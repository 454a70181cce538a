// One table for all ranks: rank 0 reads the input, the others read what it wrote. So a compressed or text input is parsed once, standard
// input works, and all ranks see the same bytes. Asks for a file system that the ranks share, and says so when there is none.
#pragma once
#include <functional>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/table.h"

namespace sluice {

// Collective. `read` runs on rank 0 only; its errors come out on every rank. Texts travel as messages; numbers
// that lie row by row in a file are read there, others by a spool file in ctx.spool_dir that goes with its last reader. Memory: the texts,
// and one block of rows.
Table share_table(const std::function<Table()>& read, Context& ctx);

}  // namespace sluice
