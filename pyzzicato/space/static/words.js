// What is said about a take in sentences.

import { composers } from "./data.js";
import { make } from "./elements.js";

/** The facts under a take, as elements: what the music is like, and behind Details how it was made. */
export function factWords(take, sound) {
  const { facts } = take;
  const { density, originality, style } = facts.words;
  const manner = facts.composer ? `played in the style of ${composers[facts.composer]}` : "";
  const lines = [[density, style], [originality], [manner], facts.remarks ?? []];
  return [
    ...lines
      .map((parts) => parts.filter(Boolean).map(begun).join(" · "))
      .filter(Boolean)
      .map((words) => make("span", { class: "line" }, words)),
    make("details", { class: "made-by" }, make("summary", {}, "Details"),
      make("span", { class: "line" }, madeWords(take, sound).map(begun).join(" · "))),
  ];
}

function madeWords({ model, settings, facts }, sound) {
  return [
    model ? `model: ${model.title}, called ${model.name} in the API` : settings.model,
    facts.revision ? `version ${facts.revision}` : "",
    `random number ${settings.rng}`,
    facts.speed ? `made ${times(facts.speed)} faster than it plays` : "",
    `piano: ${sound || "basic"}`,
  ].filter(Boolean);
}

const begun = (words) => words.charAt(0).toUpperCase() + words.slice(1);

function times(factor) {
  return factor < 10 ? `${factor.toFixed(1)} times` : `${Math.round(factor)} times`;
}
