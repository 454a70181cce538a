// The report page: numbers in, one self-contained HTML file out.
// A Report is plain data: key figures and an ordered list of sections, from which any algorithm composes its page.
// Use it for results meant to be looked at; what a program should read goes into summary.json. Not for whole data sets:
// give a scatter at most some 200,000 rows, drawn by seed, and say so in its note.
//
// The page loads nothing from outside, its content policy allows its own script and style only, and every text of the report is
// shown as text whatever it holds. Text that is not UTF-8 is mended: a bad byte becomes U+FFFD, a control character its picture.
// Figures, tables, bars, histograms, trees and the flow chart need no script; scatters, curves and contact sheets do.
#pragma once
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sluice {

// One figure that a reader should see first, e.g. {"silhouette", "0.412", "euclidean, all rows"}.
struct ReportFact {
  std::string name, value, note;
};

// Begins a part of the page (in a pipeline's page: a stage). Sections before the first chapter stand under the page's title.
struct ReportChapter {
  std::string title, text;
};

struct ReportText {
  std::string title;
  std::vector<std::string> paragraphs;
};

// Numbers are shown as report_number shows them, keep their full value in the page and sort by it. NaN and infinity: a dash.
using ReportCell = std::variant<std::string, int64_t, double>;

// A row may be shorter than the header, never longer. Sortable by every column.
struct ReportTable {
  std::string title;
  std::vector<std::string> header;
  std::vector<std::vector<ReportCell>> rows;
  std::string note;
  bool searchable = false;  // a box filters the rows as one types; for tables longer than a screen, up to some thousands of rows
};

// Names and texts in the order given: parameters, hashes.
struct ReportPairs {
  std::string title;
  std::vector<std::pair<std::string, std::string>> pairs;
  std::string note;
};

// rows = kept + rejected + the sum of dropped; render_report throws Error{kBug} where that is not so.
struct ReportRowAccount {
  std::string title = "Row account";
  int64_t rows = 0, kept = 0, rejected = 0;
  std::vector<std::pair<std::string, int64_t>> dropped;  // reason, rows
  std::string note;
};

// A Gaussian's footprint: centre and covariance. Drawn at one and two standard deviations in the colour of its label.
struct ReportEllipse {
  double x = 0, y = 0;
  double xx = 0, xy = 0, yy = 0;
  int32_t label = 0;
};

// Rows in two dimensions. Points that are not finite are left out and counted.
struct ReportScatter {
  std::string title, x_name, y_name;
  std::vector<float> x, y;
  std::vector<int32_t> label;             // -1 is noise; empty: one colour
  std::vector<int64_t> row;               // input row numbers, shown when pointed at; empty: 0, 1, ...
  std::vector<float> center_x, center_y;  // marked red, always on top
  std::vector<ReportEllipse> ellipses;
  std::vector<std::string> names;  // of labels 0, 1, ...; empty or short: "cluster 3"
  bool same_scale = false;         // one unit is as long on both axes: for dimensions whose distances mean something together
  std::string note;
};

struct ReportLine {
  std::string name;
  std::vector<double> x, y;       // a y that is not finite is a gap
  std::vector<double> low, high;  // a band about y; both may be empty
};

struct ReportCurve {
  std::string title, x_name, y_name;
  std::vector<ReportLine> lines;
  double marked_x = NAN;  // a vertical line, e.g. at the k chosen
  std::string marked_name;
  std::string note;
};

struct ReportBars {
  std::string title;
  std::vector<std::string> names;
  std::vector<double> values;  // may be negative
  std::vector<int32_t> color;  // of a label, as the scatter draws it; empty: one colour
  std::string unit, note;
};

// How often a value lies in [edges[i], edges[i + 1]), the last with its upper edge.
struct ReportHistogram {
  std::string title, x_name;
  std::vector<double> edges;    // ascending, one more than counts
  std::vector<int64_t> counts;  // of rows
  bool log_counts = false;      // heights by logarithm: where a few rows far out matter
  double marked_x = NAN;        // a vertical line, e.g. a threshold; bars beyond it stand out
  std::string marked_name;
  std::string note;
};

// Branch i hangs from `parent` (-1: a root) between two levels, e.g. lambda = 1 / distance of HDBSCAN's condensed tree.
struct ReportBranch {
  int64_t parent = -1;
  double birth = 0, death = 0;  // birth <= death; a death that is not finite: it outlives the drawing
  int64_t size = 0;             // rows at birth, no more than the parent's
  int32_t label = -1;           // the cluster it was chosen as, or -1
};

// Levels run downwards from the roots; a branch is as wide as it has rows, at its end as wide as its children together. Chosen
// branches and what hangs from them have their cluster's colour. At most 2,000 branches are drawn, the largest.
struct ReportTree {
  std::string title, level_name;
  std::vector<ReportBranch> branches;
  std::vector<std::string> names;  // of labels 0, 1, ...; empty or short: "cluster 3"
  std::string note;
};

// One picture: height x width x channels bytes, channels last. `row` is its input row, -1 where it has none.
struct ReportImage {
  int64_t row = -1;
  std::vector<uint8_t> pixels;
};

struct ReportImageGroup {
  std::string name;
  int32_t label = -1;  // its colour
  std::vector<ReportImage> nearest, border;
};

// Pictures whose longer side is above 96 are shrunk by a whole factor, each new pixel the rounded mean of a square.
struct ReportContactSheet {
  std::string title;
  int64_t width = 0, height = 0, channels = 1;  // 1 (grey), 3 (RGB) or 4 (RGBA)
  std::vector<ReportImageGroup> groups;
  std::string note;
};

enum class ReportState { kDone, kPlanned, kOff, kSkipped };
enum class ReportLane { kTrunk, kYes, kNo, kTail };

struct ReportBox {
  std::string name;
  ReportLane lane = ReportLane::kTrunk;
  ReportState state = ReportState::kPlanned;
  std::vector<std::string> facts;
};

// Trunk -> decision -> the yes lane or the no lane -> tail. Lit: boxes done, and the branches the decision took.
struct ReportFlow {
  std::string title = "Flow";
  std::vector<ReportBox> boxes;
  std::string question = "cluster structure?";
  std::string decision;  // "yes", "no", "both" or "": not decided
  std::string reason;
};

using ReportSection = std::variant<ReportChapter, ReportText, ReportTable, ReportPairs, ReportRowAccount, ReportScatter, ReportCurve,
                                   ReportBars, ReportHistogram, ReportTree, ReportContactSheet, ReportFlow>;

struct Report {
  std::string title;
  std::string lead;  // one or two sentences: what came out
  std::vector<ReportFact> facts;
  std::vector<ReportSection> sections;
};

// The boxes of the system's flow, all planned: preprocess, reduce, cluster; yes: apply; no: association rules, generative model;
// then unsupervised pre-training, anomaly detection, model training.
ReportFlow system_flow();

// A number for people: thousands separated, four to six figures, a dash where it is not finite. Same text everywhere.
std::string report_number(double value);
std::string report_number(int64_t value);

// The page. Cost and memory: about 1.4 times the bytes of the columns. Same bytes for the same report.
// Throws Error{kBug} where lengths do not fit each other.
std::string render_report(const Report& report);

// The same, written beside its place, synced and renamed. Throws Error{kIo}.
void write_report(const Report& report, const std::string& path);

}  // namespace sluice
