// Colours of labels: twenty from the style sheet (light and dark), then hues by label, as the C++ side draws bars.

const kNamed = 20;

export type Rgb = [number, number, number];

function hslToRgb(hue: number, saturation: number, lightness: number): Rgb {
  const a = saturation * Math.min(lightness, 1 - lightness);
  const channel = (n: number) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (lightness - a * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

// "#rrggbb" of a variable of the style sheet.
export function themeColor(name: string): Rgb {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const full = /^#[0-9a-f]{3}$/i.test(text) ? text.replace(/[0-9a-f]/gi, "$&$&") : text;
  const value = parseInt(full.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

export function colorOf(label: number): Rgb {
  if (label < 0) return themeColor("--noise");
  if (label < kNamed) return themeColor(`--c${label}`);
  return hslToRgb((label * 137) % 360, 0.5, 0.5);
}

export const css = (color: Rgb) => `rgb(${color.join(",")})`;

// The share `alpha` of `color` on `ground`.
export function mixed(color: Rgb, ground: Rgb, alpha: number): Rgb {
  return color.map((c, i) => Math.round(ground[i]! + (c - ground[i]!) * alpha)) as Rgb;
}
