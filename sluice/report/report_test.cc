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
  r.sections.push_back(ReportScatter{text, text, text, {1, 2}, {3, 4}, {0, -1}, {5, 6}, {1}, {2}, {text}, false, text});
  r.sections.push_back(ReportCurve{text, text, text, {{text, {1, 2}, {3, NAN}, {2, 3}, {4, 5}}}, 1, text, text});
  r.sections.push_back(ReportBars{text, {text}, {-2.5}, {0}, text, text});
  r.sections.push_back(ReportContactSheet{text, 1, 2, 1, {{text, 0, {{4, {9, 8}}}, {}}}, text});
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
  EXPECT_EQ(data[0]["part"]["label"], "AAAAAP////8=");
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
  EXPECT_EQ(code(ReportScatter{"s", "", "", {1, 2}, {1}, {}, {}, {}, {}, {}, false, ""}), ErrorCode::kBug);
  EXPECT_EQ(code(ReportScatter{"s", "", "", {1}, {1}, {0, 1}, {}, {}, {}, {}, false, ""}), ErrorCode::kBug);
  EXPECT_EQ(code(ReportCurve{"c", "", "", {{"l", {1}, {1}, {1}, {}}}, NAN, "", ""}), ErrorCode::kBug);
  EXPECT_EQ(code(ReportBars{"b", {"x"}, {}, {}, "", ""}), ErrorCode::kBug);
  EXPECT_EQ(code(ReportContactSheet{"i", 2, 2, 1, {{"g", 0, {{0, {1, 2, 3}}}, {}}}, ""}), ErrorCode::kBug);
  EXPECT_EQ(code(ReportTable{"t", {"a"}, {{int64_t{1}, int64_t{2}}}, ""}), ErrorCode::kBug);
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
