// IDX files, the format of MNIST: a big-endian header, then values of one type. http://yann.lecun.com/exdb/mnist
#pragma once
#include <memory>

#include "sluice/core/table.h"
#include "sluice/io/byte_stream.h"

namespace sluice {

// Rows are the first dimension, columns the product of the others. Types: unsigned and signed byte, short, int, float, double.
// A plain file becomes a source directly over it; a compressed one is decompressed once to a spool of the same bytes.
// Throws Error{kBadInput} when the header is not IDX or the file is shorter or longer than it says.
Table read_idx(const std::shared_ptr<File>& file, Compression compression, const StoreOptions& store);

}  // namespace sluice
