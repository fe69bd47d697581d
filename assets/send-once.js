// A double click on a button that makes something sends the form once. The server refuses the
// repetition anyway; without this the browser would show that refusal instead of the first answer.
// And a form is sent only when the hub can be reached: a browser's own error page would lose what was typed.

const UNREACHABLE = "The hub can't be reached. Nothing was sent, and what you typed is still here: try again when the network is back.";

async function reachable() {
  try {
    return (await fetch(document.querySelector("link[rel=icon]").href, { method: "HEAD", cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

function say(form, words) {
  let error = form.querySelector("[data-unreachable]");
  if (!error) {
    error = document.createElement("p");
    error.className = "error";
    error.setAttribute("role", "alert");
    error.dataset.unreachable = "";
    (form.querySelector(".window-body") ?? form).append(error);
  }
  error.hidden = !words;
  error.textContent = words;
}

export function sendOnce(root) {
  for (const form of root.querySelectorAll("form[data-send-once]")) {
    let state = "ready";
    form.addEventListener("submit", async (event) => {
      if (state === "going") {
        state = "gone";
        return;
      }
      event.preventDefault();
      if (state !== "ready") return;
      state = "asking";
      say(form, "");
      if (await reachable()) {
        state = "going";
        form.requestSubmit(event.submitter);
      } else {
        state = "ready";
        say(form, UNREACHABLE);
      }
    });
    addEventListener("pageshow", () => { state = "ready"; });
  }
}
