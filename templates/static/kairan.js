// What a browser adds to the pages: keys, marks for what is new, and a button that copies a link.
// Every page works without it. It asks the server for nothing, and what it remembers stays in the browser.
"use strict";
(() => {
  const all = selector => [...document.querySelectorAll(selector)];
  const one = selector => document.querySelector(selector);

  // What is remembered: the newest message seen of each thread, and of each list when the last visit ended.
  const visit = 30 * 60 * 1000; // milliseconds without a page that end a visit
  const kept = 500; // threads and lists
  const read = name => { try { return JSON.parse(localStorage.getItem(name)) || {}; } catch { return {}; } };
  const write = (name, value) => { try { localStorage.setItem(name, JSON.stringify(value)); } catch { /* without memory nothing is new */ } };
  const seen = read("seen");
  const remember = (path, entry) => {
    seen[path] = { ...entry, at: Date.now() };
    const paths = Object.keys(seen).sort((a, b) => seen[b].at - seen[a].at);
    for (const path of paths.slice(kept)) delete seen[path];
    write("seen", seen);
  };

  const fresh = (link, path, since, n) => {
    link.href = `${path}?since=m${since}#new`;
    link.textContent = n > 0 ? link.dataset.some.replace("{n}", n) : link.dataset.any;
    link.hidden = false;
  };

  // A list of threads: which have messages that came after the last visit?
  const rows = all("[data-thread]");
  if (rows.length) {
    const here = seen[location.pathname] || { seq: 0, before: 0, at: 0 };
    const before = Date.now() - here.at > visit ? here.seq : here.before;
    for (const row of rows) {
      const thread = seen[row.dataset.thread];
      const since = Math.max(before, thread ? thread.seq : 0);
      const link = row.querySelector(".unread");
      if (link && since && row.dataset.seq > since) fresh(link, row.dataset.thread, since, thread && thread.seq >= before ? row.dataset.count - thread.count : 0);
    }
    remember(location.pathname, { seq: Math.max(here.seq, ...rows.map(row => +row.dataset.seq)), before });
  }

  // A thread: what came since it was last open?
  const thread = one(".thread[data-seq]");
  if (thread) {
    const { seq, count } = thread.dataset;
    const last = seen[location.pathname];
    const link = one(".ways .unread");
    if (link && last && seq > last.seq) fresh(link, location.pathname, last.seq, count - last.count);
    remember(location.pathname, { seq: +seq, count: +count });
  }

  for (const form of all('form[action="/-/logout"]')) form.addEventListener("submit", () => { try { localStorage.removeItem("seen"); } catch { /* nothing to forget */ } });

  if (navigator.clipboard) {
    for (const button of all("button.copy")) {
      button.hidden = false;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(button.dataset.text ?? new URL(button.value, location.href).href);
        button.textContent = button.dataset.done;
      });
    }
  }

  // Keys. They can be switched off (WCAG 2.2, 2.1.4), and are none while somebody writes.
  const help = one("#keys");
  if (!help) return;
  const settings = read("keys");
  const on = help.querySelector("input");
  on.checked = !settings.off;
  on.addEventListener("change", () => write("keys", { off: !on.checked }));
  const opener = one("#keys-open");
  opener.hidden = false;
  opener.addEventListener("click", () => help.showModal());

  const items = all(".post, .threads > li, .month > section, .hits > li, .lists > li");
  const target = item => item.querySelector(".permalink, .subject, h2 a, a") || item;
  const step = by => {
    const at = items.findIndex(item => item.contains(document.activeElement));
    let next = items[at + by];
    if (at < 0) { // from where the page stands
      const below = items.findIndex(item => item.getBoundingClientRect().bottom > 1);
      next = items[by > 0 ? below : below - 1];
    }
    if (!next) return;
    next.scrollIntoView({ block: next.matches(".post") ? "start" : "nearest" });
    target(next).focus({ preventScroll: true });
  };
  const go = selector => { const link = one(selector); if (link) location.assign(link.href); return link; };
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    n: () => go('.around a[rel="next"]') || step(1),
    p: () => go('.around a[rel="prev"]') || step(-1),
    u: () => { const up = all(".crumbs a").at(-1); if (up) location.assign(up.href); },
    "/": () => { const field = one('input[type="search"]'); if (field) field.focus(); },
    "?": () => help.showModal(),
  };
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || help.open) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (!keys[event.key] || !on.checked && event.key !== "?") return;
    event.preventDefault();
    keys[event.key]();
  });
})();
