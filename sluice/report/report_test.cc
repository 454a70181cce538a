#include "sluice/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "sluice/core/error.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kEvil = "</script><img src=x onerror=alert(1)>\"'&";
const std::string kEvilShown = "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;";

Report one(ReportSection section) {
  Report report;
  report.title = "t";
  report.sections.push_back(std::move(section));
  return report;
}

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

nlohmann::json data_of(const std::string& page) {
  const std::string open = "id=\"report-data\">";
  const size_t from = page.find(open) + open.size();
  return nlohmann::json::parse(page.substr(from, page.find("</script>", from) - from));
}

Report full_of(const std::string& text) {
  Report r;
  r.title = r.lead = text;
  r.facts = {{text, text, text}};
  r.sections.push_back(ReportChapter{text, text});
  r.sections.push_back(ReportText{text, {text, text}});
  r.sections.push_back(ReportTable{text, {text, text}, {{text, 1.5}, {text, int64_t{7}}}, text});
  r.sections.push_back(ReportPairs{text, {{text, text}}, text});
  r.sections.push_back(ReportRowAccount{text, 3, 1, 1, {{text, 1}}, text});
  r.sections.push_back(
      ReportScatter{text, text, text, {1, 2}, {3, 4}, {0, -1}, {5, 6}, {1}, {2}, {{1, 2, 3, 1, 3, 0}}, {text}, false, text});
  r.sections.push_back(ReportCurve{text, text, text, {{text, {1, 2}, {3, NAN}, {2, 3}, {4, 5}}}, 1, text, text});
  r.sections.push_back(ReportBars{text, {text}, {-2.5}, {0}, text, text});
  r.sections.push_back(ReportContactSheet{text, 1, 2, 1, {{text, 0, {{4, {9, 8}}}, {}}}, text});
  r.sections.push_back(ReportHistogram{text, text, {0, 1, 2}, {3, 4}, false, 1, text, text});
  r.sections.push_back(ReportTree{text, text, {{-1, 0, 1, 9, -1}, {0, 1, 2, 5, 0}}, {text}, text});
  ReportFlow flow = system_flow();
  flow.title = flow.question = flow.reason = text;
  flow.boxes[0].name = text;
  flow.boxes[0].facts = {text};
  flow.decision = "yes";
  r.sections.push_back(flow);
  return r;
}

TEST(Report, HostileTextStaysText) {
  const std::string calm = render_report(full_of("calm")), page = render_report(full_of(kEvil));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, HasSubstr(kEvilShown));
  for (const std::string tag : {"<script", "</script", "<style", "</style", "<section", "<td", "<svg", "<title"}) {
    EXPECT_EQ(count(page, tag), count(calm, tag)) << tag;
  }
  // Every quote that is not the page's own is an entity or an escape: as many attributes as before.
  EXPECT_EQ(count(page, "=\""), count(calm, "=\""));
}

TEST(Report, DataReadsBackAsItWas) {
  const std::string line_ends =
      "a\xE2\x80\xA8"
      "b\xE2\x80\xA9"
      "c";
  const std::string page = render_report(full_of(kEvil + line_ends));
  EXPECT_THAT(page.substr(page.find("report-data")), Not(HasSubstr("\xE2\x80\xA8")));
  const auto data = data_of(page);
  ASSERT_EQ(data.size(), 3u);
  EXPECT_EQ(data[0]["part"]["title"], kEvil + line_ends);
  EXPECT_EQ(data[0]["part"]["label"], "AP8=");
  EXPECT_EQ(data[0]["part"]["labelBytes"], 1);
  EXPECT_EQ(data[0]["part"]["row"], "CgA=");  // 5, and 6 follows
  EXPECT_EQ(data[0]["part"]["x"], "AACAPwAAAEA=");
  EXPECT_EQ(data[1]["part"]["lines"][0]["y"], (nlohmann::json{3.0, nullptr}));
  EXPECT_EQ(data[2]["part"]["groups"][0]["nearest"]["pixels"], "CQg=");
}

TEST(Report, NoUtf8NoNulNoAddress) {
  const std::string bad = std::string("x\0y", 3) + "\xFF\xC0\xAF\xED\xA0\x80 http://a.example https:";
  std::string page = render_report(full_of(bad));
  EXPECT_THAT(page, HasSubstr("x␀y\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"));
  EXPECT_EQ(page.find('\0'), std::string::npos);
  const std::string allowed = "http://www.w3.org";
  for (size_t at = page.find(allowed); at != std::string::npos; at = page.find(allowed)) page.erase(at, allowed.size());
  EXPECT_EQ(page.find("http"), std::string::npos);
  EXPECT_THAT(data_of(page)[0]["part"]["title"].get<std::string>(), HasSubstr("http://a.example https:"));
}

// Bytes whose base64 spells the word.
TEST(Report, BinaryColumnsCannotSpellAnAddress) {
  ReportContactSheet sheet{"s", 3, 1, 1, {{"g", 0, {{0, {0x86, 0xdb, 0x69}}, {1, {0x86, 0xdb, 0x69}}}, {}}}, ""};
  const std::string page = render_report(one(sheet));
  EXPECT_EQ(data_of(page)[0]["part"]["groups"][0]["nearest"]["pixels"], "httphttp");
  EXPECT_EQ(page.find("httphttp"), std::string::npos);
}

TEST(Report, NumbersThatAreNoneAreDashes) {
  const std::string page = render_report(one(ReportTable{"t", {"a", "b"}, {{NAN, INFINITY}, {1e-7, 0.1}}, ""}));
  EXPECT_THAT(page, HasSubstr("<td class=\"n\">–</td><td class=\"n\">–</td>"));
  EXPECT_THAT(page, HasSubstr("data-v=\"0.1\""));
  EXPECT_THAT(render_report(one(ReportBars{"b", {"x"}, {NAN}, {}, "rows", ""})), HasSubstr("–"));
}

TEST(Report, NumberForPeople) {
  EXPECT_EQ(report_number(0.0), "0");
  EXPECT_EQ(report_number(int64_t{-1234567}), "-1,234,567");
  EXPECT_EQ(report_number(INT64_MIN), "-9,223,372,036,854,775,808");
  EXPECT_EQ(report_number(999.0), "999");
  EXPECT_EQ(report_number(0.41234567), "0.4123");
  EXPECT_EQ(report_number(12.34567), "12.3457");
  EXPECT_EQ(report_number(1013.25), "1,013.25");
  EXPECT_EQ(report_number(12345.678), "12,345.7");
  EXPECT_EQ(report_number(0.0001234567), "0.0001235");
  EXPECT_EQ(report_number(1.25e-9), "1.250e-09");
  EXPECT_EQ(report_number(-3e20), "-3.000e+20");
  EXPECT_EQ(report_number(-0.0), "0");
  EXPECT_EQ(report_number(static_cast<double>(NAN)), "–");
}

TEST(Report, NumbersOfOneColumnShareTheirDecimals) {
  const auto page = [](std::vector<double> values) {
    ReportTable table{"t", {"v"}, {}, ""};
    for (const double v : values) table.rows.push_back({v});
    return render_report(one(table));
  };
  EXPECT_THAT(page({0.5, 12.25, NAN, 0.0}), HasSubstr(">0.50<"));
  EXPECT_THAT(page({0.5, 12.25, NAN, 0.0}), HasSubstr(">0.00<"));
  EXPECT_THAT(page({3.0, 12.0}), HasSubstr(">3<"));
  EXPECT_THAT(page({1e-7, 0.5}), HasSubstr(">0.5<"));
  EXPECT_THAT(page({123456.5, 0.00123}), HasSubstr(">123,456.5<"));
}

TEST(Report, SameReportSamePage) {
  EXPECT_EQ(render_report(full_of("a")), render_report(full_of("a")));
}

TEST(Report, AnEmptyReportIsAPage) {
  const std::string page = render_report(Report{});
  EXPECT_THAT(page, HasSubstr("</html>"));
  EXPECT_TRUE(data_of(page).empty());
}

TEST(Report, PolicyAllowsItsOwnScriptOnly) {
  const std::string page = render_report(Report{});
  EXPECT_THAT(page, HasSubstr("default-src 'none'; script-src 'sha256-"));
  EXPECT_THAT(page, Not(HasSubstr("unsafe")));
  EXPECT_THAT(page, Not(HasSubstr("innerHTML")));
  EXPECT_THAT(page, Not(HasSubstr("eval(")));
}

TEST(Report, RowAccountMustAddUp) {
  EXPECT_THROW(render_report(one(ReportRowAccount{"a", 10, 5, 2, {{"missing", 2}}, ""})), Error);
  EXPECT_THAT(render_report(one(ReportRowAccount{"a", 10, 5, 2, {{"missing", 3}}, ""})), HasSubstr("dropped: missing"));
  EXPECT_THAT(render_report(one(ReportRowAccount{"a", 0, 0, 0, {}, ""})), HasSubstr("–"));
}

TEST(Report, LengthsMustFit) {
  const auto code = [](ReportSection section) {
    try {
      render_report(one(std::move(section)));
    } catch (const Error& error) {
      return error.code;
    }
    return ErrorCode{};
  };
  EXPECT_EQ(code(ReportScatter{"s", "", "", {1, 2}, {1}, {}, {}, {}, {}, {}, {}, false, ""}), ErrorCode::kBug);
  EXPECT_EQ(code(ReportScatter{"s", "", "", {1}, {1}, {0, 1}, {}, {}, {}, {}, {}, false, ""}), ErrorCode::kBug);
  EXPECT_EQ(code(ReportCurve{"c", "", "", {{"l", {1}, {1}, {1}, {}}}, NAN, "", ""}), ErrorCode::kBug);
  EXPECT_EQ(code(ReportBars{"b", {"x"}, {}, {}, "", ""}), ErrorCode::kBug);
  EXPECT_EQ(code(ReportContactSheet{"i", 2, 2, 1, {{"g", 0, {{0, {1, 2, 3}}}, {}}}, ""}), ErrorCode::kBug);
  EXPECT_EQ(code(ReportTable{"t", {"a"}, {{int64_t{1}, int64_t{2}}}, ""}), ErrorCode::kBug);
  EXPECT_EQ(code(ReportHistogram{"h", "", {0, 1}, {1, 2}, false, NAN, "", ""}), ErrorCode::kBug);
  EXPECT_EQ(code(ReportHistogram{"h", "", {0, 0}, {1}, false, NAN, "", ""}), ErrorCode::kBug);
  EXPECT_EQ(code(ReportScatter{"s", "", "", {}, {}, {}, {}, {}, {}, {{0, 0, NAN, 0, 1, 0}}, {}, false, ""}), ErrorCode::kBug);
  ReportFlow flow = system_flow();
  flow.decision = "maybe";
  EXPECT_EQ(code(flow), ErrorCode::kBug);
}

TEST(Report, LargePicturesShrinkByMeans) {
  ReportContactSheet sheet{"s", 192, 96, 1, {{"g", 0, {{0, std::vector<uint8_t>(192 * 96, 10)}}, {}}}, ""};
  auto& pixels = sheet.groups[0].nearest[0].pixels;
  pixels[0] = 20, pixels[1] = 21;  // with two of 10 below: 61 / 4, rounded 15
  const auto part = data_of(render_report(one(sheet)))[0]["part"];
  EXPECT_EQ(part["width"], 96);
  EXPECT_EQ(part["height"], 48);
  EXPECT_EQ(part["groups"][0]["nearest"]["pixels"].get<std::string>().substr(0, 4), "DwoK");
}

TEST(Report, ColumnsOfAScatterAreAsNarrowAsTheyCanBe) {
  const auto part = [](std::vector<int32_t> label, std::vector<int64_t> row) {
    const std::vector<float> at(label.size());
    return data_of(
        render_report(one(ReportScatter{"s", "", "", at, at, std::move(label), std::move(row), {}, {}, {}, {}, false, ""})))[0]["part"];
  };
  EXPECT_EQ(part({0, -1}, {0, 1})["row"], "");
  EXPECT_EQ(part({0, 127}, {})["labelBytes"], 1);
  EXPECT_EQ(part({0, 128}, {})["labelBytes"], 2);
  EXPECT_EQ(part({0, 128}, {})["label"], "AACAAA==");
  EXPECT_EQ(part({0, 32768}, {})["labelBytes"], 4);
  EXPECT_EQ(part({0, 0, 0}, {200, 100, 1'000'000'000'000})["row"], "kAPJAba+qMqaOg==");  // steps 200, -101, 999999999899; zigzag, LEB128
}

TEST(Report, ASearchableTableIsATable) {
  ReportTable table{"t", {"a"}, {{int64_t{1}}, {int64_t{2}}}, "", true};
  EXPECT_THAT(render_report(one(table)), HasSubstr("<table data-sort data-search>"));
  table.searchable = false;
  EXPECT_THAT(render_report(one(table)), HasSubstr("<table data-sort>"));
}

TEST(Report, BarsOfAHistogramStandWhereTheirRowsAre) {
  const std::string page = render_report(one(ReportHistogram{"h", "score", {0, 1, 3, 4}, {50, 0, 25}, false, 3.2, "threshold", ""}));
  EXPECT_EQ(count(page, "class=\"plain\" d="), 1u);
  EXPECT_EQ(count(page, "class=\"beyond\" d="), 1u);
  EXPECT_THAT(page, HasSubstr("d=\"M0 1000V38.46H250V1000Z\"><title>0 to 1: 50 rows</title>"));  // the highest is 52 of 52 * 1.04
  EXPECT_THAT(page, HasSubstr("d=\"M750 1000V519.23H1000V1000Z\""));
  EXPECT_THAT(page, HasSubstr("<line class=\"mark\" x1=\"80%\""));
  EXPECT_THAT(page, HasSubstr(">threshold 3.2<"));
}

TEST(Report, BranchesOfATreeStandWhereTheirRowsAre) {
  ReportTree tree{"t", "lambda", {{-1, 0, 1, 100, -1}, {0, 1, 2, 60, 0}, {0, 1, 4, 20, 1}, {1, 2, 3, 30, -1}}, {}, ""};
  const std::string page = render_report(one(tree));
  // The root needs 100.4 rows of width (a gap of 0.4), so one row is 9.96; its children take stretches of 60.4 and 20.4 parts.
  EXPECT_THAT(page, HasSubstr("d=\"M1.99 0H998.01L898.41 250H101.59Z\"><title>100 rows, lambda 0 to 1</title>"));
  EXPECT_THAT(page, HasSubstr("class=\"c0\" d=\"M74.96 250H672.57L523.16 500H224.36Z\"><title>cluster 0: 60 rows, lambda 1 to 2</title>"));
  EXPECT_THAT(page, HasSubstr("d=\"M224.36 500H523.16L373.76 750H373.76Z\"><title>30 rows, lambda 2 to 3</title>"));
  EXPECT_EQ(count(page, "class=\"c0\""), 2u);  // what hangs from a chosen branch is of its colour
  EXPECT_EQ(count(page, "class=\"c1\""), 1u);
  EXPECT_THAT(page, HasSubstr("text-anchor=\"end\">0</text>"));
  EXPECT_THAT(page, HasSubstr("L873.76 1000H873.76Z"));  // a leaf's rows leave until none is left
}

TEST(Report, ALargeTreeShowsItsLargestBranches) {
  ReportTree tree{"t", "lambda", {{-1, 0, 1, 100'000, -1}}, {}, ""};
  for (int64_t i = 0; i < 5000; ++i)
    tree.branches.push_back({i / 2, 1.0 + static_cast<double>(i), 5e3 + static_cast<double>(i), 6000 - i, -1});
  const std::string page = render_report(one(tree));
  EXPECT_EQ(count(page, "class=\"bare\""), 2000u);
  EXPECT_THAT(page, HasSubstr("The 2,000 largest branches; 3,001 smaller ones are not drawn."));
}

// A chain as deep as it is long: no recursion.
TEST(Report, ADeepTreeIsDrawn) {
  ReportTree tree{"t", "lambda", {}, {}, ""};
  for (int64_t i = 0; i < 1'000'000; ++i)
    tree.branches.push_back({i - 1, static_cast<double>(i), static_cast<double>(i + 1), 2'000'000 - i, -1});
  EXPECT_THAT(render_report(one(tree)), HasSubstr("998,000 smaller ones are not drawn"));
}

TEST(Report, OneBranchFarDownDoesNotFlattenTheOthers) {
  ReportTree tree{"t", "lambda", {{-1, 0, 1, 100, -1}, {0, 1, 2, 60, 0}, {0, 1, 1e9, 20, 1}}, {}, ""};
  EXPECT_THAT(render_report(one(tree)), HasSubstr("1 branch goes on below the drawing, to lambda 1,000,000,000."));
  tree.branches[2].death = INFINITY;
  EXPECT_THAT(render_report(one(tree)), HasSubstr("1 branch goes on below the drawing, to lambda ∞."));
}

TEST(Report, WhatIsNoTreeIsRefused) {
  const auto code = [](std::vector<ReportBranch> branches) {
    try {
      render_report(one(ReportTree{"t", "lambda", std::move(branches), {}, ""}));
    } catch (const Error& error) {
      return error.code;
    }
    return ErrorCode{};
  };
  EXPECT_EQ(code({{-1, 0, 1, 2, -1}}), ErrorCode{});
  EXPECT_EQ(code({}), ErrorCode{});
  EXPECT_EQ(code({{1, 0, 1, 2, -1}, {0, 0, 1, 2, -1}}), ErrorCode::kBug);
  EXPECT_EQ(code({{7, 0, 1, 2, -1}}), ErrorCode::kBug);
  EXPECT_EQ(code({{-2, 0, 1, 2, -1}}), ErrorCode::kBug);
  EXPECT_EQ(code({{-1, 1, 0, 2, -1}}), ErrorCode::kBug);
  EXPECT_EQ(code({{-1, NAN, 1, 2, -1}}), ErrorCode::kBug);
  EXPECT_EQ(code({{-1, 0, 1, 2, -1}, {0, 1, 2, 3, -1}}), ErrorCode::kBug);
}

TEST(Report, TheDecisionLightsItsBranch) {
  ReportFlow flow = system_flow();
  EXPECT_THAT(render_report(one(flow)), Not(HasSubstr("answer lit")));
  flow.decision = "no";
  const std::string page = render_report(one(flow));
  EXPECT_EQ(count(page, "answer lit"), 1u);
  EXPECT_THAT(page, HasSubstr("<div class=\"answer lit\">no"));
  flow.decision = "both";
  EXPECT_EQ(count(render_report(one(flow)), "answer lit"), 2u);
}

TEST(Report, WrittenWholeOrNotAtAll) {
  const auto folder = std::filesystem::temp_directory_path() / "sluice_report_test";
  std::filesystem::create_directories(folder);
  const std::string path = (folder / "report.html").string();
  write_report(full_of("a"), path);
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), render_report(full_of("a")));
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
  try {
    write_report(Report{}, (folder / "missing" / "report.html").string());
    FAIL() << "written into a folder that is not there";
  } catch (const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kIo);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace sluice
