// Opens gradio's description of the API, which gradio offers on wide screens only, and gives its parts
// the names and roles that a screen reader and the keyboard need.

import { byId } from "./elements.js";

const LOOK_MS = 200;
const PATIENCE_MS = 15_000;

export function setUpApiDrawer() {
  const button = byId("api");
  const open = (until) => {
    const own = document.querySelector("footer .show-api");
    if (own) {
      // Its text is fetched when a mouse comes near.
      own.dispatchEvent(new MouseEvent("mouseenter"));
      own.click();
    }
    const isDone = own || performance.now() > until;
    button.toggleAttribute("aria-busy", !isDone);
    if (!isDone) setTimeout(() => open(until), LOOK_MS);
  };
  button.addEventListener("click", () => open(performance.now() + PATIENCE_MS));
  mendWhatComes();
}

/** Closes the drawer that is open; returns whether there was one. */
export function closeDrawer() {
  const close = document.querySelector(".api-docs .banner-wrap h2 + button");
  close?.click();
  return Boolean(close);
}

/** Mends the drawer whenever gradio has drawn some of it. */
function mendWhatComes() {
  let isDue = false;
  const look = () => {
    isDue = false;
    const drawer = document.querySelector(".api-docs");
    if (drawer) mend(drawer);
    // The word stands beside its sign.
    for (const sign of document.querySelectorAll("footer button img[alt]")) sign.alt = "";
  };
  const soon = () => {
    if (!isDue) requestAnimationFrame(look);
    isDue = true;
  };
  const ours = byId("pyzzicato");
  new MutationObserver((changes) => {
    if (changes.some(({ target }) => !ours.contains(target))) soon();
  }).observe(document.body, { childList: true, subtree: true });
  soon();
}

function mend(drawer) {
  for (const button of drawer.querySelectorAll("button:not([aria-label])")) {
    if (button.textContent.trim()) continue;
    button.setAttribute("aria-label", button.closest(".banner-wrap") ? "Close"
      : button.matches(".copy-button") ? "Copy" : "More");
  }
  for (const box of drawer.querySelectorAll("input[type=checkbox]:not([aria-label])")) {
    const name = box.parentElement.querySelector(".tool-name, button, strong")?.textContent ?? "";
    box.setAttribute("aria-label", `Include ${name.trim().split(/\s/)[0] || "this"}`);
  }
  for (const list of drawer.querySelectorAll(".snippets:has(> li):not([role])")) list.setAttribute("role", "list");
  for (const text of drawer.querySelectorAll("pre:not([tabindex])")) text.tabIndex = 0;
}
