// A box above a table: rows without the text typed go away as one types. Only the rows near what is seen stand in the page, so that
// thousands cost no more than a few hundred; more come as one scrolls.
import { make } from "./dom";
import { shown } from "./numbers";

export interface Rows {
  sorted: HTMLTableRowElement[]; // all rows, as they are ordered now
  show: () => void; // brings the page up to date
}

const kStep = 150; // rows added at a time

// What is looked for in a cell: its text, and the full value where that was shortened; the break keeps one from running into the other.
const textOf = (cell: HTMLTableCellElement) => `${cell.textContent ?? ""}\n${cell.getAttribute("data-v") ?? ""}`.toLowerCase();

function makeBox(names: string[]): { box: HTMLElement; input: HTMLInputElement; choice: HTMLSelectElement; count: HTMLElement } {
  const box = make("div", { class: "search", role: "search" });
  const input = make("input", { type: "search", placeholder: "Search the rows", "aria-label": "Search the rows", autocomplete: "off", spellcheck: "false" });
  const choice = make("select", { "aria-label": "Column to search in" });
  choice.append(make("option", { value: "-1" }, "all columns"));
  names.forEach((name, i) => choice.append(make("option", { value: i }, name || `column ${i + 1}`)));
  const count = make("span", { class: "found", role: "status" });
  box.append(input, choice, count);
  return { box, input, choice, count };
}

export function addSearch(table: HTMLTableElement, head: HTMLTableRowElement, body: HTMLTableSectionElement, rows: Rows): void {
  const scroll = table.closest<HTMLElement>(".scroll")!;
  const { box, input, choice, count } = makeBox([...head.cells].map((cell) => cell.textContent ?? ""));
  const total = rows.sorted.length;
  const texts = new Map<HTMLTableRowElement, string[]>();
  let found = rows.sorted;
  let standing = 0; // how many of `found` are in the page

  // Columns keep the widths they have with every row in view, or they would jump with each letter typed.
  const widths = [...head.cells].map((cell) => Math.floor(cell.getBoundingClientRect().width));
  [...head.cells].forEach((cell, i) => (cell.style.minWidth = `${widths[i]!}px`));
  const wide = scroll.clientWidth;
  scroll.style.minHeight = `${scroll.offsetHeight}px`; // nor does what stands below move
  new ResizeObserver(() => {
    if (scroll.clientWidth !== wide) for (const cell of head.cells) cell.style.minWidth = "";
  }).observe(scroll);

  const add = (upTo: number) => {
    body.append(...found.slice(standing, upTo));
    standing = Math.min(found.length, upTo);
  };
  const has = (row: HTMLTableRowElement, wanted: string, column: number): boolean => {
    let cells = texts.get(row);
    if (!cells) texts.set(row, (cells = [...row.cells].map(textOf)));
    return column < 0 ? cells.some((cell) => cell.includes(wanted)) : (cells[column] ?? "").includes(wanted);
  };
  rows.show = () => {
    const wanted = input.value.trim().toLowerCase();
    const column = Number(choice.value);
    found = wanted === "" ? rows.sorted : rows.sorted.filter((row) => has(row, wanted, column));
    body.textContent = "";
    standing = 0;
    scroll.scrollTop = 0;
    add(kStep);
    count.textContent = wanted === "" ? `${shown(total)} rows` : `${shown(found.length)} of ${shown(total)} rows`;
  };
  scroll.addEventListener("scroll", () => {
    if (standing < found.length && scroll.scrollTop + 2 * scroll.clientHeight > scroll.scrollHeight) add(standing + kStep);
  }, { passive: true });
  // Paper does not scroll.
  matchMedia("print").addEventListener("change", (event) => event.matches && add(found.length));
  input.addEventListener("input", rows.show);
  choice.addEventListener("change", rows.show);
  scroll.before(box);
  rows.show();
}
