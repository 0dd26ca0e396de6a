// Problems of a page (layout, contrast, labels) as a list of sentences. `narrow` pages must not scroll sideways.
() => {
  const found = [];
  const words = (one) => `${one.localName}.${one.className.baseVal ?? one.className} "${(one.textContent || "").trim().slice(0, 40)}"`;
  const shown = (one) => one.getClientRects().length > 0 && getComputedStyle(one).clipPath === "none"
    && !one.closest(".sr, .skip, thead") ;
  const all = [...document.querySelectorAll("body *")].filter(shown);

  if (document.documentElement.scrollWidth > innerWidth)
    found.push(`the page is ${document.documentElement.scrollWidth} wide in ${innerWidth}`);

  // WCAG 2.2, 1.4.3
  const channels = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => {
    const [dark, bright] = [light(a), light(b)].sort((x, y) => x - y);
    return (bright + 0.05) / (dark + 0.05);
  };
  const ground = (one) => {
    const shape = one.closest(".party")?.querySelector("rect") ?? one.closest(".edge")?.querySelector(".dot");
    if (one.closest("svg") && shape) return channels(getComputedStyle(shape).fill);
    for (let up = one; up; up = up.parentElement) {
      const held = channels(getComputedStyle(up).backgroundColor);
      if (held.length === 3 || held[3] > 0) return held;
    }
    return [255, 255, 255];
  };
  for (const one of all) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || one.localName === "title" || one.localName === "option") continue;
    const style = getComputedStyle(one);
    const ratio = contrast(channels(one.closest("svg") ? style.fill : style.color), ground(one));
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 600);
    if (ratio < (large ? 3 : 4.5)) found.push(`${words(one)} has a contrast of ${ratio.toFixed(2)}`);
    if (["hidden", "clip"].includes(style.overflowX) && one.scrollWidth > one.clientWidth + 1)
      found.push(`${words(one)} is cut off`);
  }

  for (const one of all.filter((cell) => cell.matches("td, dd, p, li")))
    if (one.textContent.trim().length > 10 && one.clientWidth && one.getBoundingClientRect().height > 4 * one.clientWidth)
      found.push(`${words(one)} is squeezed into ${one.clientWidth} pixels`);

  for (const text of document.querySelectorAll("svg .party text")) {
    if (!shown(text)) continue;
    const box = text.parentElement.querySelector("rect").getBoundingClientRect();
    const line = text.getBoundingClientRect();
    if (line.left < box.left || line.right > box.right || line.top < box.top - 1 || line.bottom > box.bottom + 1)
      found.push(`${words(text)} is not within its box`);
  }
  const solid = [...document.querySelectorAll("svg rect.box, svg .dot")].filter(shown).map((one) => [one, one.getBoundingClientRect()]);
  solid.forEach(([one, a], at) => solid.slice(at + 1).forEach(([other, b]) => {
    if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
      found.push(`${words(one.parentElement)} lies over ${words(other.parentElement)}`);
  }));

  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].filter(shown).map((one) => Number(one.localName[1]));
  if (levels.filter((level) => level === 1).length !== 1) found.push("there is not one h1");
  levels.forEach((level, at) => {
    if (at && level > levels[at - 1] + 1) found.push(`a heading of level ${level} follows one of ${levels[at - 1]}`);
  });
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  for (const id of new Set(ids.filter((one, at) => ids.indexOf(one) !== at))) found.push(`two have the id ${id}`);
  for (const one of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
    if (!one.labels.length && !one.getAttribute("aria-label")) found.push(`the field ${one.name} has no label`);
  for (const one of document.querySelectorAll("a[href], button"))
    if (!(one.getAttribute("aria-label") || one.textContent.trim())) found.push(`${words(one)} has no name`);
  for (const one of document.querySelectorAll("[aria-describedby], [aria-labelledby]"))
    for (const id of (one.getAttribute("aria-describedby") || one.getAttribute("aria-labelledby")).split(" "))
      if (!document.getElementById(id)) found.push(`${words(one)} is described by ${id}, which is not there`);
  for (const one of document.querySelectorAll("main section, main table tbody, main ul, main p"))
    if (shown(one) && !one.textContent.trim()) found.push(`${words(one)} is empty`);
  return [...new Set(found)];
}
