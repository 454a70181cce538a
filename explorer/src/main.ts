// The report page's script: draws what HTML alone cannot and makes tables sortable and searchable. One part that fails leaves the others alone.
import type { Part } from "./data";
import { drawCurve } from "./curve";
import { drawScatter } from "./scatter";
import { drawSheet } from "./sheet";
import { make } from "./dom";
import { enliven } from "./table";

function drawPart(part: Part, into: HTMLElement): void {
  if (part.kind === "scatter") drawScatter(part, into);
  else if (part.kind === "curve") drawCurve(part, into);
  else drawSheet(part, into);
}

const text = document.getElementById("report-data")?.textContent ?? "[]";
for (const { id, part } of JSON.parse(text) as { id: string; part: Part }[]) {
  const into = document.getElementById(id)?.querySelector<HTMLElement>(".draw");
  if (!into) continue;
  try {
    drawPart(part, into);
  } catch (error) {
    console.error(error);
    into.append(make("p", { class: "note" }, `This part could not be drawn: ${String(error)}`));
  }
}
document.querySelectorAll<HTMLTableElement>("table[data-sort]").forEach(enliven);
// What scrolls within the page can be reached by keys.
for (const box of document.querySelectorAll<HTMLElement>(".scroll")) {
  if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0;
}
