// Returns what is wrong with the page, a fault a line: what must hold here and is nothing that axe asks for.
(width, lang) => {
  const faults = [];
  const all = selector => [...document.querySelectorAll(selector)];
  const seen = e => e.checkVisibility({ visibilityProperty: true });
  const called = e => (e.outerHTML.match(/^<[^>]*>/) || [""])[0] + (e.textContent || "").trim().slice(0, 30);
  const root = document.documentElement;

  if (root.scrollWidth > width) {
    const wide = all("body *").filter(e => e.getBoundingClientRect().right > width + 0.5);
    faults.push(`scrolls sideways: ${root.scrollWidth} px for ${width}, because of ${wide.slice(-1).map(called)}`);
  }
  if (root.lang !== lang) faults.push(`html lang is ${root.lang}, not ${lang}`);
  if (all("h1").length !== 1) faults.push(`${all("h1").length} h1`);
  if (all(`script:not([src^="/-/static/"]), script:not(:empty), style, [style], iframe, object, embed`).length) faults.push("carries scripts, styles or frames of its own");
  for (const e of all("main, header.site, footer.site")) if (!seen(e)) faults.push(`not to be seen: ${called(e)}`);
  for (const e of all("button, a.button, summary")) {
    const { width: w, height: h } = e.getBoundingClientRect();
    if (seen(e) && (h < 24 || w < 24)) faults.push(`hard to tap, ${w} x ${h} px: ${called(e)}`);
  }
  const ids = all("[id]").map(e => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`two of id ${id}`);
  return faults.map(f => f.replace(/\s+/g, " ")).join("\n");
}
