// Numbers and moments as people of this browser's locale write them; days and hours are those of the query's zone.

const zone = document.body.dataset.zone || undefined;
const locales = navigator.languages?.length ? navigator.languages : undefined;
const whole = new Intl.NumberFormat(locales, { maximumFractionDigits: 0 });
const twoDigits = new Intl.NumberFormat(locales, { minimumIntegerDigits: 2 });
const percent = new Intl.NumberFormat(locales, { style: "percent", maximumFractionDigits: 0 });
const signedPercent = new Intl.NumberFormat(locales, {
  style: "percent", maximumFractionDigits: 0, signDisplay: "exceptZero",
});
const tenths = new Intl.NumberFormat(locales, { maximumFractionDigits: 1 });
const exact = new Intl.NumberFormat(locales, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const ago = new Intl.RelativeTimeFormat(locales, { numeric: "auto" });

const forms = {
  day: { day: "numeric", month: "short", year: "numeric" },
  weekday: { weekday: "short", day: "numeric", month: "short" },
  dayname: { weekday: "short" },
  daymonth: { day: "numeric", month: "short" },
  time: { hour: "2-digit", minute: "2-digit" },
  moment: { dateStyle: "medium", timeStyle: "short" },
};
// The steps of charts and tables, as short as an axis needs them and as long as a sentence does.
export const STEPS = {
  hour: { short: { hour: "2-digit", minute: "2-digit" }, long: { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" } },
  day: { short: { day: "numeric", month: "short" }, long: { weekday: "long", day: "numeric", month: "long", year: "numeric" } },
  week: { short: { day: "numeric", month: "short" }, long: { day: "numeric", month: "long", year: "numeric" } },
  month: { short: { month: "short", year: "2-digit" }, long: { month: "long", year: "numeric" } },
  quarter: { short: { month: "short", year: "2-digit" }, long: { month: "long", year: "numeric" } },
  year: { short: { year: "numeric" }, long: { year: "numeric" } },
};

// The decimal sign and that of thousands, as the library of charts wants them.
const partsOf = whole.formatToParts(1234567).concat(tenths.formatToParts(0.5));
export const separators = ["decimal", "group"].map((type) => partsOf.find((part) => part.type === type)?.value ?? "").join("");

const made = new Map();

function formatter(form, timeZone) {
  const key = `${form} ${timeZone}`;
  if (!made.has(key)) made.set(key, new Intl.DateTimeFormat(locales, { ...forms[form], timeZone }));
  return made.get(key);
}

export const two = (number) => twoDigits.format(number);
export const plain = (number) => whole.format(number);

// Hours as h:mm, shares as percent, anything else as a whole number; nothing as a dash.
export function show(value, unit) {
  if (value === null || Number.isNaN(value)) return "–";
  if (unit === "hours") {
    const minutes = Math.round(Math.abs(value) * 60);
    const sign = value < 0 && minutes ? "−" : "";
    return `${sign}${whole.format(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  }
  if (unit === "clock") return showLocal(new Date(Math.round(value * 60) * 60000).toISOString().slice(0, 16), forms.time);
  if (unit === "share") return percent.format(value);
  if (unit === "seconds") return `${(Math.abs(value) < 60 ? tenths : whole).format(value)} s`;
  if (unit === "change") return signedPercent.format(value);
  return whole.format(value);
}

export const showExactly = (value) => exact.format(value);

export function showMoment(moment, form) {
  return formatter(form, zone).format(moment);
}

// A local time without a zone, as charts have it ("2026-11-03T00:00"), by any options of Intl.
export function showLocal(text, options) {
  const key = JSON.stringify(options);
  if (!made.has(key)) made.set(key, new Intl.DateTimeFormat(locales, { ...options, timeZone: "UTC" }));
  return made.get(key).format(new Date(`${text}Z`));
}

export function showAgo(moment, now) {
  const seconds = Math.round((moment - now) / 1000);
  const steps = [["day", 86400], ["hour", 3600], ["minute", 60]];
  for (const [unit, length] of steps) {
    if (Math.abs(seconds) >= length) return ago.format(Math.trunc(seconds / length), unit);
  }
  return ago.format(0, "minute");
}

// What the server's clock says, however this machine's is set.
const skew = Number(document.body.dataset.now || Date.now()) - Date.now();
export const now = () => Date.now() + skew;

export function localise(root) {
  for (const each of root.querySelectorAll("data.amount")) {
    if (each.value === "") continue;
    const value = Number(each.value);
    each.textContent = show(value, each.dataset.unit);
    if (each.dataset.unit === "hours") each.dataset.exact = showExactly(value);
  }
  for (const each of root.querySelectorAll("time[data-form]")) {
    const { form } = each.dataset;
    const text = each.getAttribute("datetime");
    if (form === "day" && text.length === 10) each.textContent = showLocal(`${text}T00:00`, forms.day);
    else if (form === "ago") {
      each.textContent = showAgo(Date.parse(text), now());
      each.title = showMoment(new Date(text), "moment");
    } else each.textContent = showMoment(new Date(text), form);
  }
}
