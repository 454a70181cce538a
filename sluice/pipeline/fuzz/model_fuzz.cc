// A model file of any bytes is refused, or applied to a few rows without harm.
#include <cstdint>

#include "sluice/core/error.h"
#include "sluice/core/statistics.h"
#include "sluice/pipeline/registry.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  try {
    const ModelFile model = decode_model(std::as_bytes(std::span(data, size)), "fuzz");
    const Algorithm* algorithm = find_algorithm(model.text("algorithm"));
    if (algorithm == nullptr) return 0;
    Context ctx;
    MemorySource rows({0, 0, 1, 0.5, -3, 2}, 3, 2);
    rows.stats = measure(rows, ctx);
    Outcome outcome = algorithm->apply(model, rows, ctx);
    if (outcome.embed && outcome.embedding_cols < 100) {
      std::vector<double> out(static_cast<size_t>(3 * outcome.embedding_cols));
      BlockBuffer buffer;
      outcome.embed(rows.read(0, 3, buffer), out.data());
    }
  } catch (const Error&) {
  }
  return 0;
}
