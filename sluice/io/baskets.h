// FIMI baskets: one basket a line, its items as whole numbers parted by spaces or tabs. Our own parser, for the line and byte in the error.
#pragma once
#include <string>
#include <vector>

#include "sluice/core/baskets.h"
#include "sluice/core/context.h"

namespace sluice {

struct TextFile;  // encoding.h

// Several files are one set of baskets, in the order given. Lines end in LF or CRLF. A line without items is an empty basket, the end of
// the last line begins none. Items are numbers from 0 to 2^63 - 1, in ascending order afterwards; leading zeros do not count, and neither
// does an item that a basket names twice. Items of the set are numbered by their value, smallest first.
//
// Cost: one pass over the text, about 100 MB/s. Memory: 4 bytes an item and 8 a basket, doubling as they grow, checked against half of
// ctx.memory before it is taken; some 100 bytes a distinct item. Throws Error{kBadInput} naming FILE:LINE and byte for what is no such
// number, for a line longer than 64 MiB and for a file without lines; Error{kMemory}; Error{kInterrupted} on a wish to stop.
BasketSet read_baskets(const std::vector<TextFile>& files, const Context& ctx);

// The same for files by name, compressed or not as that says. Throws Error{kIo} as well.
BasketSet read_basket_files(const std::vector<std::string>& paths, const Context& ctx);

}  // namespace sluice
