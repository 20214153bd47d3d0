// Tables whose cells are shades: walked through by arrow keys, named in a hint, and each leads to its entries.

import { showLocal, STEPS } from "./format.js";

for (const time of document.querySelectorAll("time[data-step]")) {
  time.textContent = showLocal(time.dateTime, STEPS[time.dataset.step].short);
  time.title = showLocal(time.dateTime, STEPS[time.dataset.step].long);
}

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

// The entries of a cell: its own address, or its row's narrowed to its column's days.
function address(table, cell) {
  if (cell.dataset.href) return cell.dataset.href;
  const column = table.tHead.rows[0].cells[cell.cellIndex].querySelector("a");
  const row = cell.parentNode.cells[0].querySelector("a");
  if (!column || !cell.textContent) return null;
  if (!row) return column.href;
  const found = new URL(row.href);
  const days = new URL(column.href).searchParams;
  found.searchParams.delete("range");
  for (const name of ["from", "to"]) found.searchParams.set(name, days.get(name));
  return found.href;
}

function prepare(table) {
  const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].filter((cell) => cell.tagName === "TD"));
  let at = rows[0]?.[0];
  if (!at) return;
  at.tabIndex = 0;
  const go = (cell) => {
    if (!cell) return;
    at.tabIndex = -1;
    at = cell;
    at.tabIndex = 0;
    at.focus();
  };
  table.addEventListener("keydown", (event) => {
    const row = rows.findIndex((cells) => cells.includes(event.target));
    if (row < 0) return;
    const column = rows[row].indexOf(event.target);
    const move = MOVES[event.key];
    if (move) go(rows[row + move[0]]?.[column + move[1]]);
    else if (event.key === "Home") go(rows[row][0]);
    else if (event.key === "End") go(rows[row].at(-1));
    else if (event.key === "Enter" && address(table, event.target)) location.href = address(table, event.target);
    else return;
    event.preventDefault();
  });
  table.addEventListener("click", ({ target }) => {
    const cell = target.closest("td");
    const href = cell && rows.some((cells) => cells.includes(cell)) && address(table, cell);
    if (href) location.href = href;
  });
}

for (const table of document.querySelectorAll("table[data-grid]")) prepare(table);
