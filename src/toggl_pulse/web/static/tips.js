// Explanations show on hover and focus by style alone; this keeps them on the screen and lets Escape send them away.

function place(why) {
  const tip = why.querySelector(".tip");
  if (!tip) return;
  why.classList.remove("away");
  tip.classList.remove("left", "above");
  const box = tip.getBoundingClientRect();
  if (box.right > document.documentElement.clientWidth - 8) tip.classList.add("left");
  if (box.bottom > innerHeight - 8) tip.classList.add("above");
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
