// The one-time link carries its token in the fragment, which is never sent to a server.
// It moves into the form and out of the address, so that it is not left in the history.

export function firstRun(root) {
  const field = root.querySelector("[data-first-run-token]");
  if (!field || location.hash.length < 2) return;
  field.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
  for (const part of root.querySelectorAll("[data-without-link]")) part.hidden = true;
  root.querySelector("[autofocus]")?.focus();
}
