// What is said about a take in sentences.

import { composers } from "./data.js";
import { make } from "./elements.js";

/** The facts under a take, as elements: what the music is like, and how it was made. */
export function factWords(take, sound) {
  const { facts } = take;
  const { density, originality, style } = facts.words;
  const name = take.model?.title ?? take.settings.model;
  const made = [
    `${name}, version ${facts.revision}`,
    facts.speed ? `made ${times(facts.speed)} faster than it plays` : "",
    sound ? `piano: ${sound}` : "piano: basic",
  ];
  const manner = facts.composer ? `played in the style of ${composers[facts.composer]}` : "";
  const lines = [[density, style], [originality], [manner, ...made], facts.remarks];
  return lines
    .map((parts) => parts.filter(Boolean).map(begun).join(" · "))
    .filter(Boolean)
    .map((words) => make("span", { class: "line" }, words));
}

const begun = (words) => words.charAt(0).toUpperCase() + words.slice(1);

function times(factor) {
  return factor < 10 ? `${factor.toFixed(1)} times` : `${Math.round(factor)} times`;
}
