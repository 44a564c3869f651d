// Passkeys: shows what is about them where the browser knows them, and brings what the browser says into a form.
// Without it one signs in by a mailed link.
"use strict";
(() => {
  const known = window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON;
  for (const part of document.querySelectorAll("[data-passkeys]")) part.hidden = !known === (part.dataset.passkeys === "known");

  const form = document.querySelector("form[data-options]");
  if (!form || !known) return;
  const options = JSON.parse(form.dataset.options);
  const button = form.querySelector("button");
  const failed = form.querySelector('[role="alert"]');
  const ask = async () => {
    button.disabled = true;
    failed.hidden = true;
    try {
      const made = form.dataset.adds
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
      form.elements.response.value = JSON.stringify(made.toJSON());
      form.submit();
    } catch { // refused, aborted or too late: which of them is not told
      failed.hidden = false;
      button.disabled = false;
    }
  };
  form.addEventListener("submit", event => { event.preventDefault(); ask(); });
  ask();
})();
