// The window that shows a new key: fills its snippets in from the two fields, and offers them as a `.env` file that is
// made here. Nothing is sent, and nothing is kept: when the page is left, the placeholders are back.

export function newKey(root) {
  const dialog = root.querySelector("dialog[data-window=secret]");
  const [id, secret] = ["client_id", "client_secret"].map((name) => dialog?.querySelector(`#${name}`));
  if (!id || !secret) return;

  const snippets = [...dialog.querySelectorAll("[data-tabs] code")].map((code) => [code, code.textContent]);
  for (const [code, text] of snippets) {
    code.textContent = text.replaceAll("YOUR_CLIENT_ID", id.value).replaceAll("YOUR_CLIENT_SECRET", secret.value);
  }
  addEventListener("pagehide", () => {
    for (const [code, text] of snippets) code.textContent = text;
  });

  const button = dialog.querySelector("button[data-download-env]");
  button.hidden = false;
  button.addEventListener("click", () => {
    const text = `${root.getElementById("snippet-env").textContent}\n`;
    const link = root.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    link.download = `${id.value}.env`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}
