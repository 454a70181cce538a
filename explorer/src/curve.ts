// Curves with bands, as SVG: few points, sharp at any size, printable.
import type { CurvePart, Line } from "./data";
import { make, makeSvg, redrawWhenNeeded } from "./dom";
import { shown, ticks } from "./numbers";

const kMargin = { top: 22, right: 14, bottom: 40, left: 58 };
const kDashes = ["", "7 4", "2 3", "9 3 2 3"];

interface Frame {
  x: (value: number) => number;
  y: (value: number) => number;
  width: number;
  height: number;
  range: [number, number, number, number];
}

function rangeOf(part: CurvePart): [number, number, number, number] | null {
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const line of part.lines) {
    line.x.forEach((x, i) => {
      if (x === null) return;
      for (const y of [line.y[i], line.low[i], line.high[i]]) {
        if (y === null || y === undefined) continue;
        [x0, x1, y0, y1] = [Math.min(x0, x), Math.max(x1, x), Math.min(y0, y), Math.max(y1, y)];
      }
    });
  }
  if (!(x1 >= x0)) return null;
  if (part.markedX !== null) [x0, x1] = [Math.min(x0, part.markedX), Math.max(x1, part.markedX)];
  if (x1 === x0) [x0, x1] = [x0 - 0.5, x1 + 0.5];
  // Zero belongs to the axis where the values come near it anyway.
  if (y0 > 0 && y0 < 0.35 * y1) y0 = 0;
  const pad = y1 === y0 ? Math.abs(y1) / 10 || 1 : (y1 - y0) * 0.05;
  return [x0, x1, y0 === 0 ? 0 : y0 - pad, y1 + pad];
}

function drawAxes(svg: SVGElement, part: CurvePart, f: Frame): void {
  const [x0, x1, y0, y1] = f.range;
  for (const tick of ticks(y0, y1, Math.max(2, f.height / 45))) {
    const y = f.y(tick.at).toFixed(1);
    svg.append(makeSvg("path", { class: tick.at === 0 ? "axis" : "grid", d: `M${kMargin.left} ${y}h${f.width}` }));
    svg.append(makeSvg("text", { class: "tick", x: kMargin.left - 7, y, dy: "0.35em", "text-anchor": "end" }, tick.text));
  }
  const base = kMargin.top + f.height;
  svg.append(makeSvg("path", { class: "axis", d: `M${kMargin.left} ${base}h${f.width}` }));
  const whole = part.lines.every((line) => line.x.every((x) => x === null || Number.isInteger(x)));
  for (const tick of ticks(x0, x1, Math.max(2, f.width / 50))) {
    if (whole && !Number.isInteger(Number(tick.at.toFixed(9)))) continue;
    const x = f.x(tick.at).toFixed(1);
    svg.append(makeSvg("path", { class: "axis", d: `M${x} ${base}v4` }));
    svg.append(makeSvg("text", { class: "tick", x, y: base + 17, "text-anchor": "middle" }, tick.text));
  }
  svg.append(makeSvg("text", { class: "axis-name", x: kMargin.left + f.width, y: base + 34, "text-anchor": "end" }, part.xName));
  svg.append(makeSvg("text", { class: "axis-name", x: 1, y: 12 }, part.yName));
}

// The stretches of a line without gaps, as indices.
function stretches(line: Line): number[][] {
  const out: number[][] = [];
  let current: number[] = [];
  line.x.forEach((x, i) => {
    if (x !== null && line.y[i] !== null) return void current.push(i);
    if (current.length) out.push(current);
    current = [];
  });
  if (current.length) out.push(current);
  return out;
}

function drawLine(svg: SVGElement, line: Line, index: number, f: Frame): void {
  const point = (x: number, y: number) => `${f.x(x).toFixed(1)} ${f.y(y).toFixed(1)}`;
  for (const stretch of stretches(line)) {
    const banded = stretch.filter((i) => line.low[i] != null && line.high[i] != null);
    if (banded.length > 1) {
      const up = banded.map((i) => point(line.x[i]!, line.high[i]!));
      const down = banded.map((i) => point(line.x[i]!, line.low[i]!)).reverse();
      svg.append(makeSvg("path", { class: `band s${index % 4}`, d: `M${up.join("L")}L${down.join("L")}Z` }));
    }
    const d = `M${stretch.map((i) => point(line.x[i]!, line.y[i]!)).join("L")}`;
    svg.append(makeSvg("path", { class: `line s${index % 4}`, d, "stroke-dasharray": kDashes[index % 4]! }));
    if (line.x.length > 60) continue;
    for (const i of stretch) {
      svg.append(makeSvg("circle", { class: `dot s${index % 4}`, cx: f.x(line.x[i]!).toFixed(1), cy: f.y(line.y[i]!).toFixed(1), r: 2.6 }));
    }
  }
}

function drawMark(svg: SVGElement, part: CurvePart, f: Frame): void {
  if (part.markedX === null) return;
  const x = f.x(part.markedX);
  svg.append(makeSvg("path", { class: "mark", d: `M${x.toFixed(1)} ${kMargin.top}v${f.height}` }));
  const text = part.markedName || `${part.xName} = ${shown(part.markedX)}`;
  // Above the frame where the name of the y axis leaves room (7 pixels a letter is ample), else inside it.
  const half = text.length * 3.5;
  if (x - half > part.yName.length * 7 + 12 && x + half < kMargin.left + f.width) {
    svg.append(makeSvg("text", { class: "mark-name", x, y: 12, "text-anchor": "middle" }, text));
    return;
  }
  const right = x < kMargin.left + f.width / 2;
  svg.append(makeSvg("text", { class: "mark-name", x: x + (right ? 6 : -6), y: kMargin.top + 11, "text-anchor": right ? "start" : "end" }, text));
}

function legend(part: CurvePart): HTMLElement | null {
  if (part.lines.length < 2) return null;
  const made = make("ul", { class: "curve-legend" });
  part.lines.forEach((line, i) => {
    const item = make("li");
    const key = makeSvg("svg", { width: 26, height: 8, "aria-hidden": "true" });
    key.append(makeSvg("path", { class: `line s${i % 4}`, d: "M0 4h26", "stroke-dasharray": kDashes[i % 4]! }));
    item.append(key, line.name);
    made.append(item);
  });
  return made;
}

// The values at the x nearest to the pointer, in words below the curve.
function readout(part: CurvePart, x: number): { at: number; text: string } | null {
  let nearest: number | null = null;
  for (const line of part.lines) {
    for (const v of line.x) if (v !== null && (nearest === null || Math.abs(v - x) < Math.abs(nearest - x))) nearest = v;
  }
  if (nearest === null) return null;
  const words = part.lines.flatMap((line) => {
    const i = line.x.indexOf(nearest);
    if (i < 0) return [];
    const band = line.low[i] != null ? ` (${shown(line.low[i])} to ${shown(line.high[i])})` : "";
    return [`${part.lines.length > 1 ? `${line.name} ` : ""}${shown(line.y[i])}${band}`];
  });
  return { at: nearest, text: `${part.xName} ${shown(nearest)}: ${words.join(", ")}` };
}

function drawInto(holder: HTMLElement, words: HTMLElement, part: CurvePart): void {
  holder.textContent = "";
  const range = rangeOf(part);
  if (!range) return void holder.append(make("p", { class: "note" }, "No finite values."));
  const outer = Math.max(240, holder.clientWidth);
  const width = outer - kMargin.left - kMargin.right;
  const height = Math.round(Math.min(300, Math.max(190, outer * 0.5)));
  const [x0, x1, y0, y1] = range;
  const f: Frame = {
    width,
    height,
    range,
    x: (v) => kMargin.left + ((v - x0) / (x1 - x0)) * width,
    y: (v) => kMargin.top + (1 - (v - y0) / (y1 - y0)) * height,
  };
  const full = height + kMargin.top + kMargin.bottom;
  const svg = makeSvg("svg", { width: outer, height: full, viewBox: `0 0 ${outer} ${full}`, role: "img", "aria-label": `${part.title}: ${part.yName} by ${part.xName}` });
  drawAxes(svg, part, f);
  drawMark(svg, part, f);
  part.lines.forEach((line, i) => drawLine(svg, line, i, f));
  const cross = makeSvg("path", { class: "cross" });
  svg.append(cross);
  svg.addEventListener("pointermove", (event) => {
    const at = event.clientX - svg.getBoundingClientRect().left;
    const read = readout(part, x0 + ((at - kMargin.left) / width) * (x1 - x0));
    if (!read) return;
    cross.setAttribute("d", `M${f.x(read.at).toFixed(1)} ${kMargin.top}v${height}`);
    words.textContent = read.text;
  });
  svg.addEventListener("pointerleave", () => {
    cross.setAttribute("d", "");
    words.textContent = "";
  });
  holder.append(svg);
}

export function drawCurve(part: CurvePart, into: HTMLElement): void {
  const key = legend(part);
  if (key) into.append(key);
  const holder = make("div", { class: "plot" });
  const words = make("p", { class: "readout" });
  into.append(holder, words);
  redrawWhenNeeded(holder, () => drawInto(holder, words, part));
}
