#include "sluice/report/report.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "sluice/core/error.h"
#include "sluice/report/page.h"
#include "sluice/report/text.h"

namespace sluice {
namespace {

using page::element;
using page::html;

// 'sha256-...' as a content policy spells it.
std::string policy_hash(std::string_view hex) {
  std::vector<std::byte> bytes;
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  for (size_t i = 0; i + 1 < hex.size(); i += 2) bytes.push_back(static_cast<std::byte>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  return "'sha256-" + page::base64(bytes) + "'";
}

// HTTP-EQUIV in capitals: the word in small letters occurs nowhere in a page, and anyone can check that.
std::string head(const Report& report) {
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta HTTP-EQUIV=\"Content-Security-Policy\" content=\"default-src 'none'; script-src " +
         policy_hash(page::kScript.sha256) + "; style-src " + policy_hash(page::kStyle.sha256) +
         "; img-src data:; base-uri 'none'; form-action 'none'\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
         "<meta name=\"referrer\" content=\"no-referrer\">\n<link rel=\"icon\" href=\"data:,\">\n<title>" +
         html(report.title) + "</title>\n<style>" + std::string(page::kStyle.text) + "</style>\n</head>\n";
}

std::string facts_html(const std::vector<ReportFact>& facts) {
  if (facts.empty()) return {};
  std::string out = "<dl class=\"facts\">\n";
  for (const ReportFact& fact : facts) {
    out += "<div><dt>" + html(fact.name) + "</dt><dd>" + html(fact.value) + element("small", fact.note) + "</dd></div>\n";
  }
  return out + "</dl>\n";
}

const std::string& title_of(const ReportSection& section) {
  return std::visit([](const auto& s) -> const std::string& { return s.title; }, section);
}

// Links to the chapters, or to the sections where there are none.
std::string contents_html(const Report& report) {
  bool chapters = false;
  for (const ReportSection& section : report.sections) chapters = chapters || std::holds_alternative<ReportChapter>(section);
  std::string links;
  int count = 0;
  for (size_t i = 0; i < report.sections.size(); ++i) {
    const ReportSection& section = report.sections[i];
    if ((chapters && !std::holds_alternative<ReportChapter>(section)) || title_of(section).empty()) continue;
    links += "<li><a href=\"#s" + std::to_string(i + 1) + "\">" + html(title_of(section)) + "</a></li>\n";
    ++count;
  }
  return count < 3 ? std::string() : "<nav aria-label=\"Contents\"><ul>\n" + links + "</ul></nav>\n";
}

struct Body {
  std::string html;
  std::string data;  // the script's objects, joined by commas
};

Body body_of(const Report& report) {
  Body body;
  int heading = 2;
  bool open = false;
  const auto close = [&] {
    if (open) body.html += "</div>\n";
    open = false;
  };
  for (size_t i = 0; i < report.sections.size(); ++i) {
    const std::string id = "s" + std::to_string(i + 1);
    if (const auto* chapter = std::get_if<ReportChapter>(&report.sections[i])) {
      close();
      body.html += "<div class=\"chapter\" id=\"" + id + "\">" + element("h2", chapter->title) + element("p", chapter->text) + "</div>\n";
      heading = 3;
      continue;
    }
    if (!open) body.html += "<div class=\"parts\">\n";
    open = true;
    const page::Part part = std::visit(
        [](const auto& section) -> page::Part {
          if constexpr (std::is_same_v<std::decay_t<decltype(section)>, ReportChapter>)
            return {};
          else
            return page::part_of(section);
        },
        report.sections[i]);
    const std::string tag = "h" + std::to_string(heading), title = title_of(report.sections[i]);
    body.html += "<section class=\"" + part.kind + (part.width == page::Width::kHalf ? " half" : "") + "\" id=\"" + id + "\"" +
                 (title.empty() ? "" : " aria-labelledby=\"" + id + "h\"") + ">\n";
    if (!title.empty()) body.html += "<" + tag + " id=\"" + id + "h\">" + html(title) + "</" + tag + ">\n";
    body.html += part.body + "</section>\n";
    if (!part.data.empty()) body.data += (body.data.empty() ? "{\"id\":\"" : ",\n{\"id\":\"") + id + "\",\"part\":" + part.data + "}";
  }
  close();
  return body;
}

// A file descriptor that closes itself, and the failure of any step in one form.
[[noreturn]] void refuse(const std::string& path, const char* what) {
  fail(ErrorCode::kIo, path, std::string(what) + ": " + std::strerror(errno),
       "check that the folder exists, may be written to and has room");
}

void write_all(int fd, const std::string& text, const std::string& path) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(fd, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) refuse(path, "cannot write");
    done += static_cast<size_t>(count);
  }
}

}  // namespace

std::string render_report(const Report& report) {
  const Body body = body_of(report);
  std::string out = head(report);
  out += "<body>\n<a class=\"skip\" href=\"#content\">Skip to content</a>\n<header>\n<p class=\"brand\">sluice</p>\n" +
         element("h1", report.title) + element("p", report.lead, "lead") + facts_html(report.facts) + contents_html(report) +
         "</header>\n<main id=\"content\">\n" + body.html +
         "</main>\n<footer><p>sluice " SLUICE_VERSION
         ". One file that loads nothing; the same data, parameters and seed give the same page.</p></footer>\n";
  out += "<script type=\"application/json\" id=\"report-data\">[" + body.data + "]</script>\n<script>" + std::string(page::kScript.text) +
         "</script>\n</body>\n</html>\n";
  return out;
}

void write_report(const Report& report, const std::string& path) {
  const std::string text = render_report(report);
  const std::string beside = path + ".part";
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) refuse(beside, "cannot open for writing");
  try {
    write_all(fd, text, beside);
    if (::fsync(fd) != 0) refuse(beside, "cannot sync");
  } catch (...) {
    ::close(fd);
    ::unlink(beside.c_str());
    throw;
  }
  ::close(fd);
  if (std::rename(beside.c_str(), path.c_str()) != 0) {
    const int why = errno;
    ::unlink(beside.c_str());
    errno = why;
    refuse(path, "cannot rename into place");
  }
}

}  // namespace sluice
