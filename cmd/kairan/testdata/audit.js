// Returns what is wrong with the page, a fault a line.
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
  if (!document.title.trim()) faults.push("no title");
  if (all("script, style, [style], iframe, object, embed").length) faults.push("carries scripts, styles or frames of its own");
  for (const e of all("img:not([alt])")) faults.push(`no alt: ${called(e)}`);
  for (const e of all("main, header.site, footer.site")) if (!seen(e)) faults.push(`not to be seen: ${called(e)}`);
  for (const e of all("a[href], button")) {
    if (!(e.textContent.trim() || e.getAttribute("aria-label"))) faults.push(`says nothing: ${called(e)}`);
  }
  for (const e of all("button, a.button, summary")) {
    const { width: w, height: h } = e.getBoundingClientRect();
    if (seen(e) && (h < 24 || w < 24)) faults.push(`hard to tap, ${w} x ${h} px: ${called(e)}`);
  }
  const ids = all("[id]").map(e => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`two of id ${id}`);
  let above = 0;
  for (const e of all("h1, h2, h3, h4")) {
    const level = Number(e.tagName[1]);
    if (level > above + 1) faults.push(`a heading of level ${level} under one of ${above}: ${called(e)}`);
    above = level;
  }

  // Contrast (WCAG 2.2, 1.4.3). What cannot be followed or pressed, such as an empty month, is exempt.
  const channels = color => color.match(/[\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * R + 0.7152 * G + 0.0722 * B;
  };
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = channels(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const pale = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !seen(e) || e.closest(".years td > span")) continue;
    const style = getComputedStyle(e);
    const [a, b] = [luminance(channels(style.color)), luminance(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) pale.add(`contrast ${ratio.toFixed(1)}: ${called(e)}`);
  }
  return [...faults, ...pale].map(f => f.replace(/\s+/g, " ")).join("\n");
}
