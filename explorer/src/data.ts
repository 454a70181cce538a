// What the page's JSON holds. Columns are base64 of little-endian numbers: float32 or float64, labels in the fewest bytes that hold them.

export interface ScatterPart {
  kind: "scatter";
  title: string;
  xName: string;
  yName: string;
  x: string;
  y: string;
  label: string;
  labelBytes: number;
  row: string; // steps from one row number to the next, see stepsOf; empty: 0, 1, ...
  centerX: string;
  centerY: string;
  ellipses: string; // x, y, the covariance's xx, xy, yy, and the label of each
  names: string[];
  sameScale: boolean;
}

export interface Line {
  name: string;
  x: (number | null)[];
  y: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
}

export interface CurvePart {
  kind: "curve";
  title: string;
  xName: string;
  yName: string;
  lines: Line[];
  markedX: number | null;
  markedName: string;
}

export interface Images {
  rows: number[];
  pixels: string;
}

export interface SheetPart {
  kind: "sheet";
  title: string;
  width: number;
  height: number;
  channels: number;
  groups: { name: string; label: number; nearest: Images; border: Images }[];
}

export type Part = ScatterPart | CurvePart | SheetPart;

export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export const floatsOf = (base64: string) => new Float32Array(bytesOf(base64).buffer);
export const doublesOf = (base64: string) => new Float64Array(bytesOf(base64).buffer);

export function integersOf(base64: string, width: number): Int32Array {
  const bytes = bytesOf(base64).buffer;
  return width === 4 ? new Int32Array(bytes) : Int32Array.from(width === 2 ? new Int16Array(bytes) : new Int8Array(bytes));
}

// Row numbers from their steps: each is the one before (at first -1), plus 1, plus a step. A step is written seven bits a byte, lowest
// first, its sign in the lowest bit of all; by products, for the numbers go beyond 32 bits.
export function stepsOf(base64: string, count: number): Float64Array {
  const bytes = bytesOf(base64);
  const rows = new Float64Array(count);
  let before = -1;
  for (let i = 0, at = 0; i < count; ++i) {
    let [code, unit] = [0, 1];
    for (; bytes[at]! >= 128; ++at, unit *= 128) code += (bytes[at]! - 128) * unit;
    code += bytes[at++]! * unit;
    before += 1 + (code % 2 ? -(code + 1) / 2 : code / 2);
    rows[i] = before;
  }
  return rows;
}
