// Numbers for people, and ticks.

const kDash = "\u2013";

export function shown(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return kDash;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e15 || size < 1e-4) return value.toExponential(3);
  if (Number.isInteger(value)) return grouped(String(value));
  return grouped(String(Number(value.toPrecision(size >= 1e5 ? 7 : 5))));
}

function grouped(digits: string): string {
  const [whole = "", part] = digits.split(".");
  const withCommas = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return part === undefined ? withCommas : `${withCommas}.${part}`;
}

// About `count` round numbers in [low, high], and a text for each with no more digits than they need.
export function ticks(low: number, high: number, count: number): { at: number; text: string }[] {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [];
  const raw = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= raw) ?? 10);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const large = Math.max(Math.abs(low), Math.abs(high));
  const first = Math.ceil(low / step - 1e-9);
  const out = [];
  for (let i = first; i * step <= high + step * 1e-9 && out.length < 50; ++i) {
    const at = i * step;
    const text = large >= 1e5 || decimals > 5 ? compact(at) : grouped(at.toFixed(decimals));
    out.push({ at, text: text.replace(/^-/, "\u2212") });
  }
  return out;
}

function compact(value: number): string {
  if (value === 0) return "0";
  for (const [unit, letter] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]] as const) {
    if (Math.abs(value) >= unit && Math.abs(value) < unit * 1000) return `${Number((value / unit).toPrecision(6))}${letter}`;
  }
  return Number(value.toPrecision(5)).toExponential().replace("e+", "e");
}
