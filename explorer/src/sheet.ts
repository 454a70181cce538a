// A contact sheet: per cluster the pictures nearest to its centre and those at its border.
import { bytesOf, type Images, type SheetPart } from "./data";
import { make } from "./dom";
import { colorOf, css } from "./colors";

function picture(part: SheetPart, bytes: Uint8Array, at: number): HTMLCanvasElement {
  const { width, height, channels } = part;
  const canvas = make("canvas", { width, height });
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(width, height);
  const grey = channels === 1;
  for (let i = 0, from = at * width * height * channels; i < width * height; ++i, from += channels) {
    image.data[4 * i] = bytes[from]!;
    image.data[4 * i + 1] = bytes[grey ? from : from + 1]!;
    image.data[4 * i + 2] = bytes[grey ? from : from + 2]!;
    image.data[4 * i + 3] = channels === 4 ? bytes[from + 3]! : 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

function strip(part: SheetPart, group: string, what: string, images: Images): HTMLElement | null {
  if (images.rows.length === 0) return null;
  const bytes = bytesOf(images.pixels);
  const made = make("div", { class: "strip" });
  made.append(make("span", { class: "what" }, what));
  const pictures = make("div", { class: "pictures" });
  images.rows.forEach((row, i) => {
    const canvas = picture(part, bytes, i);
    const text = `${group}, ${what} ${i + 1}${row >= 0 ? `: row ${row}` : ""}`;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", text);
    canvas.title = text;
    pictures.append(canvas);
  });
  made.append(pictures);
  return made;
}

export function drawSheet(part: SheetPart, into: HTMLElement): void {
  // Small pictures are enlarged by whole factors, so that each of their pixels keeps its shape; on a phone by quarters, for its
  // pixels are small and its width is not.
  const longer = Math.max(part.width, part.height);
  const steps = window.innerWidth <= 720 ? 4 : 1;
  const scale = Math.max(1, Math.round((46 / longer) * steps) / steps);
  for (const group of part.groups) {
    const made = make("div", { class: "group" });
    const name = make("div", { class: "group-name" });
    const swatch = make("span", { class: "swatch", "aria-hidden": "true" });
    if (group.label >= 0) swatch.style.background = css(colorOf(group.label));
    name.append(swatch, group.name);
    made.append(name);
    for (const [what, images] of [["nearest", group.nearest], ["border", group.border]] as const) {
      const row = strip(part, group.name, what, images);
      if (row) made.append(row);
    }
    into.append(made);
  }
  for (const canvas of into.querySelectorAll("canvas")) {
    canvas.style.width = `${part.width * scale}px`;
    canvas.style.height = `${part.height * scale}px`;
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    into.querySelectorAll<HTMLElement>(".swatch").forEach((swatch, i) => {
      const label = part.groups[i]!.label;
      if (label >= 0) swatch.style.background = css(colorOf(label));
    });
  });
}
