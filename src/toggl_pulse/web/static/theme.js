// Before anything is painted: the theme that was chosen in this browser, if one was.
"use strict";
{
  let chosen = null;
  try {
    chosen = localStorage.getItem("toggl-pulse.theme");
  } catch {
    // a browser that keeps nothing follows the system
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
