// Trees of clusters, as SVG without a script. Each subtree has a stretch of the width for itself, shared out by what its branches
// need; in it a branch is drawn as wide as it has rows. So branches never overlap, and small ones far down stay apart.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "sluice/core/math.h"
#include "sluice/report/page.h"
#include "sluice/report/text.h"

namespace sluice::page {
namespace {

constexpr size_t kMostBranches = 2000;
constexpr double kGap = 0.004;       // between two branches, in shares of all rows
constexpr double kLeast = 1.2;       // the width of what would be too thin to see, in thousandths
constexpr double kAlwaysNamed = 45;  // a stretch that has room for a name on any screen, in thousandths
constexpr double kNamedIfWide = 16;  // and on a wide one
constexpr double kFarDown = 3;       // levels beyond so many times where most end are cut off,
constexpr double kCrowded = 0.15;    // splits are by half above this share of the height: then levels are drawn by logarithm
constexpr double kCutAt = 1.5;       // at so many times that

struct Drawn {
  std::vector<size_t> children;  // of those drawn
  double left = 0;               // rows left at its end: all children's
  bool leaf = true;              // of the whole tree
  bool shown = false;
  double need = 0;          // width, in rows
  double from = 0, to = 0;  // its stretch, in thousandths
  int32_t color = -1;       // its own label, or that of the chosen branch it hangs from
};

struct Layout {
  std::vector<size_t> order;  // parents before children
  std::vector<Drawn> drawn;
  size_t hidden = 0;
  double top = 0, floor = 1;  // the levels at the top and the bottom
  bool log = false;           // levels by logarithm
  double farthest = 0;        // the last level
  size_t cut = 0;             // branches that go on below the bottom

  // Thousandths of the height.
  double down(double level) const {
    const double at = std::clamp(level, top, floor);
    return 1000 * (log ? log64(at / top) / log64(floor / top) : (at - top) / (floor - top));
  }
};

// Breadth first; refuses what is no tree.
std::vector<size_t> order_of(const ReportTree& tree) {
  const size_t n = tree.branches.size();
  std::vector<std::vector<size_t>> children(n);
  std::vector<size_t> order;
  for (size_t i = 0; i < n; ++i) {
    const ReportBranch& branch = tree.branches[i];
    const auto parent = static_cast<size_t>(branch.parent);
    if (branch.parent < -1 || (branch.parent >= 0 && parent >= n)) misfit(tree.title, "a branch hangs from none that is there");
    if (!std::isfinite(branch.birth) || branch.death < branch.birth || branch.size < 0)
      misfit(tree.title, "a branch ends before it begins");
    if (branch.parent < 0)
      order.push_back(i);
    else if (branch.size > tree.branches[parent].size)
      misfit(tree.title, "a branch is larger than the one it hangs from");
    else
      children[parent].push_back(i);
  }
  for (size_t at = 0; at < order.size(); ++at) order.insert(order.end(), children[order[at]].begin(), children[order[at]].end());
  if (order.size() != n) misfit(tree.title, "its branches hang from each other");
  return order;
}

// The largest branches; no child is larger than its parent, so what is taken hangs together.
void choose(const ReportTree& tree, Layout& layout) {
  std::vector<size_t> largest = layout.order;
  std::stable_sort(largest.begin(), largest.end(), [&](size_t a, size_t b) { return tree.branches[a].size > tree.branches[b].size; });
  if (largest.size() > kMostBranches) largest.resize(kMostBranches);
  for (const size_t i : largest) layout.drawn[i].shown = true;
  layout.hidden = layout.order.size() - largest.size();
  for (const size_t i : layout.order) {
    Drawn& own = layout.drawn[i];
    const ReportBranch& branch = tree.branches[i];
    own.color = branch.label;
    if (branch.parent < 0) continue;
    Drawn& parent = layout.drawn[static_cast<size_t>(branch.parent)];
    if (own.color < 0) own.color = parent.color;
    parent.leaf = false;
    parent.left += static_cast<double>(branch.size);
    if (own.shown) parent.children.push_back(i);
  }
  std::erase_if(layout.order, [&](size_t i) { return !layout.drawn[i].shown; });
}

void share_out(Layout& layout, const std::vector<size_t>& among, double from, double to) {
  double all = 0;
  for (const size_t i : among) all += layout.drawn[i].need;
  for (const size_t i : among) {
    layout.drawn[i].from = from;
    from += (to - from) * layout.drawn[i].need / all;
    all -= layout.drawn[i].need;
    layout.drawn[i].to = from;
  }
}

// Thousandths a row.
double stretch(const ReportTree& tree, Layout& layout) {
  std::vector<size_t> roots;
  double rows = 0;
  size_t tips = 0;
  for (const size_t i : layout.order) {
    if (tree.branches[i].parent < 0) {
      roots.push_back(i);
      rows += static_cast<double>(tree.branches[i].size);
    }
    tips += layout.drawn[i].children.empty();
  }
  rows = std::max(rows, 1.0);
  const double least = rows * std::min(0.02, 0.5 / static_cast<double>(std::max<size_t>(tips, 1))), gap = rows * kGap;
  double total = 0;
  for (auto i = layout.order.rbegin(); i != layout.order.rend(); ++i) {
    Drawn& own = layout.drawn[*i];
    double children = 0;
    for (const size_t child : own.children) children += layout.drawn[child].need;
    own.need = std::max({static_cast<double>(tree.branches[*i].size) + gap, least, children});
    if (tree.branches[*i].parent < 0) total += own.need;
  }
  share_out(layout, roots, 0, 1000);
  for (const size_t i : layout.order) share_out(layout, layout.drawn[i].children, layout.drawn[i].from, layout.drawn[i].to);
  return 1000 / total;
}

// Levels such as 1 / distance grow by factors from split to split: on a plain scale the first ones lie on each other.
void use_logarithm(const ReportTree& tree, Layout& layout) {
  std::vector<double> splits;
  for (const size_t i : layout.order) {
    if (tree.branches[i].parent >= 0) splits.push_back(tree.branches[i].birth);
  }
  std::sort(splits.begin(), splits.end());
  if (splits.empty() || !(splits.front() > 0) || splits[splits.size() / 2] > kCrowded * layout.floor) return;
  layout.log = true;
  layout.top = splits.front() / 1.5;
}

// 1, 2, 5, 10, ... where the scale is logarithmic.
std::vector<Tick> level_ticks(const Layout& layout) {
  if (!layout.log) return ticks(layout.top, layout.floor, 7);
  std::vector<Tick> out;
  const bool few = layout.floor < 2000 * layout.top;
  double power = 1;
  while (power > layout.top) power /= 10;
  while (power * 10 <= layout.top) power *= 10;
  for (; power <= layout.floor; power *= 10) {
    for (const double times : {1.0, 2.0, 5.0}) {
      const double at = power * times;
      if (at >= layout.top && at <= layout.floor && (few || times == 1)) out.push_back({at, report_number(at)});
    }
  }
  return out;
}

// A few branches that live on far below the others (rows that are equal part at no level) would flatten all of them: they are cut.
void find_floor(const ReportTree& tree, Layout& layout) {
  double splits = 0;
  std::vector<double> ends;
  for (const size_t i : layout.order) {
    splits = std::max(splits, tree.branches[i].birth);
    if (layout.drawn[i].leaf && std::isfinite(tree.branches[i].death)) ends.push_back(tree.branches[i].death);
  }
  std::sort(ends.begin(), ends.end());
  const double last = ends.empty() ? splits : ends.back();
  const double most = std::max(splits, ends.empty() ? 0 : ends[(ends.size() - 1) * 9 / 10]);
  const bool endless =
      std::any_of(layout.order.begin(), layout.order.end(), [&](size_t i) { return !std::isfinite(tree.branches[i].death); });
  layout.farthest = endless ? INFINITY : last;
  layout.floor = last > kFarDown * most && most > 0 ? kCutAt * most : std::max(last, splits);
  if (!(layout.floor > 0)) layout.floor = 1;
  use_logarithm(tree, layout);
  for (const size_t i : layout.order) layout.cut += !(tree.branches[i].death <= layout.floor);
}

std::string level_text(double level) {
  return std::isinf(level) ? "∞" : report_number(level);
}

std::string name_of(const ReportTree& tree, int32_t label) {
  const auto at = static_cast<size_t>(label);
  return at < tree.names.size() && !tree.names[at].empty() ? tree.names[at] : "cluster " + std::to_string(label);
}

struct Pen {
  const ReportTree& tree;
  const Layout& layout;
  double unit = 1;

  // The line that children hang from, and the branch itself.
  std::string path(size_t i) const {
    const ReportBranch& branch = tree.branches[i];
    const Drawn& own = layout.drawn[i];
    const double middle = (own.from + own.to) / 2, end = std::isfinite(branch.death) ? branch.death : INFINITY;
    const auto size = static_cast<double>(branch.size);
    // Between birth and end the rows are taken to leave evenly.
    const double rest = std::isinf(end) ? size : own.left;
    const double part = end > layout.floor && std::isfinite(end) ? (layout.floor - branch.birth) / (end - branch.birth) : 1;
    const double above = std::max(size * unit, kLeast) / 2, below = (size + (rest - size) * part) * unit / 2;
    const double tip = own.leaf && part == 1 && rest == 0 ? 0 : std::max(below, kLeast / 2);
    std::string words = branch.label >= 0 ? name_of(tree, branch.label) + ": " : std::string();
    words +=
        report_number(branch.size) + " rows, " + tree.level_name + " " + report_number(branch.birth) + " to " + level_text(branch.death);
    return "<path" + (own.color >= 0 ? label_color(own.color) : std::string(" class=\"bare\"")) + " d=\"M" + coordinate(middle - above) +
           " " + coordinate(layout.down(branch.birth)) + "H" + coordinate(middle + above) + "L" + coordinate(middle + tip) + " " +
           coordinate(layout.down(end)) + "H" + coordinate(middle - tip) + "Z\"><title>" + html(words) + "</title></path>\n";
  }

  std::string join(size_t i) const {
    const std::vector<size_t>& children = layout.drawn[i].children;
    if (children.empty()) return {};
    double from = (layout.drawn[i].from + layout.drawn[i].to) / 2, to = from;
    for (const size_t child : children) {
      const double middle = (layout.drawn[child].from + layout.drawn[child].to) / 2;
      from = std::min(from, middle);
      to = std::max(to, middle);
    }
    return "M" + coordinate(from) + " " + coordinate(layout.down(tree.branches[children[0]].birth)) + "H" + coordinate(to);
  }

  std::string name(size_t i) const {
    const Drawn& own = layout.drawn[i];
    const int32_t label = tree.branches[i].label;
    if (label < 0 || own.to - own.from < kNamedIfWide) return {};
    const bool always = own.to - own.from >= kAlwaysNamed;
    return std::string("<text class=\"") + (always ? "name" : "name wide") + "\" x=\"" + coordinate((own.from + own.to) / 20) + "%\" y=\"" +
           coordinate(layout.down(tree.branches[i].birth) / 10) + "%\" dy=\"1.2em\" text-anchor=\"middle\">" + std::to_string(label) +
           "</text>\n";
  }
};

std::string note_of(const ReportTree& tree, const Layout& layout) {
  std::string note = tree.note;
  const auto add = [&](const std::string& text) { note += (note.empty() ? "" : " ") + text; };
  const auto few = [](size_t count) { return report_number(static_cast<int64_t>(count)); };
  if (layout.hidden > 0) add("The " + few(kMostBranches) + " largest branches; " + few(layout.hidden) + " smaller ones are not drawn.");
  if (layout.cut > 0)
    add(few(layout.cut) + (layout.cut == 1 ? " branch goes" : " branches go") + " on below the drawing, to " + tree.level_name + " " +
        level_text(layout.farthest) + ".");
  return note;
}

}  // namespace

Part part_of(const ReportTree& tree) {
  Layout layout;
  layout.order = order_of(tree);
  layout.drawn.resize(tree.branches.size());
  if (layout.order.empty())
    return {element("p", "The tree has no branches.", "note") + element("p", tree.note, "note"), "tree", {}, Width::kFull};
  choose(tree, layout);
  const double unit = stretch(tree, layout);
  find_floor(tree, layout);
  const Pen pen{tree, layout, unit};
  std::string rule = "<text class=\"axis-name\" x=\"0\" dy=\"-.6em\">" + html(tree.level_name) + (layout.log ? ", log" : "") + "</text>",
              joins, bare, inside, chosen, texts;
  std::string grid;
  for (const Tick& tick : level_ticks(layout)) {
    rule +=
        "<text x=\"100%\" y=\"" + coordinate(layout.down(tick.at) / 10) + "%\" dy=\".35em\" text-anchor=\"end\">" + tick.text + "</text>";
    grid += "M0 " + coordinate(layout.down(tick.at)) + "H1000";
  }
  for (const size_t i : layout.order) {
    joins += pen.join(i);
    const bool is_chosen = tree.branches[i].label >= 0;
    (is_chosen ? chosen : layout.drawn[i].color >= 0 ? inside : bare) += pen.path(i);
    texts += pen.name(i);
  }
  const std::string shapes = "<path class=\"grid\" d=\"" + grid + "\"/>\n<path class=\"join\" d=\"" + joins + "\"/>\n" + bare +
                             "<g class=\"inside\">\n" + inside + "</g>\n" + chosen;
  return {figure_html("tree-plot",
                      tree.title + ": " + report_number(static_cast<int64_t>(tree.branches.size())) + " branches by " + tree.level_name,
                      rule, shapes, texts) +
              element("p", note_of(tree, layout), "note"),
          "tree",
          {},
          Width::kFull};
}

}  // namespace sluice::page
