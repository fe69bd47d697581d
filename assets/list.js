// The list of applications follows what is typed and chosen: the same page is fetched and its list put in place.
// Without this file the button Search does it.
import { copyButtons } from "./copy.js";
import { sendOnce } from "./send-once.js";
import { times } from "./times.js";

const PAUSE = 200;

export function listSearch(root) {
  const form = root.querySelector("form[data-list-search]");
  const part = form && root.getElementById(form.dataset.listSearch);
  // Behind a window there is nothing to type.
  if (!part || root.querySelector("dialog[data-window]")) return;
  let timer;
  let latest;
  // The button does its work by itself now; it stays for the Enter key of those who do not see the list change.
  const address = () => {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) query.set(name, value);
    return query.size ? `${form.action}?${query}` : form.action;
  };
  const leave = (to) => location.assign(to);

  const follow = async () => {
    clearTimeout(timer);
    latest?.abort();
    const mine = (latest = new AbortController());
    const to = (asked = address());
    try {
      const answer = await fetch(to, { signal: mine.signal, headers: { accept: "text/html" } });
      // Signed out, or something else than the list: the browser goes there and shows it.
      if (!answer.ok || answer.redirected) return leave(to);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(part.id);
      if (!fresh) return leave(to);
      // The line with the number stays the same element, so that its change is read aloud.
      const number = part.querySelector("[role=status]");
      const news = fresh.querySelector("[role=status]");
      while (number.nextSibling) number.nextSibling.remove();
      while (news.nextSibling) part.append(document.adoptNode(news.nextSibling));
      if (number.textContent !== news.textContent) number.textContent = news.textContent;
      history.replaceState(null, "", to);
      times(part);
      copyButtons(part);
      sendOnce(part);
    } catch (error) {
      if (error.name !== "AbortError") part.querySelector("[role=status]").textContent = "The hub can't be reached. Press Search to try again.";
    }
  };

  // What the list on the page was asked with.
  let asked = address();
  const changed = (pause) => {
    clearTimeout(timer);
    if (address() !== asked) timer = setTimeout(follow, pause);
  };
  form.addEventListener("input", () => changed(PAUSE));
  // A choice is made when it is closed or left; some browsers say only then that there is one.
  form.addEventListener("change", () => changed(0));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    follow();
  });
  // Something was typed or chosen before this ran, or the browser has put it back after a reload.
  const fields = [...form.querySelectorAll("input, select")];
  const first = (field) => (field.options ? [...field.options].find((option) => option.defaultSelected) ?? field.options[0] : null);
  if (fields.some((field) => field.value !== (first(field)?.value ?? field.defaultValue))) follow();
}
