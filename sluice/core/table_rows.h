// Row-local passes over a table of numbers and texts, and gathering what they find.
#pragma once
#include <cstring>
#include <functional>
#include <span>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/table.h"

namespace sluice {

// f(worker, numbers of the row or null, row) for each of this rank's rows, in any order of leaves. Collective; errors as fold.h says.
void each_row(const Table& table, Context& ctx, const std::function<void(int worker, const double* numbers, int64_t row)>& f);
// The same of `rows` rows whose numbers, if any, are those of a source.
void each_row(const Source* numbers, int64_t rows, Context& ctx,
              const std::function<void(int worker, const double* numbers, int64_t row)>& f);

// All workers' finds, then all ranks' in rank order, on every rank. T must be plain data without padding that matters.
template <class T>
std::vector<T> gather_finds(std::vector<std::vector<T>>& by_worker, Context& ctx) {
  std::vector<T> all;
  for (auto& part : by_worker) {
    all.insert(all.end(), part.begin(), part.end());
    part = {};
  }
  if (ctx.ranks() == 1) return all;
  const std::vector<Bytes> parts = ctx.comm->all_gather(std::as_bytes(std::span<const T>(all)));
  all.clear();
  for (const Bytes& bytes : parts) {
    const size_t before = all.size();
    all.resize(before + bytes.size() / sizeof(T));
    if (!bytes.empty()) std::memcpy(all.data() + before, bytes.data(), bytes.size());
  }
  return all;
}

}  // namespace sluice
