// The editor of a role: says while it is typed what is wrong with a filter, and adds rows for gateways.
// The server reads the filter, and says the same after a submit; without this file it only says it then.

export function roleEditor(root) {
  const form = root.querySelector("form[data-role-editor]");
  if (!form) return;
  readFilter(root, form);
  addRows(form);
}

function readFilter(root, form) {
  const field = root.getElementById("filter");
  const says = root.getElementById("filter-says");
  let waiting;
  let asking;

  const ask = async () => {
    asking?.abort();
    asking = new AbortController();
    const body = new URLSearchParams({ csrf: form.elements.csrf.value, filter: field.value });
    try {
      const answer = await fetch(form.dataset.filterReader, { method: "POST", body, signal: asking.signal });
      if (!answer.ok) return;
      // The console's own answer, in which every text is escaped.
      says.innerHTML = await answer.text();
      field.toggleAttribute("aria-invalid", false);
      if (says.querySelector(".error")) field.setAttribute("aria-invalid", "true");
    } catch {
      // Not reached, or overtaken by what was typed since: the submit reads it again.
    }
  };
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, 250);
  });
}

function addRows(form) {
  const rows = form.querySelector("[data-gateway-rows]");
  const button = form.querySelector("[data-add-gateways]");
  button.hidden = false;
  button.addEventListener("click", () => {
    const at = rows.children.length;
    const row = rows.lastElementChild.cloneNode(true);
    for (const input of row.querySelectorAll("input")) {
      input.name = input.name.replace(/^gateway-\d+/, `gateway-${at}`);
      input.setAttribute("aria-label", input.getAttribute("aria-label").replace(/\d+/, at + 1));
      if (input.type === "checkbox") input.checked = false;
      else input.value = "";
    }
    rows.append(row);
    row.querySelector("input").focus();
  });
}
