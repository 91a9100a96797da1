// The settings of a continuation: model, style, length, and what stands under "More settings".

import { composers, defaults, limits, modelOf, models, takes } from "./data.js";
import { byId, fillSelect } from "./elements.js";
import { setIcon } from "./icons.js";
import { clock } from "./pitch.js";

export const BIGGEST_RNG = 4294967295;
const QUANTISE_WORDS = ["off", "a quarter", "half", "three quarters", "all the way"];

/** Events: `change` when something is set. */
export class SettingsForm extends EventTarget {
  constructor() {
    super();
    fillSelect(byId("model"), models.map((m) => [m.name, `${m.title} (${m.name})`]), defaults.model);
    fillSelect(byId("composer"), [["", "the seed"], ...Object.entries(composers)], "");
    for (const id of ["seconds", "temperature", "threshold", "guidance", "density", "takes"]) {
      const input = byId(id);
      if (limits[id]) [input.min, input.max] = limits[id];
      if (defaults[id] !== undefined && defaults[id] !== null) input.value = defaults[id];
      input.addEventListener("input", () => this.show());
    }
    // Until it is moved the server chooses: all the way where the seed lies on a grid.
    byId("quantise").addEventListener("input", ({ target }) => {
      target.dataset.chosen = "yes";
      this.show();
    });
    byId("rng").value = defaults.rng;
    // What is out of range is seen to be moved into it.
    byId("rng").addEventListener("change", () => { byId("rng").value = this.settings.rng; });
    byId("model").addEventListener("change", () => this.show());
    byId("composer").addEventListener("change", () => this.show());
    for (const radio of document.getElementsByName("way")) {
      radio.addEventListener("change", () => this.show());
    }
    byId("ending-field").hidden = !takes("continue_stream", "ending");
    setIcon(byId("dice"), "dice");
    byId("dice").addEventListener("click", () => {
      byId("rng").value = Math.floor(Math.random() * 1_000_000);
    });
    this.show();
  }

  /** The model that is chosen. */
  get model() { return modelOf(byId("model").value); }

  /** How the next notes are chosen: "temperature" or "threshold". */
  get way() {
    if (byId("way-field").hidden) return "temperature";
    return document.querySelector('#pyzzicato [name="way"]:checked').value;
  }

  /** How far new notes are moved to the seed's grid, 0 to 1; null for the server's choice. */
  get quantise() {
    return byId("quantise").dataset.chosen ? Number(byId("quantise").value) : null;
  }

  /** Shows what is set, and of the settings only those that the model has. */
  show() {
    const number = (id) => Number(byId(id).value);
    const seconds = number("seconds");
    byId("seconds-words").textContent = seconds < 60 ? `${seconds} s` : `${clock(seconds)} min`;
    byId("seconds").setAttribute("aria-valuetext", `${seconds} seconds`);
    byId("temperature-words").textContent = number("temperature").toFixed(2);
    byId("threshold-words").textContent = number("threshold").toFixed(2);
    byId("guidance-words").textContent = number("guidance").toFixed(2);
    const density = number("density");
    byId("density-words").textContent = density === 1 ? "as usual" : `${density} times as many`;
    byId("quantise-words").textContent = this.quantise === null
      ? "if it has one" : QUANTISE_WORDS[Math.round(this.quantise * 4)];
    byId("takes-words").textContent = number("takes");
    const { model } = this;
    // A threshold is for keys of a roll; a model that plays note by note has none.
    byId("way-field").hidden = model.steps_are_notes;
    for (const field of document.querySelectorAll("#pyzzicato [data-way]")) {
      field.hidden = field.dataset.way !== this.way;
    }
    const knows = model.composers;
    byId("style-field").hidden = !knows.length;
    byId("guidance-field").hidden = !knows.length || !byId("composer").value;
    for (const option of byId("composer").options) {
      option.disabled = option.value !== "" && !knows.includes(option.value);
    }
    if (!knows.includes(byId("composer").value)) byId("composer").value = "";
    this.dispatchEvent(new Event("change"));
  }

  /** The settings as the server takes them. */
  get settings() {
    const number = (id) => Number(byId(id).value);
    const composer = byId("composer").value;
    return {
      model: byId("model").value,
      seconds: number("seconds"),
      temperature: this.way === "temperature" ? number("temperature") : 1,
      density: this.way === "temperature" ? number("density") : 1,
      threshold: this.way === "threshold" ? number("threshold") : null,
      rng: Math.min(Math.max(0, Math.floor(number("rng")) || 0), BIGGEST_RNG),
      quantise: this.quantise,
      ...(composer && { composer, guidance: number("guidance") }),
      ...(byId("ending").checked && { ending: true }),
    };
  }

  set settings(told) {
    const put = (id, value) => { if (value !== undefined && value !== null) byId(id).value = value; };
    put("model", modelOf(told.model)?.name);
    for (const id of ["seconds", "temperature", "threshold", "guidance", "density", "rng"]) put(id, told[id]);
    put("composer", told.composer ?? "");
    put("quantise", told.quantise);
    byId("quantise").dataset.chosen = (told.quantise ?? null) === null ? "" : "yes";
    byId("ending").checked = Boolean(told.ending);
    const way = told.threshold === null || told.threshold === undefined ? "temperature" : "threshold";
    document.querySelector(`#pyzzicato [name="way"][value="${way}"]`).checked = true;
    this.show();
  }
}
