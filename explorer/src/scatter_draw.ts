// What lies about and upon the points of a scatter: frame, ellipses, centres, the ring about the row pointed at.
import { css, mixed, type Rgb, themeColor } from "./colors";
import { ticks } from "./numbers";
import { type Box, toPixelX, toPixelY, type View } from "./scatter_view";

export interface Centers {
  x: Float32Array;
  y: Float32Array;
  slot: Int32Array;
  names: string[];
}

// A Gaussian's footprint: centre and covariance.
export interface Ellipse {
  x: number;
  y: number;
  xx: number;
  xy: number;
  yy: number;
  slot: number;
}

const kFont = "12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

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

// The line at `reach` standard deviations about the centre: a circle through the Cholesky factor of the covariance.
function outline(context: CanvasRenderingContext2D, e: Ellipse, reach: number, view: View, box: Box): void {
  const a = Math.sqrt(Math.max(0, e.xx));
  const b = a > 0 ? e.xy / a : 0;
  const c = Math.sqrt(Math.max(0, e.yy - b * b));
  context.beginPath();
  for (let i = 0; i < 96; ++i) {
    const [u, v] = [reach * Math.cos((i * Math.PI) / 48), reach * Math.sin((i * Math.PI) / 48)];
    context.lineTo(toPixelX(view, box, e.x + a * u), toPixelY(view, box, e.y + b * u + c * v));
  }
  context.closePath();
}

// At one and two standard deviations in the cluster's colour, on a line of the ground's so that they stand out from their own points.
export function drawEllipses(context: CanvasRenderingContext2D, ellipses: Ellipse[], view: View, box: Box, colors: Rgb[], shares: number[]): void {
  context.save();
  context.beginPath();
  context.rect(box.left, box.top, box.width, box.height);
  context.clip();
  const [ground, text] = [themeColor("--ground"), themeColor("--text")];
  for (const e of ellipses) {
    const share = shares[e.slot]!;
    if (share === 0) continue;
    for (const [reach, width] of [[2, 1.4], [1, 2.2]] as const) {
      outline(context, e, reach, view, box);
      context.globalAlpha = share < 0.5 ? 0.2 : 0.85;
      context.lineWidth = width + 2.6;
      context.strokeStyle = css(ground);
      context.stroke();
      context.globalAlpha = share < 0.5 ? 0.3 : 1;
      context.lineWidth = width;
      // A third of the text's colour: darker than the points in light, lighter in dark.
      context.strokeStyle = css(mixed(text, colors[e.slot]!, 0.33));
      context.stroke();
    }
  }
  context.restore();
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
