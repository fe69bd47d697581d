// The list of applications follows what is typed and chosen: the same page is fetched and its list put in place.
// Without this file the button Search does it.
import { copyButtons } from "./copy.js";

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
    const to = address();
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
      copyButtons(part);
    } catch (error) {
      if (error.name !== "AbortError") part.querySelector("[role=status]").textContent = "The hub can't be reached. Press Search to try again.";
    }
  };

  form.addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(follow, event.target.tagName === "SELECT" ? 0 : PAUSE);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    follow();
  });
}
