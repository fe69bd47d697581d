// Copy buttons: a `data-copy="ID"` button copies the text of the element with that id.

async function copy(source) {
  const text = "value" in source ? source.value : source.textContent;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not permitted here: select, so that the keyboard's copy works, and try the older way.
    if ("select" in source) source.select();
    else getSelection().selectAllChildren(source);
    return document.execCommand("copy");
  }
}

export function copyButtons(root) {
  for (const button of root.querySelectorAll("button[data-copy]")) {
    const source = document.getElementById(button.dataset.copy);
    const words = button.querySelector("[data-words]");
    const said = words.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      words.textContent = (await copy(source)) ? "Copied" : "Press Ctrl+C";
      button.classList.add("done");
      setTimeout(() => {
        words.textContent = said;
        button.classList.remove("done");
      }, 2000);
    });
  }
}
