// A running timer that ticks, by the server's clock; one that is not known to run on stands still.

import { now, plain, two } from "./format.js";

function show(timer) {
  const until = timer.dataset.until ? Number(timer.dataset.until) : now();
  const seconds = Math.max(0, Math.floor((until - Number(timer.value)) / 1000));
  timer.textContent = `${plain(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

export function startTimers() {
  const timers = document.querySelectorAll("data.ticking");
  if (!timers.length) return;
  const tick = () => timers.forEach(show);
  tick();
  setInterval(tick, 1000);
}
