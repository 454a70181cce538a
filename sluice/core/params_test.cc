#include "sluice/core/params.h"

#include <gtest/gtest.h>

#include <limits>
#include <optional>

namespace sluice {
namespace {

enum class Init { kPlusPlus, kRandom };

struct Params {
  int64_t n_clusters = 8;
  int32_t max_iter = 300;
  double tol = 1e-4;
  double cutoff = std::numeric_limits<double>::infinity();
  std::optional<int64_t> n_init;
  std::optional<double> eps;
  Init init = Init::kPlusPlus;
  std::optional<Init> second;
  bool verbose = false;
  std::string label = "a \"b\"";
  std::string centers;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(n_clusters, "n_clusters", Range<int64_t>{1, int64_t{1} << 31}, "Number of clusters.");
    v(max_iter, "max_iter", Range<int32_t>{1, 1'000'000}, "Most passes.");
    v(tol, "tol", Range<double>{0, 1}, "Tolerance.");
    v(cutoff, "cutoff", Range<double>{0, std::numeric_limits<double>::infinity()}, "Cut.");
    v(n_init, "n_init", Range<int64_t>{1, 1000}, "Restarts.", "1");
    v(eps, "eps", Range<double>{0, 10}, "Radius.");
    v(init, "init", Choices<Init>{{{"k-means++", Init::kPlusPlus}, {"random", Init::kRandom}}}, "Start.");
    v(second, "second", Choices<Init>{{{"k-means++", Init::kPlusPlus}, {"random", Init::kRandom}}}, "Then.");
    v(verbose, "verbose", Flag{}, "Talk.");
    v(label, "label", Text{}, "Words.");
    v(centers, "centers", FilePath{}, "A file.");
  }
};

std::string refusal(std::string_view name, std::string_view text) {
  Params params;
  try {
    set_param(params, name, text);
  } catch (const Error& e) {
    EXPECT_EQ(e.code, ErrorCode::kUsage);
    return e.what();
  }
  return "";
}

TEST(Params, EveryTypeIsSetFromText) {
  Params params;
  set_param(params, "n_clusters", "2147483648");
  set_param(params, "max_iter", "+7");
  set_param(params, "tol", "1e-3");
  set_param(params, "cutoff", "inf");
  set_param(params, "n_init", "5");
  set_param(params, "eps", "0.5");
  set_param(params, "init", "random");
  set_param(params, "second", "random");
  set_param(params, "verbose", "true");
  set_param(params, "label", "any, text");
  set_param(params, "centers", "a/b.npy");
  EXPECT_EQ(params.n_clusters, int64_t{1} << 31);
  EXPECT_EQ(params.max_iter, 7);
  EXPECT_EQ(params.tol, 1e-3);
  EXPECT_EQ(params.n_init, 5);
  EXPECT_EQ(params.eps, 0.5);
  EXPECT_EQ(params.init, Init::kRandom);
  EXPECT_EQ(params.second, Init::kRandom);
  EXPECT_TRUE(params.verbose);
  EXPECT_EQ(params.label, "any, text");
  EXPECT_EQ(params.centers, "a/b.npy");
  set_param(params, "n_init", "auto");
  set_param(params, "second", "auto");
  EXPECT_FALSE(params.n_init);
  EXPECT_FALSE(params.second);
}

TEST(Params, BadValuesAreRefusedByNameWithTheRange) {
  for (const char* text : {"0", "2147483649", "-1", "1.5", "1e3", "", " 5", "5 ", "five", "+-5", "99999999999999999999", "auto"}) {
    EXPECT_NE(refusal("n_clusters", text).find("--n-clusters"), std::string::npos) << "'" << text << "'";
  }
  EXPECT_NE(refusal("n_clusters", "0").find("a whole number from 1 to 2147483648"), std::string::npos);
  for (const char* text : {"nan", "-0.1", "1.0000001", "inf", "0,5", "0.5x", ""}) EXPECT_NE(refusal("tol", text), "") << "'" << text << "'";
  for (const char* text : {"K-means++", "", "rand"}) EXPECT_NE(refusal("init", text).find("k-means++ | random"), std::string::npos);
  for (const char* text : {"1", "yes", "True", ""}) EXPECT_NE(refusal("verbose", text).find("true or false"), std::string::npos);
  EXPECT_NE(refusal("n_init", "0"), "");
  EXPECT_NE(refusal("n_init", "Auto"), "");
  EXPECT_NE(refusal("second", "both"), "");
}

TEST(Params, ARefusedValueChangesNothing) {
  Params params;
  params.n_init = 3;
  EXPECT_THROW(set_param(params, "n_init", "0"), Error);
  EXPECT_THROW(set_param(params, "n_clusters", "0"), Error);
  EXPECT_EQ(params.n_init, 3);
  EXPECT_EQ(params.n_clusters, 8);
}

TEST(Params, AnUnknownNameGetsASuggestion) {
  EXPECT_NE(refusal("n_cluster", "3").find("did you mean n_clusters?"), std::string::npos);
  EXPECT_NE(refusal("maxiter", "3").find("did you mean max_iter?"), std::string::npos);
  EXPECT_NE(refusal("something_else_entirely", "3").find("see --help"), std::string::npos);
}

TEST(Params, ValuesAsJson) {
  Params params;
  auto values = param_values(params);
  EXPECT_EQ(values.size(), 11U);
  EXPECT_EQ(values["n_clusters"], "8");
  EXPECT_EQ(values["tol"], "1e-04");
  EXPECT_EQ(values["cutoff"], "null");
  EXPECT_EQ(values["n_init"], "\"auto\"");
  EXPECT_EQ(values["init"], "\"k-means++\"");
  EXPECT_EQ(values["second"], "\"auto\"");
  EXPECT_EQ(values["verbose"], "false");
  EXPECT_EQ(values["label"], "\"a \\\"b\\\"\"");
  params.n_init = 4;
  params.tol = 0.1;
  EXPECT_EQ(param_values(params)["n_init"], "4");
  EXPECT_EQ(param_values(params)["tol"], "0.1");
}

TEST(Params, Descriptions) {
  const std::vector<ParamInfo> infos = param_infos<Params>();
  ASSERT_EQ(infos.size(), 11U);
  EXPECT_EQ(infos[0].name, "n_clusters");
  EXPECT_EQ(infos[0].type, "integer");
  EXPECT_EQ(infos[0].range, "1 to 2147483648");
  EXPECT_EQ(infos[0].default_json, "8");
  EXPECT_EQ(infos[0].help, "Number of clusters.");
  EXPECT_EQ(infos[3].range, "0 to inf");
  EXPECT_EQ(infos[4].type, "integer or auto");
  EXPECT_EQ(infos[4].sklearn_default, "1");
  EXPECT_EQ(infos[0].sklearn_default, "");
  EXPECT_EQ(infos[5].type, "number or auto");
  EXPECT_EQ(infos[6].type, "choice");
  EXPECT_EQ(infos[6].choices, (std::vector<std::string>{"k-means++", "random"}));
  EXPECT_TRUE(infos[8].is_flag);
  EXPECT_EQ(infos[9].type, "text");
  EXPECT_TRUE(infos[10].is_file);
}

}  // namespace
}  // namespace sluice
