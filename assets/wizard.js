// The steps of the New API Key window: the date shows when a date is chosen, and what the ticked roles allow is said in
// words. The words come from the hub; without this file each role still says it for itself.

function expiry(root) {
  const choice = root.querySelector("select#expires");
  const part = root.querySelector("[data-shown-for]");
  if (!choice || !part) return;
  const day = part.querySelector("input");
  const show = () => {
    part.hidden = choice.value !== part.dataset.shownFor && !(day.value && choice.value === "");
    if (part.hidden) day.value = "";
  };
  choice.addEventListener("change", show);
  show();
}

function preview(root) {
  const form = root.querySelector("form[data-preview]");
  const words = root.getElementById("may");
  if (!form || !words) return;
  let latest;
  const say = async () => {
    latest?.abort();
    const mine = (latest = new AbortController());
    // Only these: the form also holds what must never stand in an address.
    const query = new URLSearchParams({ name: form.elements.namedItem("name").value });
    for (const box of form.querySelectorAll("input[name=role]:checked")) query.append("role", box.value);
    try {
      const answer = await fetch(`${form.dataset.preview}?${query}`, { signal: mine.signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("may");
      if (fresh) words.replaceChildren(...fresh.childNodes);
    } catch {
      // Each role says for itself what it allows.
    }
  };
  form.addEventListener("change", say);
  if (form.querySelector("input[name=role]:checked")) say();
}

// The way back keeps the ticked roles: without this file it begins them anew.
function keepRoles(root) {
  const back = root.querySelector("form[data-keeps-roles]");
  back?.addEventListener("submit", () => {
    for (const kept of back.querySelectorAll("input[name=role]")) kept.remove();
    for (const box of root.querySelectorAll("input[type=checkbox][name=role]:checked")) {
      const kept = root.createElement("input");
      Object.assign(kept, { type: "hidden", name: "role", value: box.value });
      back.append(kept);
    }
  });
}

export function wizard(root) {
  expiry(root);
  keepRoles(root);
  preview(root);
}
