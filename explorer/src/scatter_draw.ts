// Drawing a scatter on a canvas. Points go into a pixel buffer in row order: drawn cluster by cluster, the last would hide the first.
import { css, mixed, type Rgb, themeColor } from "./colors";
import { ticks } from "./numbers";
import { type Box, toPixelX, toPixelY, type View } from "./scatter_view";

export interface Points {
  x: Float32Array;
  y: Float32Array;
  slot: Int32Array; // index into colours
}

export interface Centers {
  x: Float32Array;
  y: Float32Array;
  slot: Int32Array;
  names: string[];
}

const kFont = "12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

function countInView(points: Points, view: View): number {
  let count = 0;
  for (let i = 0; i < points.x.length; ++i) {
    const x = points.x[i]!;
    const y = points.y[i]!;
    if (x >= view.x0 && x <= view.x1 && y >= view.y0 && y <= view.y1) ++count;
  }
  return count;
}

// The side of a point in CSS pixels: the fewer there are to see, the larger.
const sideOf = (count: number) => (count > 150_000 ? 1 : count > 40_000 ? 1.5 : count > 8_000 ? 2 : count > 1_500 ? 3 : 5);

// A disc of `side` device pixels as offsets and shares of colour; squares where it is too small for a disc.
function stamp(side: number): { dx: number; dy: number; share: number }[] {
  const out = [];
  const middle = (side - 1) / 2;
  for (let dy = 0; dy < side; ++dy) {
    for (let dx = 0; dx < side; ++dx) {
      const distance = Math.hypot(dx - middle, dy - middle);
      const share = side <= 3 ? 1 : Math.max(0, Math.min(1, side / 2 - distance + 0.5));
      if (share > 0.05) out.push({ dx, dy, share });
    }
  }
  return out;
}

export function drawPoints(context: CanvasRenderingContext2D, points: Points, view: View, box: Box, ratio: number, colors: Rgb[], shares: number[], ground: Rgb): void {
  const width = Math.max(1, Math.round(box.width * ratio));
  const height = Math.max(1, Math.round(box.height * ratio));
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  pixels.fill((0xff000000 | (ground[2] << 16) | (ground[1] << 8) | ground[0]) >>> 0);
  const count = countInView(points, view);
  const side = Math.max(1, Math.round(sideOf(count) * ratio));
  const marks = stamp(side);
  const opacity = count > 8_000 ? 0.7 : 0.85;
  const [kx, ky] = [width / (view.x1 - view.x0), height / (view.y1 - view.y0)];
  const half = Math.floor(side / 2);
  const { x, y, slot } = points;
  for (let i = 0; i < x.length; ++i) {
    const share = shares[slot[i]!]! * opacity;
    if (share === 0) continue;
    const px = Math.round((x[i]! - view.x0) * kx) - half;
    const py = Math.round((view.y1 - y[i]!) * ky) - half;
    // Written so that NaN, which compares with nothing, is left out too.
    if (!(px > -side && py > -side && px < width && py < height)) continue;
    const [r, g, b] = colors[slot[i]!]!;
    for (const mark of marks) {
      const [qx, qy] = [px + mark.dx, py + mark.dy];
      if (qx < 0 || qy < 0 || qx >= width || qy >= height) continue;
      const at = qy * width + qx;
      const old = pixels[at]!;
      const a = share * mark.share;
      const [or, og, ob] = [old & 255, (old >> 8) & 255, (old >> 16) & 255];
      pixels[at] = (0xff000000 | ((ob + (b - ob) * a) << 16) | ((og + (g - og) * a) << 8) | (or + (r - or) * a)) >>> 0;
    }
  }
  context.putImageData(image, Math.round(box.left * ratio), Math.round(box.top * ratio));
}

export function drawFrame(context: CanvasRenderingContext2D, view: View, box: Box, xName: string, yName: string): void {
  const [line, muted, text] = [themeColor("--line"), themeColor("--muted"), themeColor("--text")];
  context.font = kFont;
  context.lineWidth = 1;
  context.strokeStyle = css(line);
  context.strokeRect(box.left + 0.5, box.top + 0.5, box.width - 1, box.height - 1);
  context.fillStyle = css(muted);
  const bottom = box.top + box.height;
  context.textAlign = "center";
  context.textBaseline = "top";
  context.beginPath();
  for (const tick of ticks(view.x0, view.x1, Math.max(2, box.width / 90))) {
    const px = Math.round(toPixelX(view, box, tick.at)) + 0.5;
    context.moveTo(px, bottom);
    context.lineTo(px, bottom + 4);
    context.fillText(tick.text, px, bottom + 7);
  }
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const tick of ticks(view.y0, view.y1, Math.max(2, box.height / 60))) {
    const py = Math.round(toPixelY(view, box, tick.at)) + 0.5;
    context.moveTo(box.left - 4, py);
    context.lineTo(box.left, py);
    context.fillText(tick.text, box.left - 7, py);
  }
  context.stroke();
  context.fillStyle = css(text);
  context.textBaseline = "top";
  context.fillText(fitted(context, xName, box.width), box.left + box.width, bottom + 24);
  context.textAlign = "left";
  context.fillText(fitted(context, yName, box.width), 2, 2);
}

function fitted(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  const letters = [...text];
  while (letters.length > 1 && context.measureText(`${letters.join("")}\u2026`).width > width) letters.pop();
  return `${letters.join("")}\u2026`;
}

// Red discs in a white ring, after everything else; their names where there is room for them.
export function drawCenters(context: CanvasRenderingContext2D, centers: Centers, view: View, box: Box, shares: number[], named: boolean): void {
  context.save();
  context.beginPath();
  context.rect(box.left, box.top, box.width, box.height);
  context.clip();
  const red = themeColor("--center");
  const small = centers.x.length > 60;
  for (let i = 0; i < centers.x.length; ++i) {
    const share = shares[centers.slot[i]!]!;
    if (share === 0) continue;
    const [px, py] = [toPixelX(view, box, centers.x[i]!), toPixelY(view, box, centers.y[i]!)];
    const inside = px >= box.left - 8 && px <= box.left + box.width + 8 && py >= box.top - 8 && py <= box.top + box.height + 8;
    if (!inside) continue;
    context.globalAlpha = share < 1 ? 0.35 : 1;
    for (const [radius, color] of [[small ? 5.2 : 7.2, [40, 40, 40]], [small ? 4.6 : 6.6, [255, 255, 255]], [small ? 3 : 4.4, red]] as [number, Rgb][]) {
      context.beginPath();
      context.arc(px, py, radius, 0, 2 * Math.PI);
      context.fillStyle = css(color);
      context.fill();
    }
    if (named) drawName(context, centers.names[i]!, px, py - 10, box);
  }
  context.restore();
}

function drawName(context: CanvasRenderingContext2D, name: string, x: number, y: number, box: Box): void {
  context.font = `600 ${kFont}`;
  context.textAlign = "center";
  context.textBaseline = "bottom";
  const text = fitted(context, name, 140);
  const half = context.measureText(text).width / 2 + 4;
  const at = Math.min(Math.max(x, box.left + half), box.left + box.width - half);
  context.lineWidth = 3.5;
  context.lineJoin = "round";
  context.strokeStyle = css(themeColor("--ground"));
  context.strokeText(text, at, y);
  context.fillStyle = css(themeColor("--text"));
  context.fillText(text, at, y);
}

// A ring about the row pointed at.
export function drawPointer(context: CanvasRenderingContext2D, px: number, py: number, color: Rgb): void {
  context.beginPath();
  context.arc(px, py, 6.5, 0, 2 * Math.PI);
  context.lineWidth = 2;
  context.strokeStyle = css(themeColor("--text"));
  context.stroke();
  context.beginPath();
  context.arc(px, py, 3.5, 0, 2 * Math.PI);
  context.fillStyle = css(mixed(color, color, 1));
  context.fill();
}
