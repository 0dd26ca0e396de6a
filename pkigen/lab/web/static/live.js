// Keeps what is marked data-live as it is now. Without scripts a page shows how it was when it was opened.
"use strict";
const PERIOD = 1500;
let said = gist();

// What is told to those who do not see it change.
function gist() {
  const words = [...document.querySelectorAll("#chosen h2, #chosen > p > .mark")];
  return words.map((one) => one.textContent.trim()).join(": ");
}

// What has the focus, told so that it is found again in the part's new contents.
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
