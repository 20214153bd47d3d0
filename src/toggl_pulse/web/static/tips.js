// Explanations show on hover and focus by style alone; this keeps them on the screen and lets Escape send them away.

const EDGE = 8;

// Fixed, for a table that scrolls would cut it off.
function place(why) {
  const tip = why.querySelector(".tip");
  if (!tip) return;
  why.classList.remove("away");
  tip.style.position = "fixed";
  const at = why.getBoundingClientRect();
  const { width, height } = tip.getBoundingClientRect();
  const right = document.documentElement.clientWidth - EDGE - width;
  tip.style.left = `${Math.max(EDGE, Math.min(at.left - 6, right))}px`;
  const below = at.bottom + EDGE;
  tip.style.top = `${below + height > innerHeight - EDGE ? Math.max(EDGE, at.top - height - EDGE) : below}px`;
}

export function prepareTips() {
  for (const event of ["mouseover", "focusin"]) {
    document.addEventListener(event, ({ target }) => {
      const why = target.closest?.(".why");
      if (why) place(why);
    });
  }
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    for (const why of document.querySelectorAll(".why:hover, .why:focus-within")) why.classList.add("away");
    for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
  });
  document.addEventListener("click", ({ target }) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(target)) menu.open = false;
    }
  });
}
