// A double click on a button that makes something sends the form once. The server refuses the
// repetition anyway; without this the browser would show that refusal instead of the first answer.

export function sendOnce(root) {
  for (const form of root.querySelectorAll("form[data-send-once]")) {
    let sent = false;
    form.addEventListener("submit", (event) => {
      if (sent) event.preventDefault();
      sent = true;
    });
    addEventListener("pageshow", () => { sent = false; });
  }
}
