#include "sluice/anomaly/chosen_rows.h"

namespace sluice {

ChosenRows::ChosenRows(const Source& all, std::vector<int64_t> chosen) : all_(all), chosen_(std::move(chosen)) {
  names = all.names;
}

MatrixBlock ChosenRows::read(int64_t first, int64_t count, BlockBuffer& buffer) const {
  const size_t row = static_cast<size_t>(cols()) * size_of(dtype());
  std::byte* to = buffer.reserve(static_cast<size_t>(count) * row);
  for (int64_t i = 0; i < count;) {
    const int64_t from = chosen_[static_cast<size_t>(first + i)];
    int64_t end = i + 1;  // rows that lie near each other are read at once, with at most as many others between them
    while (end < count && chosen_[static_cast<size_t>(first + end)] - from < 2 * (end - i + 1)) ++end;
    const int64_t last = chosen_[static_cast<size_t>(first + end - 1)];
    const MatrixBlock block = all_.read(from, last - from + 1, buffer.inner());
    for (; i < end; ++i)
      std::memcpy(to + static_cast<size_t>(i) * row, block.slice(chosen_[static_cast<size_t>(first + i)] - from, 1).data, row);
  }
  return {dtype(), to, count, cols(), cols(), first, nullptr};
}

}  // namespace sluice
