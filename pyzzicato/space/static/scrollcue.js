// Shows that a row or table goes on: a fading edge, keys that move it, and a name for screen readers.

import { make } from "./elements.js";
import { setIcon } from "./icons.js";

/** Marks the sides on which an element goes on, as `data-more-left` and `data-more-right`. */
export function cueScrolling(element) {
  const look = () => {
    const { scrollLeft, scrollWidth, clientWidth } = element;
    element.toggleAttribute("data-more-left", scrollLeft > 2);
    element.toggleAttribute("data-more-right", scrollLeft + clientWidth < scrollWidth - 2);
  };
  element.addEventListener("scroll", look, { passive: true });
  new ResizeObserver(look).observe(element);
  new MutationObserver(look).observe(element, { childList: true });
  requestAnimationFrame(look);
}

/** Two keys that move a row of cards by most of its width, to the left and to the right. */
export function stepButtons(element, what) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  return [["left", -1, `Earlier ${what}`], ["right", 1, `More ${what}`]].map(([icon, way, label]) => {
    const button = make("button", {
      class: "icon step-strip", "aria-label": label,
      onclick: () => element.scrollBy({
        left: way * element.clientWidth * 0.8, behavior: calm.matches ? "auto" : "smooth",
      }),
    });
    setIcon(button, icon);
    return button;
  });
}

/** A table in a box of its own that can be scrolled, also by keys. */
export function scrollTable(label, heads, rows) {
  const box = make("div", { class: "scroll", role: "region", "aria-label": label, tabindex: 0 },
    make("table", {},
      make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
      make("tbody", {}, ...rows)));
  cueScrolling(box);
  return box;
}
