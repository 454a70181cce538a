// Archives of NumPy arrays (.npz), stored or deflated.
#pragma once
#include <memory>
#include <string>

#include "sluice/core/table.h"
#include "sluice/io/file.h"

namespace sluice {

// The array `name`; with "" the one called X, else the only two-dimensional one. A stored array becomes a source directly over the
// archive; a deflated one is inflated once to a spool of the same bytes. Its CRC-32 is checked first: one read pass.
// Throws Error{kBadInput} for a damaged archive, a wrong checksum, or when no or more than one array would do (it lists them), and as
// read_npy.
Table read_npz(const std::shared_ptr<File>& file, const std::string& name, const StoreOptions& store);

}  // namespace sluice
