// What the page's JSON holds. Columns are base64 of little-endian numbers.

export interface ScatterPart {
  kind: "scatter";
  title: string;
  xName: string;
  yName: string;
  x: string;
  y: string;
  label: string;
  row: string;
  centerX: string;
  centerY: string;
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
export const integersOf = (base64: string) => new Int32Array(bytesOf(base64).buffer);
