// What must not change a mixture: threads, ranks, storage, instruction set, an interruption; and damage that must be seen.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sluice/comm/thread_ranks.h"
#include "sluice/kernels/cpu.h"
#include "sluice/mixture/gmm.h"
#include "sluice/mixture/testing.h"

namespace sluice {
namespace {

using testing::context;
using testing::groups;
using testing::Memory;
using testing::source_of;
using testing::StopAt;

struct Way {
  const char* name;
  CovarianceType type;
  GmmInit init = GmmInit::kKMeans;
  bool automatic = false;
  int64_t cols = 3;
};

class GmmLaws : public ::testing::TestWithParam<Way> {
 protected:
  std::vector<double> values_ = rounded(groups(700, GetParam().cols, 4, 3, 7));
  MemorySource rows_ = source_of(values_, GetParam().cols);

  static std::vector<double> rounded(std::vector<double> values) {
    for (double& x : values) x = static_cast<float>(x);
    return values;
  }
  GmmParams params() const {
    GmmParams params;
    params.n_components = 4;
    if (GetParam().automatic) params.n_components.reset();
    params.max_components = 4;
    params.covariance_type = GetParam().type;
    params.init_params = GetParam().init;
    params.n_init = 2;
    params.max_iter = 12;
    return params;
  }
  GmmFit fitted(const Source& rows, Context ctx) const { return gmm_fit(rows, params(), {}, ctx); }
};

void expect_same(const GmmFit& a, const GmmFit& b) {
  EXPECT_EQ(a.model.weights, b.model.weights);
  EXPECT_EQ(a.model.means, b.model.means);
  EXPECT_EQ(a.model.covariances, b.model.covariances);
  EXPECT_EQ(a.model.precisions_cholesky, b.model.precisions_cholesky);
  EXPECT_EQ(a.n_iter, b.n_iter);
  EXPECT_EQ(a.lower_bound, b.lower_bound);
  EXPECT_EQ(a.log_likelihood, b.log_likelihood);
  EXPECT_EQ(a.bics, b.bics);
  EXPECT_EQ(a.cluster_sizes, b.cluster_sizes);
  for (int64_t r = std::max(a.labels.first_row(), b.labels.first_row()); r < std::min(a.labels.last_row(), b.labels.last_row()); ++r) {
    ASSERT_EQ(a.labels[r], b.labels[r]);
    ASSERT_EQ(a.log_density[r], b.log_density[r]);
  }
}

TEST_P(GmmLaws, ThreadsAndRanksGiveTheSameBits) {
  const GmmFit truth = fitted(rows_, context(1, 64));
  for (const int threads : {2, 3}) expect_same(fitted(rows_, context(threads, 64)), truth);
  for (const int ranks : {2, 3}) {
    run_as_ranks(ranks, [&](Communicator& comm) {
      Context ctx = context(2, 64);
      ctx.comm = &comm;
      expect_same(fitted(rows_, ctx), truth);
    });
  }
  const GmmFit alone = fitted(rows_, context(1));  // small data: ranks do not share it
  run_as_ranks(2, [&](Communicator& comm) {
    Context ctx = context(1);
    ctx.comm = &comm;
    expect_same(fitted(rows_, ctx), alone);
  });
}

TEST_P(GmmLaws, EveryInstructionSetAndStorageGivesTheSameBits) {
  const kernels::Target best = kernels::current_target();
  const GmmFit truth = fitted(rows_, context());
  for (const kernels::Target target : kernels::kAllTargets) {
    if (!kernels::target_available(target)) continue;
    kernels::use_target(target);
    expect_same(fitted(rows_, context()), truth);
  }
  kernels::use_target(best);
  const std::vector<float> narrow(values_.begin(), values_.end());
  MemorySource stored(DType::kF32, narrow.data(), 700, GetParam().cols, GetParam().cols, nullptr);
  stored.stats = rows_.stats;
  expect_same(fitted(stored, context()), truth);
}

TEST_P(GmmLaws, WeightsCountAsCopies) {
  const int64_t d = GetParam().cols;
  std::vector<double> weights, copies;
  for (int64_t i = 0; i < 700; ++i) {
    weights.push_back(static_cast<double>(i % 3));
    for (int64_t c = 0; c < i % 3; ++c) copies.insert(copies.end(), values_.begin() + d * i, values_.begin() + d * i + d);
  }
  MemorySource weighted = source_of(values_, d);
  weighted.set_weights(weights);
  const MemorySource copied = source_of(copies, d);
  GmmParams same = params();
  same.n_components = 4;
  const GmmStart start{{}, testing::some_rows(rows_, 4), {}};
  Context ctx = context();
  const GmmFit a = gmm_fit(weighted, same, start, ctx), b = gmm_fit(copied, same, start, ctx);
  EXPECT_NEAR(a.log_likelihood, b.log_likelihood, 1e-10);
  EXPECT_DOUBLE_EQ(a.weight, b.weight);
  for (size_t i = 0; i < a.model.means.values.size(); ++i) EXPECT_NEAR(a.model.means.values[i], b.model.means.values[i], 1e-8);
  for (size_t i = 0; i < a.model.covariances.values.size(); ++i)
    EXPECT_NEAR(a.model.covariances.values[i], b.model.covariances.values[i], 1e-8);
}

TEST_P(GmmLaws, AnInterruptedFitEndsAlike) {
  const GmmFit whole = fitted(rows_, context());
  for (const int64_t at : {1, 2, 5, 9, 14, 22}) {
    Memory memory;
    std::atomic<bool> stop{false};
    StopAt watch(at, stop);
    Context ctx = context(2);
    ctx.checkpoints = &memory;
    ctx.stop = &stop;
    ctx.progress = &watch;
    try {
      gmm_fit(rows_, params(), {}, ctx);
    } catch (const Error& error) {
      ASSERT_EQ(error.code, ErrorCode::kInterrupted);
      EXPECT_FALSE(memory.kept.empty());
    }
    Context again = context(3);
    again.checkpoints = &memory;
    expect_same(gmm_fit(rows_, params(), {}, again), whole);
    const Bytes kept = memory.kept;
    memory.kept.resize(kept.size() / 2);
    EXPECT_THROW(gmm_fit(rows_, params(), {}, again), Error);
    for (size_t place = 0; place < kept.size(); place += 41) {  // damage ends in an error or in some fit
      memory.kept = kept;
      memory.kept[place] ^= std::byte{0x80};
      try {
        gmm_fit(rows_, params(), {}, again);
      } catch (const Error&) {
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, GmmLaws,
                         ::testing::Values(Way{"full", CovarianceType::kFull}, Way{"tied", CovarianceType::kTied},
                                           Way{"wide", CovarianceType::kFull, GmmInit::kKMeans, false, 9},
                                           Way{"widetied", CovarianceType::kTied, GmmInit::kKMeans, false, 9},
                                           Way{"widediag", CovarianceType::kDiag, GmmInit::kKMeans, false, 9},
                                           Way{"diag", CovarianceType::kDiag}, Way{"spherical", CovarianceType::kSpherical},
                                           Way{"random", CovarianceType::kFull, GmmInit::kRandom},
                                           Way{"spread", CovarianceType::kFull, GmmInit::kPlusPlus},
                                           Way{"automatic", CovarianceType::kDiag, GmmInit::kKMeans, true}),
                         [](const auto& info) { return info.param.name; });

TEST(GmmModelFile, DamageIsSeen) {
  const MemorySource rows = source_of(groups(200, 3, 3, 2, 6), 3);
  for (const auto type : {CovarianceType::kFull, CovarianceType::kTied, CovarianceType::kDiag, CovarianceType::kSpherical}) {
    GmmParams params;
    params.n_components = 3;
    params.covariance_type = type;
    Context ctx = context();
    const ModelFile good = gmm_run(rows, params, ctx).model;
    const auto refused = [&](const std::function<void(ModelFile&)>& damage) {
      ModelFile bad = good;
      damage(bad);
      try {
        gmm_apply(bad, rows, ctx);
        ADD_FAILURE() << "taken";
      } catch (const Error& error) {
        EXPECT_EQ(error.code, ErrorCode::kBadModel);
      }
    };
    const auto set = [](ModelFile& file, const std::string& name, size_t at, double value) {
      std::memcpy(file.tensors.at(name).data.data() + 8 * at, &value, 8);
    };
    EXPECT_NO_THROW(gmm_apply(good, rows, ctx));
    for (const char* name : {"weights", "means", "covariances", "precisions_cholesky"}) {
      refused([&](ModelFile& file) { file.tensors.erase(name); });
      refused([&](ModelFile& file) { set(file, name, 0, NAN); });
      refused([&](ModelFile& file) { file.tensors.at(name).shape = {1, 1, 1}; });
      refused([&](ModelFile& file) { file.tensors.at(name).dtype = "I64"; });
    }
    refused([&](ModelFile& file) { set(file, "weights", 0, -0.5); });
    refused([&](ModelFile& file) { set(file, "weights", 0, 0.99); });
    refused([&](ModelFile& file) { set(file, "means", 0, 1e200); });
    refused([&](ModelFile& file) { set(file, "covariances", 0, -1); });
    refused([&](ModelFile& file) { set(file, "precisions_cholesky", 0, 1e300); });
    refused([&](ModelFile& file) { set(file, "precisions_cholesky", 0, 0); });
    refused([&](ModelFile& file) { file.about["covariance_type"] = "any"; });
    refused([&](ModelFile& file) { file.about["probabilities"] = "perhaps"; });
    if (type == CovarianceType::kFull || type == CovarianceType::kTied) {
      refused([&](ModelFile& file) { set(file, "covariances", 1, 77); });           // no longer symmetric
      refused([&](ModelFile& file) { set(file, "precisions_cholesky", 3, 0.5); });  // below the diagonal
    }
    const MemorySource other = source_of(groups(20, 2, 1, 1, 1), 2);
    EXPECT_THROW(gmm_apply(good, other, ctx), Error);
  }
}

}  // namespace
}  // namespace sluice
