// The clock's hours in the browser's locale, today in view where a week is wider than the screen, and the feed's
// address as another program needs it: whole.

import { showLocal } from "./format.js";

for (const text of document.querySelectorAll("text[data-hour]")) {
  text.textContent = showLocal(`2000-01-01T${text.dataset.hour.padStart(2, "0")}:00`, { hour: "numeric" });
}
for (const link of document.querySelectorAll("a[data-whole]")) link.textContent = link.href;

const today = document.querySelector(".day.today");
if (today) {
  const frame = today.closest(".table-frame");
  const beyond = today.getBoundingClientRect().right - frame.getBoundingClientRect().right;
  if (beyond > 0) frame.scrollLeft += beyond;
}
