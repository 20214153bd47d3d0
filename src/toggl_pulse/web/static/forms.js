// Forms that are sent as soon as something is chosen, addresses without empty parameters, filters in a dialog.

const clean = (form) => {
  for (const field of form.elements) if (field.name && field.value === "") field.disabled = true;
};

function prepareLists(form) {
  for (const find of form.querySelectorAll("input.find")) {
    find.hidden = false;
    find.addEventListener("input", () => {
      const words = find.value.toLocaleLowerCase();
      for (const label of find.closest("fieldset").querySelectorAll(".values label")) {
        label.hidden = !label.textContent.toLocaleLowerCase().includes(words);
      }
    });
    find.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
  }
}

function prepareDialog() {
  const link = document.getElementById("filters");
  const dialog = document.getElementById("filter-dialog");
  if (!link || !dialog) return;
  link.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
      const form = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("filter-form");
      if (!answer.ok || !form) throw new Error("no form");
      const close = document.createElement("button");
      close.type = "button";
      close.className = "plain";
      close.textContent = "Close";
      close.addEventListener("click", () => dialog.close());
      form.querySelector("header.row span").append(" ", close);
      dialog.replaceChildren(form);
      prepareLists(form);
      dialog.showModal();
    } catch {
      location.href = link.href; // the page of its own says what is wrong
    }
  });
  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog) dialog.close();
  });
}

function prepareZones() {
  const list = document.getElementById("zones");
  const field = document.querySelector("input[list=zones]");
  field?.addEventListener("focus", () => {
    if (list.children.length || !Intl.supportedValuesOf) return;
    for (const zone of ["UTC", ...Intl.supportedValuesOf("timeZone")]) {
      list.append(Object.assign(document.createElement("option"), { value: zone }));
    }
    field.select();
  }, { once: true });
}

export function prepareForms() {
  for (const form of document.querySelectorAll("form[data-auto]")) {
    form.querySelector("button.auto").hidden = true;
    form.addEventListener("change", () => form.requestSubmit());
  }
  document.addEventListener("submit", ({ target }) => {
    if (target.method === "get") clean(target);
  });
  // a page that is come back to has its fields again, and in them what its address says, not what was chosen last
  addEventListener("pageshow", ({ persisted }) => {
    for (const field of document.querySelectorAll("form :disabled[name]")) field.disabled = false;
    const [way] = performance.getEntriesByType("navigation");
    if (persisted || way?.type !== "navigate") for (const form of document.forms) form.reset();
  });
  prepareDialog();
  prepareZones();
  const own = document.querySelector("main > form.filter-form");
  if (own) prepareLists(own);
}
