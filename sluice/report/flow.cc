// The flow chart, as nested lists: readable aloud and on a narrow screen, where the style stacks what it otherwise sets side by side.
#include "sluice/report/page.h"
#include "sluice/report/text.h"

namespace sluice {

ReportFlow system_flow() {
  ReportFlow flow;
  const auto add = [&](const char* name, ReportLane lane) { flow.boxes.push_back({name, lane, ReportState::kPlanned, {}}); };
  add("preprocess", ReportLane::kTrunk);
  add("reduce", ReportLane::kTrunk);
  add("cluster", ReportLane::kTrunk);
  add("apply the clusters", ReportLane::kYes);
  add("association rules", ReportLane::kNo);
  add("generative model", ReportLane::kNo);
  add("unsupervised pre-training", ReportLane::kTail);
  add("anomaly detection", ReportLane::kTail);
  add("model training", ReportLane::kTail);
  return flow;
}

namespace page {
namespace {

struct StateWords {
  const char* css;
  const char* shown;
};

StateWords words_of(ReportState state) {
  switch (state) {
    case ReportState::kDone:
      return {"done", "done"};
    case ReportState::kPlanned:
      return {"planned", "planned"};
    case ReportState::kOff:
      return {"off", "off"};
    case ReportState::kSkipped:
      return {"skipped", "not taken"};
  }
  return {"planned", "planned"};
}

// `answer` is set on the first box of a branch; a box that is entered from above gets its arrow from the style.
std::string box_html(const ReportBox& box, bool entered, const std::string& answer) {
  const StateWords words = words_of(box.state);
  std::string out = "<li class=\"box " + std::string(words.css) + (entered ? " entered" : "") + "\">" + answer + "<div class=\"name\">" +
                    html(box.name) + "</div><div class=\"state\">" + words.shown + "</div>";
  if (!box.facts.empty()) {
    out += "<ul>";
    for (const std::string& fact : box.facts) out += "<li>" + html(fact) + "</li>";
    out += "</ul>";
  }
  return out + "</li>\n";
}

struct Lane {
  std::vector<const ReportBox*> boxes;
  double count() const { return static_cast<double>(boxes.size()); }
};

Lane lane_of(const ReportFlow& flow, ReportLane lane) {
  Lane out;
  for (const ReportBox& box : flow.boxes) {
    if (box.lane == lane) out.boxes.push_back(&box);
  }
  return out;
}

std::string lane_html(const Lane& lane, bool entered, const std::string& answer = {}) {
  if (lane.boxes.empty()) return {};
  std::string out = "<ol class=\"lane\">\n";
  for (size_t i = 0; i < lane.boxes.size(); ++i) out += box_html(*lane.boxes[i], entered && i == 0, i == 0 ? answer : "");
  return out + "</ol>\n";
}

// Boxes stand in rows of equal widths, the gap between two a share of the row (kGap, as in page.css): so the middle of each is known
// here in hundredths of the row, and wires meet boxes at any width.
constexpr double kGap = 3.4;

double middle(double box, double boxes) {
  const double width = (100 - (boxes - 1) * kGap) / boxes;
  return box * (width + kGap) + width / 2;
}

struct Wire {
  double from, to;
  bool lit;
};

// Down, across, down. Lit wires last, so that they lie on top where wires share their way.
std::string wires_html(std::vector<Wire> wires, const char* css) {
  std::string paths;
  for (const bool lit : {false, true}) {
    for (const Wire& w : wires) {
      if (w.lit != lit) continue;
      paths += std::string("<path class=\"wire") + (lit ? " lit" : "") + "\" d=\"M" + json(w.from) + " 0V10H" + json(w.to) + "V30\"/>";
    }
  }
  return std::string("<svg class=\"wires ") + css + "\" viewBox=\"0 0 100 30\" preserveAspectRatio=\"none\" aria-hidden=\"true\">" + paths +
         "</svg>\n";
}

std::string answer_html(const char* answer, bool lit) {
  return std::string("<div class=\"answer") + (lit ? " lit" : "") + "\">" + answer + "</div>";
}

std::string decision_html(const ReportFlow& flow) {
  const bool decided = !flow.decision.empty();
  return std::string("<div class=\"decision") + (decided ? " lit" : "") + "\"><div class=\"question\">" + html(flow.question) +
         "</div><div class=\"verdict\">" + (decided ? html(flow.decision) : "not decided") + "</div>" + element("p", flow.reason) +
         "</div>\n";
}

}  // namespace

Part part_of(const ReportFlow& flow) {
  const std::string& d = flow.decision;
  if (!d.empty() && d != "yes" && d != "no" && d != "both") misfit(flow.title, "the decision is none of yes, no, both");
  const bool yes = d == "yes" || d == "both", no = d == "no" || d == "both";
  const Lane trunk = lane_of(flow, ReportLane::kTrunk), tail = lane_of(flow, ReportLane::kTail);
  const Lane if_yes = lane_of(flow, ReportLane::kYes), if_no = lane_of(flow, ReportLane::kNo);
  const double branched = if_yes.count() + if_no.count();
  std::string body = lane_html(trunk, false);
  if (branched > 0) {
    if (trunk.count() > 0) body += wires_html({{middle(trunk.count() - 1, trunk.count()), 50, !d.empty()}}, "");
    std::vector<Wire> forks, joins;
    const auto branch = [&](const Lane& lane, double before, bool lit) {
      if (lane.boxes.empty()) return;
      forks.push_back({50, middle(before, branched), lit});
      if (tail.count() > 0) joins.push_back({middle(before + lane.count() - 1, branched), middle(0, tail.count()), lit});
    };
    branch(if_yes, 0, yes);
    branch(if_no, if_yes.count(), no);
    body += decision_html(flow) + wires_html(forks, "forks") + "<div class=\"branches\">\n" +
            lane_html(if_yes, true, answer_html("yes", yes)) + lane_html(if_no, true, answer_html("no", no)) + "</div>\n";
    if (!joins.empty()) body += wires_html(joins, "");
  }
  return {"<div class=\"chart\">\n" + body + lane_html(tail, branched > 0) + "</div>\n", "flow", {}, Width::kFull};
}

}  // namespace page
}  // namespace sluice
