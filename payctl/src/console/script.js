// What a page is more comfortable with. Without this file everything works.
"use strict";

const rows = () => [...document.querySelectorAll("main tbody tr a:first-of-type, main ul.plain li a:first-of-type")]
  .filter((link, at, all) => all.findIndex((other) => other.closest("tr, li") === link.closest("tr, li")) === at);

const KEYS = [
  ["/", "search", () => document.getElementById("q").focus()],
  ["j", "next row", () => step(1)],
  ["k", "row before", () => step(-1)],
  ["Enter", "open the row", null],
  ...(hasZone() ? [["t", "times in UTC or local", () => toggleZone()]] : []),
  ["g h", "home", "/"],
  ["g q", "quarantine", "/quarantine"],
  ["g d", "due", "/due"],
  ["Esc", "leave a field", null],
  ["?", "these keys", () => help().showModal()],
];

function step(by) {
  const all = rows();
  if (all.length === 0) return;
  const at = all.findIndex((link) => link === document.activeElement);
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
  all[next].focus();
  all[next].scrollIntoView({ block: "nearest" });
}

let began = "";

document.addEventListener("keydown", (event) => {
  const inField = event.target.closest("input, textarea, select");
  if (event.key === "Escape" && inField) inField.blur();
  if (inField || event.ctrlKey || event.metaKey || event.altKey) return;
  const typed = began ? `${began} ${event.key}` : event.key;
  began = "";
  if (event.key === "g") {
    began = "g";
    return;
  }
  const found = KEYS.find(([key, , act]) => act && key === typed);
  if (!found) return;
  event.preventDefault();
  if (typeof found[2] === "string") location.assign(found[2]);
  else found[2]();
});

function help() {
  const known = document.getElementById("help");
  if (known) return known;
  const dialog = document.createElement("dialog");
  dialog.id = "help";
  dialog.setAttribute("aria-labelledby", "help-title");
  const title = document.createElement("h2");
  title.id = "help-title";
  title.textContent = "Keys";
  const list = document.createElement("dl");
  list.className = "facts";
  for (const [key, what] of KEYS) {
    const name = document.createElement("dt");
    name.append(Object.assign(document.createElement("kbd"), { textContent: key }));
    list.append(name, Object.assign(document.createElement("dd"), { textContent: what }));
  }
  const close = Object.assign(document.createElement("button"), { textContent: "Close" });
  close.addEventListener("click", () => dialog.close());
  dialog.append(title, list, close);
  document.body.append(dialog);
  return dialog;
}

// Times: as they came in UTC, or in the zone of this machine.
const ZONE = "payctl-zone";

function isLocal() {
  return hasZone() && localStorage.getItem(ZONE) === "local";
}

// Whether this machine's times are other ones, in winter or in summer.
function hasZone() {
  return [0, 6].some((month) => new Date(2026, month, 1).getTimezoneOffset() !== 0);
}

function showTimes() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const utc = time.dataset.utc ?? (time.dataset.utc = time.textContent);
    const at = new Date(time.dateTime);
    const two = (number, digits = 2) => String(number).padStart(digits, "0");
    const local = () =>
      `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ` +
      `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${two(at.getMilliseconds(), 3)}`;
    time.textContent = isLocal() && !Number.isNaN(at.getTime()) ? local() : utc;
  }
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const button = document.querySelector("#zone button");
  if (button) button.textContent = isLocal() ? `Times in ${zone}: show UTC` : `Times in UTC: show ${zone}`;
}

function toggleZone() {
  localStorage.setItem(ZONE, isLocal() ? "utc" : "local");
  showTimes();
}

const zone = document.getElementById("zone");
if (zone && hasZone()) {
  const button = Object.assign(document.createElement("button"), { type: "button" });
  button.addEventListener("click", toggleZone);
  zone.replaceChildren(button);
}
showTimes();

// Ids that can be copied.
for (const id of document.querySelectorAll("[data-copy]")) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "copy", textContent: "Copy" });
  button.setAttribute("aria-label", `Copy ${id.textContent}`);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(id.dataset.copy);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  (id.closest("a") ?? id).after(button);
}

for (const hint of document.querySelectorAll(".keys")) hint.hidden = false;
