// Search and filters. Without scripts the page shows everything.
"use strict";
const form = document.getElementById("filter");
const rows = [...document.querySelectorAll("#certificates details")];
const texts = new Map();
const textOf = (row) => {
  if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
  return texts.get(row);
};
const apply = () => {
  const words = form.search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const data = row.dataset;
    const hit = (!form.verdict.value || data.v === form.verdict.value)
      && (!form.state.value || ` ${data.m} `.includes(` ${form.state.value} `))
      && (!form.family.value || data.f === form.family.value)
      && words.every((word) => textOf(row).includes(word));
    row.hidden = !hit;
    shown += hit;
  }
  form.count.value = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")}`;
};
const open = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (!target || target.tagName !== "DETAILS") return;
  if (target.hidden) { form.reset(); apply(); }
  for (let box = target; box; box = box.parentElement.closest("details")) box.open = true;
  target.scrollIntoView({ block: "center" });
};
form.hidden = false;
form.addEventListener("input", apply);
form.addEventListener("reset", () => setTimeout(apply));
form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", open);
addEventListener("beforeprint", () => document.querySelectorAll(".scroll .fold").forEach((fold) => { fold.open = true; }));
apply();
open();
