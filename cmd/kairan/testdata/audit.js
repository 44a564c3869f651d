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
  // What stands alone is easy to tap; on a phone a link in a list may be as large as its row.
  const phone = width < 600, least = phone ? 44 : 24;
  const alone = "button, a.button, summary" + (phone ? ", .actions a, .orders a, .pages a, .around a, .years a, .tools a, .outline a, .busy a, .threads .subject" : "");
  for (const e of all(alone)) {
    const row = phone && getComputedStyle(e, "::after").position === "absolute" ? e.closest("li") : e;
    const { width: w, height: h } = row.getBoundingClientRect();
    if (seen(e) && (h < least || w < 24)) faults.push(`hard to tap, ${w} x ${h} px: ${called(e)}`);
  }
  // Prose has about 40 Japanese characters a line, or 75 English ones.
  for (const e of all(".text:not(.columns)")) {
    const chars = e.clientWidth / parseFloat(getComputedStyle(e).fontSize);
    if (seen(e) && chars > 42) faults.push(`a line of ${chars} characters: ${called(e)}`);
  }
  const ids = all("[id]").map(e => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`two of id ${id}`);
  return faults.map(f => f.replace(/\s+/g, " ")).join("\n");
}
