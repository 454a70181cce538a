// The points of a scatter, painted onto a layer of their own in row order: drawn cluster by cluster, the last would hide the first.
// By WebGL2 where the machine has it in hardware, else into a pixel buffer; both give the same picture but for single shades.
import type { Rgb } from "./colors";
import { drawGl, makeGlPoints } from "./scatter_gl";
import type { Box, View } from "./scatter_view";

export interface Points {
  x: Float32Array;
  y: Float32Array;
  slot: Int32Array; // index into colours
}

// How points look: where they lie on the layer (device pixels), their side, and each slot's colour and opacity.
export interface Look {
  view: View;
  width: number;
  height: number;
  side: number;
  colors: Rgb[];
  opacities: number[]; // 0: not drawn
  ground: Rgb;
}

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

export function lookOf(points: Points, view: View, box: Box, ratio: number, colors: Rgb[], shares: number[], ground: Rgb): Look {
  const count = countInView(points, view);
  const opacity = count > 8_000 ? 0.7 : 0.85;
  return {
    view,
    width: Math.max(1, Math.round(box.width * ratio)),
    height: Math.max(1, Math.round(box.height * ratio)),
    side: Math.max(1, Math.round(sideOf(count) * ratio)),
    colors,
    opacities: shares.map((share) => share * opacity),
    ground,
  };
}

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

function drawPixels(context: CanvasRenderingContext2D, points: Points, look: Look): void {
  const { width, height, side, view, ground, colors, opacities } = look;
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  pixels.fill((0xff000000 | (ground[2] << 16) | (ground[1] << 8) | ground[0]) >>> 0);
  const marks = stamp(side);
  const [kx, ky] = [width / (view.x1 - view.x0), height / (view.y1 - view.y0)];
  const half = Math.floor(side / 2);
  const { x, y, slot } = points;
  for (let i = 0; i < x.length; ++i) {
    const share = opacities[slot[i]!]!;
    if (share === 0) continue;
    const px = Math.round((x[i]! - view.x0) * kx) - half;
    const py = Math.round((view.y1 - y[i]!) * ky) - half;
    // Written so that NaN, which compares with nothing, is left out too.
    if (!(px > -side && py > -side && px < width && py < height)) continue;
    const color = colors[slot[i]!]!;
    const [r, g, b] = [color[0], color[1], color[2]];
    for (let m = 0; m < marks.length; ++m) {
      const mark = marks[m]!;
      const [qx, qy] = [px + mark.dx, py + mark.dy];
      if (qx < 0 || qy < 0 || qx >= width || qy >= height) continue;
      const at = qy * width + qx;
      const old = pixels[at]!;
      const a = share * mark.share;
      const [or, og, ob] = [old & 255, (old >> 8) & 255, (old >> 16) & 255];
      pixels[at] = (0xff000000 | ((ob + (b - ob) * a) << 16) | ((og + (g - og) * a) << 8) | (or + (r - or) * a)) >>> 0;
    }
  }
  context.putImageData(image, 0, 0);
}

// A painter that keeps its layer: it paints only when it is asked to, and what it painted can be laid under a frame again and again.
export function makePainter(points: Points): { layer: HTMLCanvasElement; paint: (look: Look) => "webgl" | "pixels" } {
  const layer = document.createElement("canvas");
  const context = layer.getContext("2d")!;
  const gl = makeGlPoints(points);
  const paint = (look: Look) => {
    if (layer.width !== look.width) layer.width = look.width;
    if (layer.height !== look.height) layer.height = look.height;
    if (gl && drawGl(context, gl, look)) return "webgl";
    drawPixels(context, points, look);
    return "pixels";
  };
  return { layer, paint };
}
