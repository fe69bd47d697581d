// Where a change is in effect: asked again until it is so on every node. Without this file the words lead to a page
// that tells it anew.

const PAUSES = [100, 200, 400];
const LATER = 1000;

async function follow(root, line) {
  for (let round = 0; !("done" in line.dataset); round += 1) {
    await new Promise((resolve) => setTimeout(resolve, PAUSES[round] ?? LATER));
    try {
      const answer = await fetch(line.dataset.effect, { headers: { accept: "text/html" } });
      // Signed out meanwhile: what stands there stays.
      if (answer.redirected) return;
      if (!answer.ok) continue;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("main [data-effect]");
      if (!fresh) return;
      const [words, news] = [line.querySelector("[data-words]"), fresh.querySelector("[data-words]")];
      if (words.textContent !== news.textContent) words.textContent = news.textContent;
      if ("done" in fresh.dataset) line.dataset.done = "";
    } catch {
      // The hub can't be reached just now.
    }
  }
}

export function effects(root) {
  for (const line of root.querySelectorAll("[data-effect]")) follow(root, line);
}
