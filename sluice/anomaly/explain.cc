#include "sluice/anomaly/explain.h"

#include <algorithm>

#include "sluice/anomaly/detector.h"
#include "sluice/core/quantiles.h"

namespace sluice {

Matrix<double> usual_values(const Source& rows, Context& ctx) {
  constexpr double kShares[] = {0.05, 0.5, 0.95};
  return column_quantiles(rows, kShares, ctx);
}

int64_t most_explained(int64_t d) {
  return std::max<int64_t>(1, (int64_t{1} << 33) / (d * (d + 1)));
}

Matrix<double> contributions(const Source& source, std::span<const int64_t> rows, const Matrix<double>& usual,
                             const std::function<void(const MatrixBlock&, double*)>& score, Context& ctx) {
  const int64_t d = source.cols();
  const auto count = static_cast<int64_t>(rows.size());
  Matrix<double> out(count, d);
  const int64_t at_once = std::max<int64_t>(1, std::min<int64_t>(8192, (int64_t{1} << 21) / d) / (d + 1));  // rows explained by one block
  replicated(ctx, [&](Context& alone) {
    for_each_index((count + at_once - 1) / at_once, alone, [&](int, int64_t chunk) {
      const int64_t first = chunk * at_once, here = std::min(at_once, count - first);
      std::vector<double> variants(static_cast<size_t>(here * (d + 1) * d)), scores(static_cast<size_t>(here * (d + 1)));
      for (int64_t i = 0; i < here; ++i) {
        const std::vector<double> row = read_row(source, rows[static_cast<size_t>(first + i)]);
        for (int64_t v = 0; v <= d; ++v) {
          double* to = variants.data() + (i * (d + 1) + v) * d;
          std::copy(row.begin(), row.end(), to);
          if (v < d) to[v] = usual(1, v);
        }
      }
      score({DType::kF64, variants.data(), here * (d + 1), d, d, 0, nullptr}, scores.data());
      for (int64_t i = 0; i < here; ++i) {
        const double* at = scores.data() + i * (d + 1);
        for (int64_t j = 0; j < d; ++j) out(first + i, j) = at[d] - at[j];
      }
    });
  });
  return out;
}

}  // namespace sluice
