// Draws each chart of the page from its own data: by Plotly, in the page's colours, with a legend, a hint and a table
// of ours, which hold names as text and never as markup.

import { separators, show, showLocal, STEPS } from "./format.js";
import { dark } from "./theme-switch.js";

const PALETTE = {
  light: ["#4456c7", "#2a9d8f", "#d97742", "#8d5fb8", "#3f8fd0", "#b8577f", "#7a9a3a", "#c79a2e", "#5b7083", "#a1624a"],
  dark: ["#8c9bff", "#4fc3b3", "#f0a070", "#bd95e8", "#6cb6f2", "#e58aae", "#a7c766", "#e3bd5c", "#93a8bb", "#d09379"],
};
const STRETCHES = { week: "week from ", quarter: "quarter from " };

const ADD_UP = new Set(["hours", "entries", "days", "seconds"]);

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function element(kind, className, text) {
  const made = document.createElement(kind);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// A label that keeps its own direction of writing.
const name = (text) => element("bdi", "", text.length > 60 ? `${text.slice(0, 59)}…` : text);

export function spot(colour) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 10 10");
  svg.setAttribute("class", "colour");
  const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  for (const [key, value] of [["cx", 5], ["cy", 5], ["r", 5], ["fill", colour]]) circle.setAttribute(key, value);
  svg.append(circle);
  return svg;
}

export function colours(spec) {
  const own = PALETTE[dark() ? "dark" : "light"];
  let next = 0;
  return spec.lines.map((line) => {
    if (line.other || line.label.startsWith("(no ")) return style("--rest");
    return line.colour ?? own[next++ % own.length];
  });
}

const longName = (spec, at) =>
  spec.step ? `${STRETCHES[spec.step] ?? ""}${showLocal(spec.x[at], STEPS[spec.step].long)}` : spec.x[at];
const shortName = (spec, at) => (spec.step ? showLocal(spec.x[at], STEPS[spec.step].short) : spec.x[at]);

function ticks(spec, width) {
  const most = Math.max(2, Math.floor(width / 74));
  const every = Math.max(1, Math.ceil(spec.x.length / most));
  const at = spec.x.map((_, index) => index).filter((index) => index % every === 0);
  return { tickvals: at, ticktext: at.map((index) => shortName(spec, index)) };
}

// Plotly reads its texts as a kind of HTML.
const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

const KINDS = {
  bars: (spec, line, colour) => ({
    type: "bar", hoverinfo: "none", x: spec.x.map((_, index) => index), y: line.values,
    marker: { color: colour, line: { color: style("--card"), width: spec.x.length > 120 ? 0 : 1 } },
  }),
  lines: (spec, line, colour) => ({
    type: "scatter", hoverinfo: "none", mode: "lines+markers", x: spec.x.map((_, index) => index), y: line.values,
    line: { color: colour, width: 2 }, marker: { color: colour, size: 4 }, connectgaps: false,
  }),
  heat: () => null,
  spans: () => null,
};

function traces(spec) {
  const colour = colours(spec);
  if (spec.kind === "heat") {
    return [{
      type: "heatmap", hoverinfo: "none", x: spec.x.map((_, index) => index), y: spec.lines.map((_, index) => index),
      z: spec.lines.map((line) => line.values), xgap: 2, ygap: 2, showscale: false, zmin: 0,
      colorscale: [[0, style("--cell")], [1, style("--accent")]], hoverongaps: false,
    }];
  }
  if (spec.kind === "spans") {
    const [from, to] = spec.lines;
    return [{
      type: "bar", hoverinfo: "none", x: spec.x.map((_, index) => index), base: from.values,
      y: to.values.map((value, index) => (value === null || from.values[index] === null ? null : value - from.values[index])),
      marker: { color: colour[0], cornerradius: 3 },
    }];
  }
  return spec.lines.map((line, index) => KINDS[spec.kind](spec, line, colour[index]));
}

const sum = (values) => values.reduce((all, value) => all + (value ?? 0), 0);

const UNITS = {
  hours: () => ({ ticksuffix: " h" }),
  // groups that share entries may be more than the whole
  share: (spec) => {
    const most = Math.max(1, ...spec.x.map((_, at) => sum(spec.lines.map((line) => line.values[at]))));
    return { tickformat: ".0%", range: [0, most * 1.001], autorange: false };
  },
  // times of the clock, from morning down to night
  clock: (spec) => {
    const values = spec.lines.flatMap((line) => line.values).filter((value) => value !== null);
    const [first, last] = [Math.floor(Math.min(...values)), Math.ceil(Math.max(...values))];
    const every = last - first > 12 ? 3 : 2;
    const tickvals = Array.from({ length: 25 }, (_, hour) => hour).filter((hour) => hour % every === 0);
    return { range: [last, first], autorange: false, tickvals, ticktext: tickvals.map((hour) => show(hour, "clock")) };
  },
};

// Said each time, for on paper the library would keep the width of the screen, and half of a chart would be cut off.
const sizeOf = (plot) => ({ width: plot.clientWidth, height: plot.clientHeight });

function layout(spec, plot) {
  const axis = {
    fixedrange: true, showline: false, zeroline: false, ticks: "", automargin: true,
    tickfont: { color: style("--muted"), size: 12, family: style("--font") },
  };
  const heat = spec.kind === "heat";
  return {
    barmode: "stack", bargap: spec.x.length > 120 ? 0.05 : 0.28, showlegend: false, dragmode: false,
    hovermode: heat ? "closest" : "x", hoverdistance: -1, separators,
    ...sizeOf(plot),
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: style("--font"), color: style("--ink") },
    margin: { l: 8, r: 4, t: 8, b: 8 },
    xaxis: { ...axis, ...ticks(spec, plot.clientWidth - 40), showgrid: false, tickangle: 0, ticklabelstandoff: 4, range: [-0.5, spec.x.length - 0.5] },
    yaxis: heat
      ? { ...axis, showgrid: false, autorange: "reversed", tickvals: spec.lines.map((_, index) => index), ticktext: spec.lines.map((line) => plain(line.label)) }
      : { ...axis, gridcolor: style("--line"), rangemode: "tozero", nticks: 6, ...UNITS[spec.unit]?.(spec) },
  };
}

function hint(figure, spec, points) {
  const box = figure.querySelector(".hint");
  box.replaceChildren();
  if (spec.kind === "heat") {
    const [{ x, y, z }] = points;
    box.append(element("b", "", `${spec.lines[y].label} · ${longName(spec, x)}`), element("p", "", show(z, spec.unit)));
    return;
  }
  const at = points[0].pointIndex ?? points[0].pointNumber;
  box.append(element("b", "", longName(spec, at)));
  const list = element("ul");
  const colour = colours(spec);
  const rows = spec.lines
    .map((line, index) => ({ line, colour: colour[spec.kind === "spans" ? 0 : index], value: line.values[at] }))
    .filter(({ value }) => (spec.kind === "bars" ? value : value !== null));
  if (spec.kind === "bars") rows.sort((one, other) => other.value - one.value);
  for (const row of rows.slice(0, 12)) {
    const item = element("li");
    item.append(spot(row.colour), name(row.line.label), element("span", "right", show(row.value, spec.unit)));
    list.append(item);
  }
  box.append(list);
  if (!rows.length) box.append(element("p", "muted", "nothing"));
  if (spec.kind === "bars" && rows.length > 1) {
    const all = element("p", "all", "Together ");
    all.append(element("span", "right", show(sum(rows.map((row) => row.value)), spec.unit)));
    box.append(all);
  }
}

function follow(figure, event) {
  const box = figure.querySelector(".hint");
  const frame = figure.getBoundingClientRect();
  box.hidden = false;
  const left = event.clientX - frame.left;
  const right = left + 24 + box.offsetWidth > frame.width;
  box.style.left = `${Math.max(4, right ? left - box.offsetWidth - 16 : left + 16)}px`;
  box.style.top = `${Math.max(4, event.clientY - frame.top - box.offsetHeight / 2)}px`;
}

function drawLegend(figure, spec, plot) {
  const legend = figure.querySelector(".legend");
  legend.replaceChildren();
  if (spec.kind === "heat" || spec.kind === "spans" || spec.group === "none" || spec.lines.length < 1) {
    legend.hidden = true;
    return;
  }
  legend.removeAttribute("aria-hidden");
  const colour = colours(spec);
  spec.lines.forEach((line, index) => {
    const item = element("li");
    const button = element("button", "plain");
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    button.append(spot(colour[index]), name(line.label));
    if (ADD_UP.has(spec.unit)) button.append(element("span", "muted", show(sum(line.values), spec.unit)));
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-pressed") === "true";
      button.setAttribute("aria-pressed", String(!shown));
      Plotly.restyle(plot, { visible: !shown }, [index]);
    });
    item.append(button);
    legend.append(item);
  });
}

function drawTable(figure, spec) {
  const table = element("table");
  table.append(element("caption", "spoken", spec.title));
  const head = table.createTHead().insertRow();
  const cell = (row, kind, content, className = "") => {
    const made = element(kind, className);
    if (kind === "th") made.scope = row === head ? "col" : "row";
    made.append(content);
    row.append(made);
  };
  cell(head, "th", spec.step || "");
  for (const line of spec.lines) cell(head, "th", name(line.label), "right");
  const totals = spec.kind === "bars" && spec.lines.length > 1;
  if (totals) cell(head, "th", "together", "right");
  const body = table.createTBody();
  spec.x.forEach((_, at) => {
    const row = body.insertRow();
    const step = longName(spec, at);
    cell(row, "th", spec.drill && spec.ends.length ? Object.assign(element("a", "", step), { href: entriesOf(spec, at, null) }) : step);
    for (const line of spec.lines) cell(row, "td", show(line.values[at], spec.unit), "right");
    if (totals) cell(row, "td", show(sum(spec.lines.map((line) => line.values[at])), spec.unit), "right");
  });
  const frame = element("div", "table-frame");
  frame.tabIndex = 0;
  frame.setAttribute("role", "region");
  frame.setAttribute("aria-label", spec.title);
  frame.append(table);
  figure.querySelector(".numbers").replaceChildren(frame);
}

function prepareTable(figure, spec) {
  const button = figure.querySelector("[data-table]");
  const numbers = figure.querySelector(".numbers");
  button.hidden = false;
  button.addEventListener("click", () => {
    const open = numbers.hidden;
    if (open) drawTable(figure, spec);
    numbers.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    button.textContent = open ? "Hide table" : "Show table";
  });
}

// The address of a step's entries, of one line's alone where there is one.
function entriesOf(spec, at, line) {
  const [view, query = ""] = spec.drill.split("?");
  const parameters = new URLSearchParams(query);
  parameters.delete("range");
  parameters.set("from", spec.firsts[at]);
  parameters.set("to", spec.ends[at]);
  if (line && line.key !== null && !["", "none", "task", "description"].includes(spec.group)) {
    parameters.set(spec.group, line.key);
  }
  return `${view}?${parameters}`;
}

// Which of the parts of a bar that stand on each other a click has met; null above them all.
function partOf(spec, plot, points, event) {
  const axis = points[0].yaxis;
  const height = axis.p2d(event.clientY - plot.getBoundingClientRect().top - axis._offset);
  let top = 0;
  for (const point of [...points].sort((one, other) => one.curveNumber - other.curveNumber)) {
    top += point.y ?? 0;
    if (height >= 0 && height <= top) return spec.lines[point.curveNumber];
  }
  return null;
}

// A click on a part of a bar leads to its entries, one above it to all of the step.
function drillDown(spec, plot, { points, event }) {
  if (!spec.drill || !spec.ends.length) return;
  const at = points[0].pointIndex ?? points[0].pointNumber;
  location.href = entriesOf(spec, at, spec.kind === "bars" ? partOf(spec, plot, points, event) : null);
}

export function draw(figure, spec) {
  const plot = figure.querySelector(".plot");
  const made = Plotly.react(plot, traces(spec), layout(spec, plot), { displayModeBar: false, doubleClick: false });
  drawLegend(figure, spec, plot);
  return made;
}

async function prepare(figure) {
  const spec = JSON.parse(figure.querySelector("script.spec").textContent);
  const plot = figure.querySelector(".plot");
  const box = element("div", "hint");
  box.hidden = true;
  box.setAttribute("aria-hidden", "true");
  figure.append(box);
  await draw(figure, spec);
  prepareTable(figure, spec);
  plot.on("plotly_hover", ({ points, event }) => {
    hint(figure, spec, points);
    if (event) follow(figure, event);
  });
  plot.on("plotly_unhover", () => (box.hidden = true));
  plot.addEventListener("mousemove", (event) => box.hidden || follow(figure, event));
  plot.on("plotly_click", (click) => drillDown(spec, plot, click));
  document.addEventListener("themechange", () => draw(figure, spec));
  matchMedia("print").addEventListener("change", () => draw(figure, spec));
  new ResizeObserver(() => {
    Plotly.relayout(plot, { ...sizeOf(plot), ...ticksOf(spec, plot) });
  }).observe(plot);
}

const ticksOf = (spec, plot) => {
  const { tickvals, ticktext } = ticks(spec, plot.clientWidth - 40);
  return { "xaxis.tickvals": tickvals, "xaxis.ticktext": ticktext };
};

function loaded(address) {
  if (window.Plotly) return Promise.resolve();
  // it adds styles of its own for maps unless it finds them; the page's policy refuses those, and nothing needs them
  for (const id of document.body.dataset.chartStyles.split(" ")) {
    if (id) document.head.append(Object.assign(element("template"), { id }));
  }
  return new Promise((resolve, reject) => {
    const script = element("script");
    script.src = address;
    script.addEventListener("load", resolve);
    script.addEventListener("error", reject);
    document.head.append(script);
  });
}

export async function drawAll() {
  await loaded(document.body.dataset.charts);
  for (const figure of document.querySelectorAll("figure.chart")) {
    if (figure.querySelector(".plot")) await prepare(figure);
  }
}
