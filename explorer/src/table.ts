// Tables: sorting by a column (numbers by value, texts as people order them, dashes last), and for long ones a box that filters.
import { make } from "./dom";
import { addSearch, type Rows } from "./table_search";

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

function makeSortable(head: HTMLTableRowElement, rows: Rows): void {
  const inOrder = rows.sorted;
  [...head.cells].forEach((heading, column) => {
    const name = heading.textContent ?? "";
    const sorter = make("button", { type: "button", class: "sorter" }, name);
    heading.textContent = "";
    heading.append(sorter);
    sorter.addEventListener("click", () => {
      const before = heading.getAttribute("aria-sort");
      const next = before === null ? "ascending" : before === "ascending" ? "descending" : null;
      for (const other of head.cells) other.removeAttribute("aria-sort");
      if (next === null) {
        rows.sorted = inOrder;
      } else {
        heading.setAttribute("aria-sort", next);
        const direction = next === "ascending" ? 1 : -1;
        const keyed = inOrder.map((row) => ({ row, key: keyOf(row, column) }));
        keyed.sort((a, b) => compare(a.key, b.key, direction));
        rows.sorted = keyed.map((k) => k.row);
      }
      rows.show();
    });
  });
}

export function enliven(table: HTMLTableElement): void {
  const head = table.tHead?.rows[0];
  const body = table.tBodies[0];
  if (!head || !body) return;
  const rows: Rows = { sorted: [...body.rows], show: () => body.append(...rows.sorted) };
  if (table.hasAttribute("data-search")) addSearch(table, head, body, rows);
  makeSortable(head, rows);
}
