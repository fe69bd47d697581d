// Times in the reader's zone. The server writes UTC, which stays without this file, and the exact instant stays the title.
// Both forms are of one width, so that nothing moves: `2027-01-31 08:00:00 UTC` becomes `2027-01-31 09:00:00 +01`.

const two = (number) => String(number).padStart(2, "0");

function day(at) {
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

function zone(at) {
  const east = -at.getTimezoneOffset();
  const [hours, minutes] = [Math.trunc(Math.abs(east) / 60), Math.abs(east) % 60];
  return `${east < 0 ? "-" : "+"}${two(hours)}${minutes ? `:${two(minutes)}` : ""}`;
}

function local(text, at) {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return day(at);
  if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/.test(text) || at.getTimezoneOffset() === 0) return text;
  return `${day(at)} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())} ${zone(at)}`;
}

export function times(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const text = local(time.textContent, at);
    if (text !== time.textContent) time.textContent = text;
  }
}
