// report_sample OUT.html [--hostile] [--rows N]: a page with a section of every kind from made-up numbers, for the page's tests and for
// looking at. With --hostile every text is one that tries to become markup or script.
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>

#include "sluice/core/error.h"
#include "sluice/core/random.h"
#include "sluice/report/report.h"

namespace sluice {
namespace {

constexpr int kClusters = 9;

float normal(Random& random) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += random.uniform();
  return static_cast<float>(sum);
}

ReportScatter sample_scatter(int64_t n) {
  ReportScatter s;
  s.title = "Rows by the first two components";
  s.x_name = "component 1 (31.2 % of variance)";
  s.y_name = "component 2 (17.8 %)";
  Random random(7, RandomStage::kSubsample, 0);
  const float at[kClusters][3] = {{-8, 5, 1.1f}, {-5, -4, .8f}, {0, 6, 1.3f},  {2, 0, .7f}, {6, 5, 1},
                                  {7, -3, 1.2f}, {-1, -7, .9f}, {-10, 0, .6f}, {11, 1, .8f}};
  for (int64_t i = 0; i < n; ++i) {
    const auto c = static_cast<int32_t>(random.below(kClusters + 1)) - 1;
    const float spread = c < 0 ? 6 : at[c][2];
    s.x.push_back((c < 0 ? 0 : at[c][0]) + spread * normal(random));
    s.y.push_back((c < 0 ? 0 : at[c][1]) + spread * normal(random));
    s.label.push_back(c);
    s.row.push_back(i * 50 + 3);
  }
  if (n > 2) s.x[2] = NAN;
  for (const auto& center : at) {
    s.center_x.push_back(center[0]);
    s.center_y.push_back(center[1]);
  }
  for (int c = 0; c < 4; ++c) {
    const double spread = at[c][2], tilt = c == 1 ? 0.6 : 0.1;
    s.ellipses.push_back({at[c][0], at[c][1], spread * spread, tilt * spread * spread, spread * spread, c});
  }
  s.same_scale = true;
  s.note = report_number(n) + " of 1,000,000 rows, drawn by seed. Centres are marked red.";
  return s;
}

ReportFlow sample_flow() {
  ReportFlow flow = system_flow();
  const std::vector<std::vector<std::string>> facts = {{"1,000,000 rows, 64 columns", "standardised: units differ", "204 missing, median"},
                                                       {"pca", "12 components, 92.4 % of variance"},
                                                       {"k-means", "k = 9 of 1 … 16", "inertia 1.204e+07"},
                                                       {"9 names, 812 near-duplicates", "balanced to 4,000 a cluster"},
                                                       {},
                                                       {},
                                                       {"cluster targets", "loss 2.197 → 0.214"},
                                                       {"isolation forest", "131 rows flagged at FDR 0.05"},
                                                       {}};
  for (size_t i = 0; i < flow.boxes.size(); ++i) {
    flow.boxes[i].facts = facts[i];
    flow.boxes[i].state = flow.boxes[i].lane == ReportLane::kNo ? ReportState::kSkipped : ReportState::kDone;
  }
  flow.boxes.back().state = ReportState::kOff;
  flow.decision = "yes";
  flow.reason = "silhouette 0.412 ≥ 0.25, gap 0.93 ± 0.02 above one cluster";
  return flow;
}

std::vector<ReportSection> sample_curves() {
  ReportCurve wcss{
      "Within-cluster sum of squares", "k", "sum of squares", {}, 9, "k = 9", "Fifty null references; the band is one standard error."};
  ReportLine data{"data", {}, {}, {}, {}}, null{"no structure", {}, {}, {}, {}};
  ReportCurve silhouette{
      "Silhouette", "k", "mean silhouette", {{"silhouette", {}, {}, {}, {}}}, 9, "", "Euclidean, 50,000 rows drawn by seed."};
  for (int k = 1; k <= 16; ++k) {
    data.x.push_back(k);
    null.x.push_back(k);
    silhouette.lines[0].x.push_back(k);
    data.y.push_back(1e6 / (k < 9 ? k * 1.6 : 12 + k * 0.3));
    null.y.push_back(1e6 / (1 + 0.45 * k));
    null.low.push_back(null.y.back() * 0.94);
    null.high.push_back(null.y.back() * 1.06);
    silhouette.lines[0].y.push_back(k == 1 ? NAN : 0.412 - 0.006 * (k - 9) * (k - 9));
  }
  wcss.lines = {data, null};
  return {wcss, silhouette};
}

ReportContactSheet sample_sheet() {
  ReportContactSheet sheet;
  sheet.title = "Contact sheet";
  sheet.width = sheet.height = 28;
  sheet.note = "The 12 rows nearest to each centre, and 4 at the border to another cluster.";
  for (int c = 0; c < 3; ++c) {
    ReportImageGroup group{"cluster " + std::to_string(c), c, {}, {}};
    for (int i = 0; i < 16; ++i) {
      ReportImage image{1000 * c + i, {}};
      for (int y = 0; y < 28; ++y) {
        for (int x = 0; x < 28; ++x) {
          const double r =
              std::sqrt((x - 13.5) * (x - 13.5) + (y - 13.5) * (y - 13.5)) - (6 + c * 2) + 0.15 * i * (c == 1 ? x - 14 : y - 14) / 3;
          image.pixels.push_back(static_cast<uint8_t>(255 / (1 + r * r)));
        }
      }
      (i < 12 ? group.nearest : group.border).push_back(image);
    }
    sheet.groups.push_back(group);
  }
  return sheet;
}

ReportHistogram sample_histogram() {
  ReportHistogram h{"Scores", "score", {}, {}, true, 0.62, "threshold", "131 rows lie above the threshold."};
  for (int i = 0; i <= 60; ++i) h.edges.push_back(0.3 + 0.01 * i);
  for (int i = 0; i < 60; ++i)
    h.counts.push_back(static_cast<int64_t>(52000 / (1 + 0.02 * (i - 9) * (i - 9) * (1 + i * i / 40))) / (i > 45 ? 9 : 1));
  return h;
}

ReportTable sample_flagged() {
  ReportTable table{
      "Flagged rows", {"row", "score", "p-value", "why", "value", "usual"}, {}, "The rows above the threshold, highest score first.", true};
  const char* names[] = {"temperature (°C)", "pressure (hPa)", "vibration", "humidity (%)"};
  Random random(7, RandomStage::kSubsample, 1);
  for (int64_t i = 0; i < 3000; ++i) {
    const double far = 3 + 40 / (1.0 + static_cast<double>(i));
    table.rows.push_back({static_cast<int64_t>(random.below(1'000'000)), 0.62 + 0.3 / (1 + 0.01 * static_cast<double>(i)),
                          1e-5 * static_cast<double>(i + 1),
                          std::string(names[random.below(4)]) + ", " + std::to_string(static_cast<int>(far)) + " deviations out", 20 + far,
                          std::string("12.1 to 27.9")});
  }
  return table;
}

// Two large families of three and five clusters, rows leaving all the way, and a crumb that outlives all.
ReportTree sample_tree() {
  ReportTree tree{"Condensed tree", "lambda", {{-1, 0, 0.08, 100'000, -1}}, {}, "Branches chosen as clusters have their colour."};
  Random random(7, RandomStage::kSubsample, 2);
  int32_t label = 0;
  const auto split = [&](int64_t parent, double at, int64_t size, double share) {
    const double end = at * (1.5 + random.uniform());
    tree.branches.push_back({parent, at, end, static_cast<int64_t>(static_cast<double>(size) * share), -1});
    return static_cast<int64_t>(tree.branches.size()) - 1;
  };
  for (int family = 0; family < 2; ++family) {
    int64_t trunk = split(0, 0.08, 100'000, family == 0 ? 0.3 : 0.55);
    for (int i = 0; i < 3 + 2 * family; ++i) {
      const ReportBranch from = tree.branches[static_cast<size_t>(trunk)];
      const int64_t leaf = split(trunk, from.death, from.size, 0.3);
      tree.branches[static_cast<size_t>(leaf)].label = label++;
      tree.branches[static_cast<size_t>(leaf)].death *= 1.8;
      trunk = split(trunk, from.death, from.size, 0.55);
    }
    tree.branches[static_cast<size_t>(trunk)].label = label++;
    const ReportBranch last = tree.branches[static_cast<size_t>(trunk)];
    split(trunk, last.death, last.size, 0.3);
    split(trunk, last.death, last.size, 0.2);
  }
  tree.branches.back().death = 900;
  return tree;
}

Report sample(int64_t n) {
  Report r;
  r.title = "Run of sensors.yaml";
  r.lead =
      "The rows fall into nine clusters (silhouette 0.412), so the clusters were applied: 812 near-duplicates dropped, 36,000 rows kept, "
      "an encoder pre-trained on the cluster labels.";
  r.facts = {{"clusters", "9", "of 1 to 16 tried"},
             {"silhouette", "0.412", "euclidean, 50,000 rows"},
             {"rows kept", "998,985", "of 1,000,000"},
             {"variance kept", "92.4 %", "12 of 64 components"},
             {"flagged", "131", "false discovery 0.05"}};
  r.sections.push_back(sample_flow());
  r.sections.push_back(ReportChapter{"cluster", "k-means on 12 components, Euclidean, k-means++ start."});
  r.sections.push_back(sample_scatter(n));
  ReportBars sizes{"Cluster sizes", {}, {}, {}, "rows", ""},
      silhouettes{"Silhouette by cluster", {}, {}, {}, "", "A negative mean: most rows lie nearer to another cluster."};
  ReportTable centers{
      "Centres", {"cluster", "rows", "temperature (°C)", "pressure (hPa)", "vibration", "nearest other"}, {}, "In the units of the input."};
  for (int c = 0; c < kClusters; ++c) {
    sizes.names.push_back("cluster " + std::to_string(c));
    sizes.values.push_back(140000 - 12345.0 * c);
    sizes.color.push_back(c);
    silhouettes.values.push_back(0.61 - 0.085 * c);
    const double w = 0.37 * c;
    centers.rows.push_back({"cluster " + std::to_string(c), int64_t{140000} - 12345 * c, 21.4 + w * w, 1013.25 - 3.1 * w,
                            c == 4 ? NAN : 0.00123 * (c + 1), "cluster " + std::to_string((c + 1) % kClusters)});
  }
  silhouettes.names = sizes.names;
  silhouettes.color = sizes.color;
  r.sections.push_back(sizes);
  r.sections.push_back(silhouettes);
  for (auto& curve : sample_curves()) r.sections.push_back(curve);
  r.sections.push_back(centers);
  r.sections.push_back(sample_sheet());
  r.sections.push_back(ReportChapter{"Account", ""});
  r.sections.push_back(ReportRowAccount{"Row account",
                                        1'000'000,
                                        998'985,
                                        3,
                                        {{"near-duplicate of a kept row", 812}, {"missing value", 200}},
                                        "read = kept + dropped + rejected"});
  r.sections.push_back(ReportPairs{
      "Parameters",
      {{"n_clusters", "auto (9)"}, {"init", "k-means++"}, {"max_iter", "300"}, {"tol", "0.0001"}, {"metric", "euclidean"}, {"seed", "0"}},
      ""});
  r.sections.push_back(ReportText{
      "How to read this page",
      {"Each row belongs to the nearest centre. A silhouette near 1 says that it lies well inside its cluster, near 0 at a border."}});
  r.sections.push_back(ReportPairs{"Hashes",
                                   {{"SHA-256 of summary.json", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
                                    {"SHA-256 of model.safetensors", "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"}},
                                   ""});
  r.sections.push_back(ReportChapter{"anomalies", "Isolation forest, threshold by false discovery."});
  r.sections.push_back(sample_histogram());
  r.sections.push_back(sample_flagged());
  r.sections.push_back(sample_tree());
  return r;
}

// Each place a text can come from gets one that shows, by setting window.hit or by a dialog, that it has become script.
void make_hostile(Report& r) {
  const std::string evil = "</script><script>window.hit=1;alert(1)</script><img src=x onerror=\"window.hit=2\">'\"&amp;\xE2\x80\xA8\xFF" +
                           std::string(1, '\0') + "{{7*7}}${window.hit=3} http://evil.example/";
  const std::string style = "</style></title><svg onload=alert(2)>\" onmouseover=\"window.hit=4\" <!--<script>";
  r.title = style;
  r.lead = evil;
  r.facts[0] = {evil, style, evil};
  auto& flow = std::get<ReportFlow>(r.sections[0]);
  flow.boxes[0].name = evil;
  flow.boxes[0].facts = {style, evil};
  flow.reason = flow.question = flow.title = evil;
  std::get<ReportChapter>(r.sections[1]) = {evil, style};
  auto& scatter = std::get<ReportScatter>(r.sections[2]);
  scatter.title = scatter.x_name = scatter.y_name = scatter.note = evil;
  scatter.names.assign(kClusters, style);
  auto& bars = std::get<ReportBars>(r.sections[3]);
  bars.title = bars.unit = bars.note = bars.names[0] = evil;
  auto& curve = std::get<ReportCurve>(r.sections[5]);
  curve.title = curve.x_name = curve.y_name = curve.marked_name = curve.note = curve.lines[0].name = evil;
  auto& table = std::get<ReportTable>(r.sections[7]);
  table.title = table.header[0] = table.note = evil;
  table.header[2] = style;
  table.rows[0][0] = evil;
  auto& sheet = std::get<ReportContactSheet>(r.sections[8]);
  sheet.title = sheet.groups[0].name = sheet.note = evil;
  std::get<ReportRowAccount>(r.sections[10]).dropped[0].first = evil;
  std::get<ReportPairs>(r.sections[11]).pairs[0] = {style, evil};
  std::get<ReportText>(r.sections[12]).paragraphs.push_back(evil);
  auto& histogram = std::get<ReportHistogram>(r.sections[15]);
  histogram.title = histogram.x_name = histogram.marked_name = histogram.note = evil;
  auto& flagged = std::get<ReportTable>(r.sections[16]);
  flagged.title = flagged.header[3] = evil;
  std::get<std::string>(flagged.rows[2][3]) = style;
  auto& tree = std::get<ReportTree>(r.sections[17]);
  tree.title = tree.level_name = tree.note = evil;
  tree.names.assign(10, style);
}

int run(int argc, char** argv) {
  std::string out;
  int64_t n = 20'000;
  bool hostile = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--hostile")
      hostile = true;
    else if (word == "--rows" && i + 1 < argc)
      std::from_chars(argv[i + 1], argv[i + 1] + std::strlen(argv[i + 1]), n), ++i;
    else
      out = word;
  }
  if (out.empty()) fail(ErrorCode::kUsage, "report_sample", "no output file given", "report_sample OUT.html [--hostile] [--rows N]");
  Report report = sample(n);
  if (hostile) make_hostile(report);
  write_report(report, out);
  return 0;
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  try {
    return sluice::run(argc, argv);
  } catch (const sluice::Error& error) {
    std::fprintf(stderr, "report_sample: error: %s\n", error.what());
    return static_cast<int>(error.code);
  }
}
