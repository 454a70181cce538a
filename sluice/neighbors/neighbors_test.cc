#include "sluice/neighbors/neighbors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

namespace sluice {
namespace {

MemorySource measured(std::vector<double> values, int64_t rows, int64_t cols) {
  MemorySource source(std::move(values), rows, cols);
  Context ctx;
  source.stats = measure(source, ctx);
  return source;
}

template <class T>
std::vector<T> values_of(const Outcome& out, const std::string& name) {
  for (const OutcomeArray& array : out.arrays) {
    if (array.name != name) continue;
    std::vector<T> values(array.values.size() / sizeof(T));
    std::memcpy(values.data(), array.values.data(), array.values.size());
    return values;
  }
  ADD_FAILURE() << "no array " << name;
  return {};
}

std::string text_of(const Outcome& out, const std::string& name) {
  std::string text;
  for (const OutcomeFile& file : out.files) {
    if (file.name == name) file.write([&](std::string_view piece) { text += piece; });
  }
  return text;
}

TEST(Neighbors, OfFourRowsOnALine) {
  Context ctx;
  const MemorySource rows = measured({0, 1, 3, 7}, 4, 1);
  NeighborsParams params;
  params.n_neighbors = 2;
  const Outcome out = neighbors_run(rows, params, ctx);
  EXPECT_EQ(values_of<int64_t>(out, "indices"), (std::vector<int64_t>{1, 2, 0, 2, 1, 0, 2, 1}));
  EXPECT_EQ(values_of<double>(out, "distances"), (std::vector<double>{1, 3, 1, 2, 2, 3, 4, 6}));
  EXPECT_EQ(out.result.all().at("mean_distance"), "2.75");
}

TEST(Neighbors, AModelFindsOldRowsForNewOnes) {
  Context ctx;
  const MemorySource rows = measured({0, 1, 3, 7}, 4, 1);
  NeighborsParams params;
  params.n_neighbors = 1;
  const ModelFile model = decode_model(encode_model(neighbors_run(rows, params, ctx).model), "model");
  const Outcome out = neighbors_apply(model, measured({6, 2, 3}, 3, 1), ctx);
  EXPECT_EQ(values_of<int64_t>(out, "indices"), (std::vector<int64_t>{3, 1, 2}));  // 2 is as near to 1 as to 3: the lower row
  EXPECT_EQ(values_of<double>(out, "distances"), (std::vector<double>{1, 1, 0}));
}

TEST(Neighbors, WithinARadius) {
  Context ctx;
  NeighborsParams params;
  params.radius = 2;
  const Outcome out = neighbors_run(measured({0, 1, 3, 7}, 4, 1), params, ctx);
  EXPECT_EQ(values_of<int64_t>(out, "counts"), (std::vector<int64_t>{1, 2, 1, 0}));
  EXPECT_EQ(text_of(out, "edges.csv"), "row,neighbor,distance\n0,1,1\n1,0,1\n1,2,2\n2,1,2\n");
  EXPECT_EQ(out.result.all().at("n_alone"), "1");
  const Outcome applied = neighbors_apply(out.model, measured({6}, 1, 1), ctx);
  EXPECT_EQ(text_of(applied, "edges.csv"), "row,neighbor,distance\n0,3,1\n");
}

TEST(Neighbors, BothAtOnceAreRefused) {
  Context ctx;
  NeighborsParams params;
  params.radius = 2;
  params.n_neighbors = 1;
  EXPECT_THROW(neighbors_run(measured({0, 1, 3, 7}, 4, 1), params, ctx), Error);
}

TEST(Neighbors, DamagedModelsAreRefused) {
  Context ctx;
  const MemorySource rows = measured({0, 1, 3, 7}, 4, 1);
  const ModelFile good = neighbors_run(rows, {3}, ctx).model;
  const auto refused = [&](const std::function<void(ModelFile&)>& damage) {
    ModelFile model = good;
    damage(model);
    try {
      neighbors_apply(model, rows, ctx);
    } catch (const Error& e) {
      return e.code == ErrorCode::kBadModel;
    }
    return false;
  };
  EXPECT_FALSE(refused([](ModelFile&) {}));
  const auto put_k = [](int64_t k) { return [k](ModelFile& model) { model.put("n_neighbors", std::vector<int64_t>{k}); }; };
  for (const int64_t k : {-1, 0, 5}) EXPECT_TRUE(refused(put_k(k)));
  EXPECT_TRUE(refused([](ModelFile& model) { model.about["metric"] = "chebyshev"; }));
  EXPECT_TRUE(refused([](ModelFile& model) { model.put("radius", std::vector<double>{1.0}); }));
  EXPECT_TRUE(refused([](ModelFile& model) { model.put("rows", Matrix<double>(0, 1)); }));
  EXPECT_TRUE(refused([](ModelFile& model) { model.put("rows", Matrix<double>(4, 1, 1e300)); }));
}

}  // namespace
}  // namespace sluice
