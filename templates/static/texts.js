// The words of a mail: shows what they look like while they are written. The button "Preview" does the same without a script.
"use strict";
(() => {
  const pause = 500; // milliseconds after the last key
  const form = document.querySelector("form[data-preview]");
  if (!form) return;
  let timer, asked;
  const show = async () => {
    if (asked) asked.abort();
    asked = new AbortController();
    try {
      const answer = await fetch(form.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(form)), signal: asked.signal });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const old of document.querySelectorAll("[data-fresh]")) {
        const fresh = page.getElementById(old.id);
        if (fresh && fresh.innerHTML !== old.innerHTML) old.replaceChildren(...fresh.childNodes);
      }
      for (const field of form.querySelectorAll("[aria-describedby]")) {
        field.toggleAttribute("aria-invalid", document.getElementById(field.getAttribute("aria-describedby")).textContent !== "");
      }
    } catch { /* the next key tries again */ }
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, pause);
  });
})();
