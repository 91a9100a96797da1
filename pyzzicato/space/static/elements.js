// Short ways to make elements. Text is always set as text, so a file's name cannot become markup.

/** The element with an id. */
export const byId = (id) => document.getElementById(id);

/** A new element: `make("button", { class: "quiet" }, "Stop")`. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Fills a `select` with `[value, words]` pairs. */
export function fillSelect(select, options, chosen) {
  select.replaceChildren(...options.map(([value, words]) => make("option", { value }, words)));
  select.value = chosen;
}

/** Hands a file to the visitor. */
export function download(url, name) {
  const anchor = make("a", { href: url, download: name });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}

/** Grey bars in the place of what is on its way, and words for screen readers. */
export function skeleton(words, bars = 4) {
  return make("div", { class: "skeleton", role: "status" }, make("span", { class: "visually-hidden" }, words),
    ...Array.from({ length: bars }, (_, i) => make("i", { style: `width:${[92, 74, 84, 60][i % 4]}%` })));
}
