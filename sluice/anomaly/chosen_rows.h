// Chosen rows of a source, in the order given, as a source: read where they lie, no copy of the data. The whole must outlive it.
// Statistics are not measured; measure() does.
#pragma once
#include <vector>

#include "sluice/core/source.h"

namespace sluice {

class ChosenRows final : public Source {
 public:
  // `chosen`: row numbers of `all`, ascending.
  ChosenRows(const Source& all, std::vector<int64_t> chosen);
  int64_t rows() const override { return static_cast<int64_t>(chosen_.size()); }
  int64_t cols() const override { return all_.cols(); }
  DType dtype() const override { return all_.dtype(); }
  MatrixBlock read(int64_t first, int64_t count, BlockBuffer& buffer) const override;

 private:
  const Source& all_;
  std::vector<int64_t> chosen_;
};

}  // namespace sluice
