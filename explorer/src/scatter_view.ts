// What of the data a scatter shows: ranges of both axes, zoomed and moved within the whole.

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface View {
  x0: number;
  x1: number;
  y0: number;
  y1: number;
}

const kDeepest = 1e-5; // float32 columns hold no more

// All finite points and centres and a margin; with `same` one unit is as long on both axes of `box`.
export function wholeView(sets: { x: Float32Array; y: Float32Array }[], same: boolean, box: Box): View {
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { x, y } of sets) {
    for (let i = 0; i < x.length; ++i) {
      const a = x[i]!;
      const b = y[i]!;
      if (!Number.isFinite(a) || !Number.isFinite(b)) continue;
      if (a < x0) x0 = a;
      if (a > x1) x1 = a;
      if (b < y0) y0 = b;
      if (b > y1) y1 = b;
    }
  }
  if (!(x1 >= x0)) [x0, x1, y0, y1] = [0, 1, 0, 1];
  const padX = (x1 - x0 || Math.abs(x0) || 1) * 0.04;
  const padY = (y1 - y0 || Math.abs(y0) || 1) * 0.04;
  const view = { x0: x0 - padX, x1: x1 + padX, y0: y0 - padY, y1: y1 + padY };
  return same ? squared(view, box) : view;
}

function squared(view: View, box: Box): View {
  const unit = Math.max((view.x1 - view.x0) / box.width, (view.y1 - view.y0) / box.height);
  const [cx, cy] = [(view.x0 + view.x1) / 2, (view.y0 + view.y1) / 2];
  const [hx, hy] = [(unit * box.width) / 2, (unit * box.height) / 2];
  return { x0: cx - hx, x1: cx + hx, y0: cy - hy, y1: cy + hy };
}

export const toPixelX = (v: View, b: Box, x: number) => b.left + ((x - v.x0) / (v.x1 - v.x0)) * b.width;
export const toPixelY = (v: View, b: Box, y: number) => b.top + (1 - (y - v.y0) / (v.y1 - v.y0)) * b.height;
export const fromPixelX = (v: View, b: Box, px: number) => v.x0 + ((px - b.left) / b.width) * (v.x1 - v.x0);
export const fromPixelY = (v: View, b: Box, py: number) => v.y0 + (1 - (py - b.top) / b.height) * (v.y1 - v.y0);

// Never beyond the whole: what is shown stays inside it.
function kept(view: View, whole: View): View {
  const clamp = (low: number, high: number, least: number, most: number): [number, number] => {
    if (high - low >= most - least) return [least, most];
    const shift = low < least ? least - low : high > most ? most - high : 0;
    return [low + shift, high + shift];
  };
  const [x0, x1] = clamp(view.x0, view.x1, whole.x0, whole.x1);
  const [y0, y1] = clamp(view.y0, view.y1, whole.y0, whole.y1);
  return { x0, x1, y0, y1 };
}

// `factor` below 1 comes nearer; the data under (px, py) stays there.
export function zoomed(view: View, whole: View, box: Box, px: number, py: number, factor: number): View {
  const least = (whole.x1 - whole.x0) * kDeepest;
  const f = Math.max(factor, least / (view.x1 - view.x0));
  const [x, y] = [fromPixelX(view, box, px), fromPixelY(view, box, py)];
  return kept({ x0: x - (x - view.x0) * f, x1: x + (view.x1 - x) * f, y0: y - (y - view.y0) * f, y1: y + (view.y1 - y) * f }, whole);
}

export function moved(view: View, whole: View, box: Box, dx: number, dy: number): View {
  const sx = (dx / box.width) * (view.x1 - view.x0);
  const sy = (dy / box.height) * (view.y1 - view.y0);
  return kept({ x0: view.x0 - sx, x1: view.x1 - sx, y0: view.y0 + sy, y1: view.y1 + sy }, whole);
}

export const isWhole = (view: View, whole: View) =>
  view.x1 - view.x0 >= (whole.x1 - whole.x0) * 0.9999 && view.y1 - view.y0 >= (whole.y1 - whole.y0) * 0.9999;
