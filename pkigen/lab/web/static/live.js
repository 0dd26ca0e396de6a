// Refreshes the elements marked data-live. Without scripts, a page shows the state at load time.
"use strict";
const PERIOD = 1500;
let said = gist();

// The text that the page announces to screen readers.
function gist() {
  const words = [...document.querySelectorAll("#chosen h2, #chosen > p > .mark")];
  return words.map((one) => one.textContent.trim()).join(": ");
}

// Returns a function that restores the focus after the contents were replaced.
function focused(part) {
  const held = document.activeElement;
  if (!part.contains(held) || held === part) return null;
  const key = held.getAttribute("href") ?? held.getAttribute("aria-label") ?? held.textContent;
  return () => {
    const same = [...part.querySelectorAll(held.localName)].filter(
      (one) => (one.getAttribute("href") ?? one.getAttribute("aria-label") ?? one.textContent) === key,
    );
    same.find((one) => one.getClientRects().length)?.focus({ preventScroll: true });
  };
}

function renew(part, found) {
  const lists = found?.querySelectorAll("details") ?? [];
  part.querySelectorAll("details").forEach((one, place) => lists[place]?.toggleAttribute("open", one.open));
  if (!found || found.innerHTML === part.innerHTML) return;
  const again = focused(part);
  part.innerHTML = found.innerHTML;
  again?.();
}

async function look() {
  if (document.hidden || !document.getSelection().isCollapsed) return;
  try {
    const answer = await fetch(location.pathname + location.search, {
      headers: { "X-Live": "1" }, redirect: "error",
    });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) renew(part, page.getElementById(part.id));
    if (gist() !== said) document.getElementById("said").textContent = said = gist();
  } catch { /* The lab is down, or somebody signed out: what is shown stays. */ }
}

setInterval(look, PERIOD);
