"use strict";
// Everything works without this file. It makes the desk quicker: keys, one press of a button, and the place kept.

const rel = (name) => document.querySelector(`a[rel="${name}"]`);
const typing = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || typing(event.target)) return;
  const forward = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
  const back = forward === "ArrowRight" ? "ArrowLeft" : "ArrowRight";
  const link = { [forward]: rel("next"), [back]: rel("prev"), Escape: document.querySelector("a[data-up]") }[event.key];
  if (link) { event.preventDefault(); link.click(); }
});

// A double click is one click.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 4000);
});

// Coming back with the browser's own button must not find a form that is still "sent".
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

// Keep the place, so that the same person goes on from here on any device.
const place = document.querySelector("[data-place]");
if (place) {
  const body = new URLSearchParams({ reference: place.dataset.reference, csrf: place.dataset.csrf });
  fetch(place.dataset.place, { method: "POST", body, keepalive: true }).catch(() => {});
}

// A live preview: some words in, the true message as a picture or as text out, without leaving the page.
const editor = document.querySelector("[data-preview]");
if (editor) {
  const shown = document.querySelector("#preview");
  const problem = document.querySelector("#problem");
  let waiting, running;
  const draw = async () => {
    running?.abort();
    running = new AbortController();
    try {
      const answer = await fetch(editor.dataset.preview, {
        method: "POST", body: new URLSearchParams(new FormData(editor)), headers: { Accept: "application/json" }, signal: running.signal,
      });
      const said = await answer.json();
      problem.textContent = said.problem ?? "";
      problem.hidden = !said.problem;
      if (!said.problem) shown.className = said.picture ? "" : "said whole";
      if (said.picture) shown.replaceChildren(Object.assign(new Image(), { src: said.picture, className: "page", alt: "The letter as it would be sent" }));
      else if (said.words !== undefined) shown.textContent = said.words;
    } catch (error) { if (error.name !== "AbortError") { problem.hidden = false; problem.textContent = "The preview cannot be drawn just now."; } }
  };
  editor.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(draw, 400); });
}

// What runs for long says how far it is; when it is through, its page follows.
const running = document.querySelector("[data-refresh]");
if (running) {
  const ask = async () => {
    try {
      const answer = await fetch(location.href);
      const now = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-refresh]");
      if (!now) { location.reload(); return; }
      if (now.textContent !== running.textContent) running.textContent = now.textContent;
    } catch { /* the line is down, or the desk starts anew: the next time may be better */ }
    setTimeout(ask, 2000);
  };
  setTimeout(ask, 1000);
}

// A file that is too large is told of before it is sent.
document.addEventListener("change", ({ target }) => {
  const most = Number(target.dataset.most);
  if (!most || !target.files) return;
  const size = [...target.files].reduce((sum, file) => sum + file.size, 0);
  const words = `Together they have more than ${Math.floor(most / 1048576)} MB. Choose fewer, or ask whoever runs this program: outreach import takes any size.`;
  target.setCustomValidity(size > most ? words : "");
  target.reportValidity();
});
