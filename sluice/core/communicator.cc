#include "sluice/core/communicator.h"

#include <algorithm>

namespace sluice {

int64_t all_min(Communicator& comm, int64_t mine) {
  if (comm.size() == 1) return mine;
  int64_t least = mine;
  for (const Bytes& theirs : comm.all_gather(std::as_bytes(std::span(&mine, 1)))) {
    least = std::min(least, ByteReader(theirs, "a rank's message").get<int64_t>());
  }
  return least;
}

}  // namespace sluice
