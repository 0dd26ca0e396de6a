// Keeps the overview as it is now. Without scripts the page shows how it was when it was opened.
"use strict";
const live = document.getElementById("live");
async function look() {
  if (document.hidden || live.contains(document.activeElement)) return;
  try {
    const answer = await fetch("/live" + location.search, { redirect: "error" });
    if (!answer.ok) return;
    const text = await answer.text();
    if (!live.contains(document.activeElement)) live.innerHTML = text;
  } catch { /* The lab is down, or somebody signed out: what is shown stays. */ }
}
if (live) setInterval(look, 1500);
