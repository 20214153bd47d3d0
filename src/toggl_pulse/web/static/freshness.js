// The banner and the corner that say how true the numbers are, kept up to date while something is going on.

import { now, showAgo, showMoment } from "./format.js";

const OFTEN = 2000;
const SELDOM = 60000;

let next = 0;

const banner = () => document.getElementById("banner");

function show(news) {
  const corner = document.getElementById("freshness");
  corner.className = `freshness ${news.state}`;
  const time = corner.querySelector("time");
  if (time && news.data_as_of) {
    const moment = new Date(news.data_as_of);
    time.setAttribute("datetime", news.data_as_of);
    time.textContent = showAgo(moment.getTime(), now());
    time.title = showMoment(moment, "moment");
  }
  const place = banner();
  const stale = news.revision !== Number(document.body.dataset.revision);
  place.className = `banner ${news.state}`;
  place.hidden = news.state === "fresh" && !stale;
  const said = place.querySelector(".said");
  const sentence = news.state === "fresh" ? "There is news from Toggl." : news.sentence;
  if (said.textContent !== sentence) said.textContent = sentence;
  const progress = place.querySelector("progress");
  progress.hidden = news.state !== "reading";
  if (news.share !== null) progress.value = news.share;
  place.querySelector(".reload").hidden = !stale;
  const button = document.getElementById("sync");
  button.disabled = news.running;
  button.textContent = news.running ? "Syncing…" : "Sync now";
}

async function look() {
  let pause = SELDOM;
  try {
    const answer = await fetch("data/freshness.json", { headers: { Accept: "application/json" } });
    if (answer.status === 401) {
      location.reload();
      return;
    }
    if (answer.ok) {
      const news = await answer.json();
      show(news);
      if (news.running || news.state === "reading") pause = OFTEN;
    }
  } catch {
    const place = banner();
    place.hidden = false;
    place.className = "banner trouble";
    place.querySelector(".said").textContent = "Toggl Pulse does not answer: is it still running?";
    const button = document.getElementById("sync");
    button.disabled = false;
    button.textContent = "Sync now";
  }
  clearTimeout(next);
  next = setTimeout(look, pause);
}

// A proxy's refusal is no JSON.
async function why(answer) {
  try {
    return (await answer.json()).message;
  } catch {
    return `No sync has begun: something before Toggl Pulse refused it (${answer.status}).`;
  }
}

function prepareSync() {
  const form = document.querySelector("form.sync");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = document.getElementById("sync");
    button.disabled = true;
    button.textContent = "Syncing…";
    let refused = "";
    try {
      const answer = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" } });
      if (!answer.ok && answer.status !== 409) refused = await why(answer);
    } catch {
      // the look below says that nothing answers
    }
    await look();
    if (!refused) return;
    const place = banner();
    place.hidden = false;
    place.querySelector(".said").textContent = refused;
  });
}

export function watchFreshness() {
  if (!banner()) return;
  banner().querySelector(".reload").href = location.href;
  prepareSync();
  const busy = document.getElementById("sync").disabled || !banner().hidden;
  next = setTimeout(look, busy ? OFTEN : SELDOM);
}
