// Opens gradio's description of the API, which gradio offers on wide screens only.

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
}
