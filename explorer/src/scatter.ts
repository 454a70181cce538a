// Rows in two dimensions: zoom by wheel, pinch, buttons and keys; what is pointed at is named; the legend shows and hides clusters.
import { colorOf, css, type Rgb, themeColor } from "./colors";
import { doublesOf, floatsOf, integersOf, type ScatterPart, stepsOf } from "./data";
import { button, make, redrawWhenNeeded } from "./dom";
import { shown } from "./numbers";
import { type Centers, drawCenters, drawEllipses, drawFrame, drawPointer, type Ellipse } from "./scatter_draw";
import { listen } from "./scatter_input";
import { makeLegend } from "./scatter_legend";
import { lookOf, makePainter, type Points } from "./scatter_points";
import { type Box, moved, toPixelX, toPixelY, type View, wholeView, zoomed } from "./scatter_view";

export interface Scatter {
  part: ScatterPart;
  points: Points;
  centers: Centers;
  ellipses: Ellipse[];
  rows: Float64Array;
  labels: number[]; // of each slot
  names: string[]; // of each slot
  counts: number[];
  hidden: boolean[];
  emphasis: number; // the slot that stands out, or -1
  canvas: HTMLCanvasElement;
  tip: HTMLElement;
  box: Box;
  whole: View;
  view: View;
  pointed: number; // a row, or -1
  painter: ReturnType<typeof makePainter>;
  stale: boolean; // the painter's layer is not what is to be seen
  draw: (stale?: boolean) => void; // with false only what lies upon the points is drawn anew
}

const nameOf = (part: ScatterPart, label: number) => (label < 0 ? "noise" : part.names[label] || `cluster ${label}`);

// Points grouped into slots, one a label in ascending order.
function load(part: ScatterPart): Pick<Scatter, "points" | "centers" | "ellipses" | "rows" | "labels" | "names" | "counts"> {
  const [x, y, label] = [floatsOf(part.x), floatsOf(part.y), integersOf(part.label, part.labelBytes)];
  const [centerX, centerY] = [floatsOf(part.centerX), floatsOf(part.centerY)];
  const known = new Set<number>(label.length ? label : [0]);
  const drawn = doublesOf(part.ellipses);
  for (let i = 0; i < centerX.length; ++i) known.add(label.length ? i : 0);
  for (let i = 5; i < drawn.length; i += 6) known.add(label.length ? drawn[i]! : 0);
  const labels = [...known].sort((a, b) => a - b);
  const slotOf = new Map(labels.map((l, i) => [l, i]));
  const slot = new Int32Array(x.length);
  const counts = labels.map(() => 0);
  for (let i = 0; i < x.length; ++i) {
    slot[i] = label.length ? slotOf.get(label[i]!)! : 0;
    ++counts[slot[i]!]!;
  }
  const ellipses: Ellipse[] = [];
  for (let i = 0; i < drawn.length; i += 6) {
    const [x, y, xx, xy, yy, of] = drawn.subarray(i, i + 6) as unknown as [number, number, number, number, number, number];
    ellipses.push({ x, y, xx, xy, yy, slot: label.length ? slotOf.get(of)! : 0 });
  }
  const centerSlots = Int32Array.from(centerX, (_, i) => (label.length ? slotOf.get(i)! : 0));
  return {
    points: { x, y, slot },
    centers: { x: centerX, y: centerY, slot: centerSlots, names: Array.from(centerX, (_, i) => part.names[i] || String(i)) },
    ellipses,
    rows: part.row ? stepsOf(part.row, x.length) : new Float64Array(),
    labels,
    names: labels.map((l) => (label.length ? nameOf(part, l) : "rows")),
    counts,
  };
}

function layOut(s: Scatter, ratio: number): void {
  const width = Math.max(240, s.canvas.parentElement!.clientWidth);
  const height = Math.round(Math.max(Math.min(width, 360), Math.min(620, width * 0.62)));
  s.canvas.width = Math.round(width * ratio);
  s.canvas.height = Math.round(height * ratio);
  s.canvas.style.width = `${width}px`;
  s.canvas.style.height = `${height}px`;
  const left = 56;
  const before = s.whole;
  s.box = { left, top: 22, width: width - left - 2, height: height - 22 - 42 };
  s.whole = wholeView([s.points, s.centers], s.part.sameScale, s.box);
  // A new width changes the whole of equal scales; what was zoomed into is then shown afresh.
  if (JSON.stringify(before) !== JSON.stringify(s.whole)) s.view = s.whole;
}

function drawAll(s: Scatter): void {
  const ratio = window.devicePixelRatio || 1;
  const context = s.canvas.getContext("2d")!;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, s.canvas.width, s.canvas.height);
  const colors: Rgb[] = s.labels.map(colorOf);
  const shares = s.labels.map((label, slot) => {
    if (s.hidden[slot]) return 0;
    if (s.emphasis >= 0 && s.emphasis !== slot) return 0.12;
    return label < 0 ? 0.6 : 1;
  });
  if (s.stale) s.canvas.dataset.by = s.painter.paint(lookOf(s.points, s.view, s.box, ratio, colors, shares, themeColor("--ground")));
  s.stale = false;
  context.drawImage(s.painter.layer, Math.round(s.box.left * ratio), Math.round(s.box.top * ratio));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  drawFrame(context, s.view, s.box, s.part.xName, s.part.yName);
  drawEllipses(context, s.ellipses, s.view, s.box, colors, shares);
  if (s.pointed >= 0) {
    const [px, py] = pixelOf(s, s.pointed);
    drawPointer(context, px, py, colors[s.points.slot[s.pointed]!]!);
  }
  const solid = shares.map((share) => (share === 0.6 ? 1 : share));
  drawCenters(context, s.centers, s.view, s.box, solid, s.centers.x.length <= 24);
}

const pixelOf = (s: Scatter, i: number): [number, number] => [toPixelX(s.view, s.box, s.points.x[i]!), toPixelY(s.view, s.box, s.points.y[i]!)];

// The row nearest to a place on the canvas, within 12 pixels, or -1.
export function rowAt(s: Scatter, px: number, py: number): number {
  const { x, y, slot } = s.points;
  const [kx, ky] = [s.box.width / (s.view.x1 - s.view.x0), s.box.height / (s.view.y1 - s.view.y0)];
  const [dx0, dy0] = [px - s.box.left, py - s.box.top];
  let best = 144;
  let found = -1;
  for (let i = 0; i < x.length; ++i) {
    const dx = (x[i]! - s.view.x0) * kx - dx0;
    const dy = (s.view.y1 - y[i]!) * ky - dy0;
    const distance = dx * dx + dy * dy;
    if (distance < best && !s.hidden[slot[i]!]) {
      best = distance;
      found = i;
    }
  }
  return found;
}

export function point(s: Scatter, row: number): void {
  if (row === s.pointed) return;
  s.pointed = row;
  s.draw(false);
  s.tip.hidden = row < 0;
  if (row < 0) return;
  const slot = s.points.slot[row]!;
  const number = s.rows.length ? s.rows[row]! : row;
  s.tip.textContent = "";
  s.tip.append(make("strong", {}, `row ${shown(number)}`));
  if (s.part.label) {
    const line = make("span", { class: "tip-line" });
    const swatch = make("span", { class: "swatch" });
    swatch.style.background = css(colorOf(s.labels[slot]!));
    line.append(swatch, s.names[slot]!);
    s.tip.append(line);
  }
  s.tip.append(make("span", { class: "tip-line" }, `${s.part.xName} ${shown(s.points.x[row])}`));
  s.tip.append(make("span", { class: "tip-line" }, `${s.part.yName} ${shown(s.points.y[row])}`));
  const [px, py] = pixelOf(s, row);
  const width = s.tip.offsetWidth;
  s.tip.style.left = `${Math.max(0, px + 14 + width > s.canvas.clientWidth ? px - 14 - width : px + 14)}px`;
  s.tip.style.top = `${Math.max(0, Math.min(py + 10, s.canvas.clientHeight - s.tip.offsetHeight))}px`;
}

export function setView(s: Scatter, view: View): void {
  s.view = view;
  s.pointed = -1;
  s.tip.hidden = true;
  s.draw();
}

function tools(s: Scatter): HTMLElement {
  const made = make("div", { class: "tools" });
  const middle = (): [number, number] => [s.box.left + s.box.width / 2, s.box.top + s.box.height / 2];
  made.append(button("+", "Zoom in", () => setView(s, zoomed(s.view, s.whole, s.box, ...middle(), 0.6))));
  made.append(button("\u2212", "Zoom out", () => setView(s, zoomed(s.view, s.whole, s.box, ...middle(), 1 / 0.6))));
  made.append(button("\u2922", "Show everything", () => setView(s, s.whole)));
  return made;
}

export const panned = (s: Scatter, dx: number, dy: number) => setView(s, moved(s.view, s.whole, s.box, dx, dy));

function unusable(points: Points): number {
  let count = 0;
  for (let i = 0; i < points.x.length; ++i) if (!Number.isFinite(points.x[i]!) || !Number.isFinite(points.y[i]!)) ++count;
  return count;
}

export function drawScatter(part: ScatterPart, into: HTMLElement): void {
  const loaded = load(part);
  const label = `${part.title}: ${shown(loaded.points.x.length)} rows, ${part.yName} by ${part.xName}. Keys: arrows move, plus and minus zoom, 0 or a double click shows everything.`;
  const canvas = make("canvas", { tabindex: 0, role: "img", "aria-label": label });
  const tip = make("div", { class: "tip", role: "status" });
  tip.hidden = true;
  const none = { x0: 0, x1: 0, y0: 0, y1: 0 };
  let due = false;
  const s: Scatter = {
    ...loaded,
    part,
    hidden: loaded.labels.map(() => false),
    emphasis: -1,
    canvas,
    tip,
    box: { left: 0, top: 0, width: 1, height: 1 },
    whole: none,
    view: none,
    pointed: -1,
    painter: makePainter(loaded.points),
    stale: true,
    draw: (stale = true) => {
      s.stale ||= stale;
      if (due) return;
      due = true;
      requestAnimationFrame(() => {
        due = false;
        drawAll(s);
      });
    },
  };
  const plot = make("div", { class: "plot" });
  plot.append(canvas, tip, tools(s));
  into.append(plot);
  if (part.label) into.append(makeLegend(s));
  const lost = unusable(s.points);
  if (lost > 0) into.append(make("p", { class: "note" }, `${shown(lost)} ${lost === 1 ? "row has" : "rows have"} no place here: a value is not finite.`));
  redrawWhenNeeded(plot, () => {
    layOut(s, window.devicePixelRatio || 1);
    s.stale = true;
    drawAll(s);
  });
  listen(s);
}
