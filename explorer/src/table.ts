// Sorting by a column: numbers by value, texts as people order them, dashes last.
import { make } from "./dom";

function keyOf(row: HTMLTableRowElement, column: number): number | string | null {
  const cell = row.cells[column];
  if (!cell) return null;
  const value = cell.getAttribute("data-v");
  if (value !== null) return Number(value);
  const text = cell.textContent ?? "";
  if (text === "" || text === "\u2013") return null;
  const plain = text.replace(/,/g, "").replace(/\s*%$/, "").replace("\u2212", "-");
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain) ? Number(plain) : text;
}

const collator = new Intl.Collator("en", { numeric: true });

function compare(a: number | string | null, b: number | string | null, direction: number): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  if (typeof a === "number" && typeof b === "number") return direction * (a - b);
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return direction * collator.compare(String(a), String(b));
}

export function makeSortable(table: HTMLTableElement): void {
  const head = table.tHead?.rows[0];
  const body = table.tBodies[0];
  if (!head || !body) return;
  const inOrder = [...body.rows];
  [...head.cells].forEach((heading, column) => {
    const name = heading.textContent ?? "";
    const sorter = make("button", { type: "button", class: "sorter" }, name);
    heading.textContent = "";
    heading.append(sorter);
    sorter.addEventListener("click", () => {
      const before = heading.getAttribute("aria-sort");
      const next = before === null ? "ascending" : before === "ascending" ? "descending" : null;
      for (const other of head.cells) other.removeAttribute("aria-sort");
      if (next === null) return body.append(...inOrder);
      heading.setAttribute("aria-sort", next);
      const direction = next === "ascending" ? 1 : -1;
      const keyed = inOrder.map((row) => ({ row, key: keyOf(row, column) }));
      keyed.sort((a, b) => compare(a.key, b.key, direction));
      body.append(...keyed.map((k) => k.row));
    });
  });
}
