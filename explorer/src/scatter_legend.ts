// A legend whose entries hide and show their cluster; pointing at one makes the others step back.
import { colorOf, css } from "./colors";
import { button, make } from "./dom";
import { shown } from "./numbers";
import type { Scatter } from "./scatter";

export function makeLegend(s: Scatter): HTMLElement {
  const made = make("div", { class: "legend", role: "group", "aria-label": "Clusters: press to hide or show" });
  const entries = s.labels.map((label, slot) => {
    const entry = make("button", { type: "button", "aria-pressed": "true" });
    const swatch = make("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = css(colorOf(label));
    entry.append(swatch, make("span", { class: "entry-name" }, s.names[slot]!), make("span", { class: "count" }, shown(s.counts[slot])));
    const emphasise = (on: boolean) => () => {
      s.emphasis = on && !s.hidden[slot] ? slot : -1;
      s.draw();
    };
    entry.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && emphasise(true)());
    entry.addEventListener("pointerleave", emphasise(false));
    entry.addEventListener("click", () => {
      s.hidden[slot] = !s.hidden[slot];
      entry.setAttribute("aria-pressed", String(!s.hidden[slot]));
      emphasise(false)();
    });
    made.append(entry);
    return entry;
  });
  const setAll = (hide: boolean) => () => {
    s.hidden.fill(hide);
    entries.forEach((entry) => entry.setAttribute("aria-pressed", String(!hide)));
    s.draw();
  };
  if (s.labels.length > 2) {
    made.prepend(button("all", "Show all clusters", setAll(false)), button("none", "Hide all clusters", setAll(true)));
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    entries.forEach((entry, slot) => {
      entry.querySelector<HTMLElement>(".swatch")!.style.background = css(colorOf(s.labels[slot]!));
    });
  });
  return made;
}
