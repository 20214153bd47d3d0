// What every view does in the browser: says numbers and dates in its locale, ticks, sends forms, draws charts.
// Without it a view shows the same numbers.

import { localise } from "./format.js";
import { startTimers } from "./timer.js";
import { watchFreshness } from "./freshness.js";
import { prepareForms } from "./forms.js";
import { prepareTheme } from "./theme-switch.js";
import { prepareTips } from "./tips.js";

document.querySelector(".views [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
localise(document);
prepareTheme();
prepareTips();
prepareForms();
startTimers();
watchFreshness();

if (document.querySelector("figure.chart .plot")) {
  const { drawAll } = await import("./charts.js");
  await drawAll();
}
document.documentElement.dataset.ready = "";
