// Tables whose cells are shades: walked through by arrow keys, named in a hint, and each leads to its entries.

import { show, showLocal, STEPS } from "./format.js";

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const A_SUNDAY = 1; // 1 November 2026

const weekday = (number, form) =>
  showLocal(`2026-11-${String(A_SUNDAY + number).padStart(2, "0")}T00:00`, { weekday: form });
const long = (time, step) => showLocal(time, STEPS[step].long);

function localise() {
  for (const time of document.querySelectorAll("time[data-step]")) {
    // an hour of the week has no minutes, and no room for them
    const clock = time.closest(".week-hours");
    time.textContent = showLocal(time.dateTime, clock ? { hour: "numeric" } : STEPS[time.dataset.step].short);
  }
  for (const time of document.querySelectorAll("time[data-month]")) {
    time.textContent = showLocal(time.dateTime, { month: "short" });
  }
  for (const head of document.querySelectorAll("th[data-weekday]")) {
    head.textContent = weekday(Number(head.dataset.weekday), "short");
  }
  for (const cell of document.querySelectorAll("td[data-day]")) {
    cell.setAttribute("aria-label", `${long(`${cell.dataset.day}T00:00`, "day")}: ${show(Number(cell.dataset.hours), "hours")}`);
  }
}

// What a cell is about, and what it holds.
function described(table, cell) {
  const { day, hours } = cell.dataset;
  if (day) return [long(`${day}T00:00`, "day"), show(Number(hours), "hours")];
  const [row] = cell.parentNode.cells;
  const time = table.tHead.rows[0].cells[cell.cellIndex].querySelector("time");
  if (hours !== undefined) {
    const until = `${time.dateTime.slice(0, 11)}${String((Number(time.dateTime.slice(11, 13)) + 1) % 24).padStart(2, "0")}:00`;
    const clock = (moment) => showLocal(moment, STEPS.hour.short);
    return [`${weekday(Number(row.dataset.weekday), "long")}, ${clock(time.dateTime)} – ${clock(until)}`, show(Number(hours), "hours")];
  }
  const name = row.textContent.trim();
  const column = time ? long(time.dateTime, time.dataset.step) : table.tHead.rows[0].cells[cell.cellIndex].textContent;
  return [`${name.length > 60 ? `${name.slice(0, 59)}…` : name} · ${column}`, cell.textContent || show(0, "hours")];
}

// The entries of a cell: those of its day, or its row's narrowed to its column's days; null where there are none.
function address(table, cell) {
  if (cell.dataset.day) {
    const found = new URL(table.dataset.entries, location.href);
    for (const name of ["from", "to"]) found.searchParams.set(name, cell.dataset.day);
    return found.href;
  }
  const column = table.tHead.rows[0].cells[cell.cellIndex].querySelector("a");
  if (!column || !cell.textContent) return null;
  const row = cell.parentNode.cells[0].querySelector("a");
  if (!row) return column.href;
  const found = new URL(row.href);
  const days = new URL(column.href).searchParams;
  found.searchParams.delete("range");
  for (const name of ["from", "to"]) found.searchParams.set(name, days.get(name));
  return found.href;
}

function hintOf(table) {
  const box = document.createElement("div");
  box.className = "hint";
  box.hidden = true;
  box.setAttribute("aria-hidden", "true");
  const card = table.closest("section");
  card.append(box);
  return (cell) => {
    box.hidden = !cell;
    if (!cell) return;
    const [title, value] = described(table, cell);
    const [head, amount] = [document.createElement("b"), document.createElement("p")];
    head.textContent = title;
    amount.textContent = value;
    box.replaceChildren(head, amount);
    const [frame, at] = [card.getBoundingClientRect(), cell.getBoundingClientRect()];
    const left = at.left - frame.left + at.width / 2 - box.offsetWidth / 2;
    box.style.left = `${Math.max(4, Math.min(left, frame.width - box.offsetWidth - 4))}px`;
    box.style.top = `${at.top - frame.top - box.offsetHeight - 6}px`;
  };
}

function prepare(table) {
  const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].filter((cell) => cell.tagName === "TD"));
  let at = rows.flat().find((cell) => cell.className !== "none");
  if (!at) return;
  at.tabIndex = 0;
  const hint = hintOf(table);
  const cellOf = (target) => {
    const cell = target.closest?.("td");
    return cell && !cell.classList.contains("none") && cell.closest("tbody") ? cell : null;
  };
  const go = (cell) => {
    if (!cell) return;
    at.tabIndex = -1;
    at = cell;
    at.tabIndex = 0;
    at.focus();
  };
  const next = (row, column, [down, right]) => {
    let cell;
    do {
      row += down;
      column += right;
      cell = rows[row]?.[column];
    } while (cell?.classList.contains("none"));
    return cell;
  };
  table.addEventListener("keydown", (event) => {
    const row = rows.findIndex((cells) => cells.includes(event.target));
    if (row < 0) return;
    const inside = rows[row].filter((cell) => !cell.classList.contains("none"));
    if (MOVES[event.key]) go(next(row, rows[row].indexOf(event.target), MOVES[event.key]));
    else if (event.key === "Home") go(inside[0]);
    else if (event.key === "End") go(inside.at(-1));
    else if (event.key === "Escape") hint(null);
    else if (event.key === "Enter" && address(table, event.target)) location.href = address(table, event.target);
    else return;
    event.preventDefault();
  });
  table.addEventListener("click", ({ target }) => {
    const cell = cellOf(target);
    const href = cell && address(table, cell);
    if (href) location.href = href;
    else if (cell) go(cell);
  });
  table.addEventListener("mouseover", ({ target }) => hint(cellOf(target)));
  table.addEventListener("mouseleave", () => hint(null));
  table.addEventListener("focusin", ({ target }) => hint(cellOf(target)));
  table.addEventListener("focusout", () => hint(null));
}

// The days one below the other, made when they are asked for.
function listed(table) {
  const frame = document.createElement("div");
  frame.className = "table-frame numbers";
  frame.tabIndex = 0;
  frame.setAttribute("role", "region");
  frame.setAttribute("aria-label", table.caption.textContent);
  const made = document.createElement("table");
  const body = made.createTBody();
  const cells = [...table.querySelectorAll("td[data-day]")];
  cells.sort((one, other) => (one.dataset.day < other.dataset.day ? -1 : 1));
  for (const cell of cells) {
    const row = body.insertRow();
    const head = document.createElement("th");
    head.scope = "row";
    const link = document.createElement("a");
    link.href = address(table, cell);
    [link.textContent] = described(table, cell);
    head.append(link);
    row.append(head);
    const amount = row.insertCell();
    amount.className = "right";
    amount.textContent = show(Number(cell.dataset.hours), "hours");
  }
  frame.append(made);
  return frame;
}

function prepareButton(button) {
  const card = button.closest("section");
  const table = card.querySelector("table[data-grid]");
  if (!table) return;
  button.hidden = false;
  let list = null;
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    button.textContent = open ? "Hide table" : "Show table";
    if (table.dataset.entries === undefined) table.classList.toggle("open", open);
    else if (open) table.closest(".table-frame").after((list = listed(table)));
    else list.remove();
  });
}

localise();
for (const table of document.querySelectorAll("table[data-grid]")) prepare(table);
for (const button of document.querySelectorAll("button[data-numbers]")) prepareButton(button);
for (const frame of document.querySelectorAll(".to-the-end")) frame.scrollLeft = frame.scrollWidth;
