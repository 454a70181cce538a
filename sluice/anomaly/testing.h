// Rows and checks that the tests of detectors share.
#pragma once
#include <gtest/gtest.h>

#include <vector>

#include "sluice/anomaly/detector.h"
#include "sluice/core/random.h"

namespace sluice::testing {

inline MemorySource source_of(std::vector<double> values, int64_t cols) {
  const auto rows = static_cast<int64_t>(values.size()) / cols;
  MemorySource source(std::move(values), rows, cols);
  Context ctx;
  source.stats = measure(source, ctx);
  return source;
}

inline std::vector<double> normal_values(int64_t count, uint64_t seed) {
  std::vector<double> values;
  Random random(seed, RandomStage::kMakeData, 0);
  for (int64_t i = 0; i < count; ++i) values.push_back(random.normal());
  return values;
}

inline std::vector<double> scores_of(const Outcome& out) {
  return {out.scores->at(out.scores->first_row()), out.scores->at(out.scores->last_row())};
}

// The row-local scores of a source's rows, one call a row.
inline std::vector<double> one_by_one(const Outcome& out, const Source& rows) {
  std::vector<double> scores(static_cast<size_t>(rows.rows()));
  BlockBuffer buffer;
  for (int64_t i = 0; i < rows.rows(); ++i) out.score(rows.read(i, 1, buffer), &scores[static_cast<size_t>(i)]);
  return scores;
}

using Apply = Outcome (*)(const ModelFile&, const Source&, Context&);

// A model that went through its file scores new rows as the fit's own score does, all at once and one by one.
inline void expect_model_scores_alike(const Outcome& fit, Apply apply, const Source& fresh) {
  Context ctx;
  ctx.threads = 3;
  const Outcome again = apply(decode_model(encode_model(fit.model), "model"), fresh, ctx);
  const std::vector<double> all = scores_of(again);
  EXPECT_EQ(all, one_by_one(fit, fresh));
  EXPECT_EQ(all, one_by_one(again, fresh));
}

// Every byte string that differs from the model's in one tensor's value or shape is refused or gives finite scores: none may crash.
inline void expect_damage_is_harmless(const ModelFile& model, Apply apply, const Source& rows) {
  for (const auto& [name, tensor] : model.tensors) {
    for (size_t at = 0; at < tensor.data.size(); at += std::max<size_t>(8, tensor.data.size() / 16 / 8 * 8)) {
      for (const uint64_t value :
           {uint64_t{0}, ~uint64_t{0}, uint64_t{1} << 40, uint64_t{0x7ff0000000000000}, uint64_t{0xc08f400000000000}}) {
        ModelFile broken = model;
        std::memcpy(broken.tensors[name].data.data() + at, &value, std::min<size_t>(8, tensor.data.size() - at));
        Context ctx;
        try {
          for (const double score : scores_of(apply(broken, rows, ctx))) EXPECT_FALSE(std::isnan(score)) << name << " at " << at;
        } catch (const Error& error) {
          EXPECT_TRUE(error.code == ErrorCode::kBadModel || error.code == ErrorCode::kBadInput) << name << ": " << error.what();
        }
      }
    }
    ModelFile without = model;
    without.tensors.erase(name);
    Context ctx;
    EXPECT_THROW(apply(without, rows, ctx), Error) << name;
  }
}

}  // namespace sluice::testing
