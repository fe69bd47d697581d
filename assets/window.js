// The server renders a window as an open dialog over its page; here it becomes a modal one.
// Escape leaves an ordinary window. A window that shows a secret is left with Close only.

export function windows(root) {
  const dialog = root.querySelector("dialog[data-window]");
  if (!dialog) return;
  const keeps = dialog.dataset.window === "secret";
  const leave = dialog.dataset.leave;

  const show = () => {
    dialog.removeAttribute("open");
    dialog.showModal();
  };
  show();

  if (!keeps) {
    dialog.addEventListener("close", () => location.assign(leave));
    return;
  }
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") event.preventDefault();
  }, true);
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  // A browser may close on a second Escape without asking; the secret must not be lost that way.
  dialog.addEventListener("close", () => dialog.showModal());
  // Close replaces this entry of the history: going back never leads to the shown secret.
  dialog.querySelector("form[data-close]")?.addEventListener("submit", (event) => {
    event.preventDefault();
    location.replace(leave);
  });
  // Should the browser keep the page in memory, it keeps it without the secret.
  addEventListener("pagehide", () => {
    for (const field of dialog.querySelectorAll("input[data-shown-once]")) field.value = "";
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.replace(leave);
  });
}
