// Tabs: without this file their panels stand below one another, each with its heading.

export function tabs(root) {
  for (const group of root.querySelectorAll("[data-tabs]")) {
    const list = group.querySelector("[role=tablist]");
    const all = [...list.querySelectorAll("[role=tab]")];
    const panel = (tab) => root.getElementById(tab.getAttribute("aria-controls"));

    const choose = (chosen) => {
      for (const tab of all) {
        const on = tab === chosen;
        tab.setAttribute("aria-selected", String(on));
        tab.tabIndex = on ? 0 : -1;
        panel(tab).hidden = !on;
      }
    };
    for (const tab of all) {
      const own = panel(tab);
      own.setAttribute("role", "tabpanel");
      own.setAttribute("aria-labelledby", tab.id);
      own.querySelector("h3").hidden = true;
      tab.addEventListener("click", () => choose(tab));
    }
    list.addEventListener("keydown", (event) => {
      const at = all.indexOf(root.activeElement);
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
      if (at < 0 || to === undefined) return;
      event.preventDefault();
      const next = all[(to + all.length) % all.length];
      choose(next);
      next.focus();
    });
    list.hidden = false;
    choose(all[0]);
  }
}
