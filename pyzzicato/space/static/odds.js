// What comes next, as the model thinks: the odds of the keys at a moment, to look at and to hear.

import { call } from "./client.js";
import { make } from "./elements.js";
import { fineClock, isBlack, pitchName } from "./pitch.js";

const LOWEST = 21;
const LATER_MS = 250;

export class Odds {
  constructor(bench) {
    this.bench = bench;
    this.panel = make("div", { class: "panel", id: "odds", hidden: true });
    this.words = make("p", { class: "words", role: "status", id: "odds-words" });
    this.keys = make("div", { class: "odds-keys", role: "img" });
    this.list = make("ol", { class: "odds-list" });
    this.out = make("output", { for: "odds-temperature" });
    this.slider = make("input", {
      type: "range", id: "odds-temperature", min: 0.5, max: 1.5, step: 0.05, value: 1,
      oninput: () => this.later(),
    });
    this.hear = make("button", { class: "quiet", id: "odds-hear", onclick: () => this.listen() }, "Hear it go on like that");
    this.panel.replaceChildren(
      this.words, this.keys, this.list,
      make("div", { class: "row" },
        make("label", { class: "field", for: "odds-temperature" }, "More daring (temperature) ", this.out, this.slider),
        this.hear),
    );
    const { view } = bench;
    for (const name of ["moment", "take", "seed"]) view.addEventListener(name, () => this.isOpen && this.later());
    // While it plays nothing is asked: the panel comes along where it stops.
    view.player.addEventListener("change", () => this.isOpen && this.later());
  }

  get isOpen() { return !this.panel.hidden; }

  toggle() {
    this.panel.hidden = !this.panel.hidden;
    this.bench.ask.setAttribute("aria-expanded", String(this.isOpen));
    if (!this.isOpen) return;
    this.slider.value = this.bench.view.form.settings.temperature;
    this.ask();
  }

  later() {
    this.out.textContent = Number(this.slider.value).toFixed(2);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), LATER_MS);
  }

  async ask() {
    const { bench } = this;
    const { view } = bench;
    if (view.making || view.player.playing) return;
    const at = Math.max(0.5, bench.at);
    this.out.textContent = Number(this.slider.value).toFixed(2);
    const { model } = view.form.settings;
    const asked = this.asked = Symbol(at);
    try {
      const [told] = await call("odds", {
        notes: bench.piece.map(({ pitch, start, end, velocity }) => ({ pitch, start, end, velocity })),
        model, at, temperature: Number(this.slider.value), ...view.style,
      });
      // Answers may come in another order than they were asked for.
      if (asked === this.asked) this.show(told);
    } catch (error) {
      if (asked === this.asked) this.words.textContent = error.message;
    }
  }

  show({ at, keys, likeliest, came }) {
    const most = Math.max(...keys, 1e-9);
    this.words.textContent = `After ${fineClock(at)} the model expects, of all keys:`;
    this.keys.setAttribute("aria-label", `Odds of the 88 keys; the likeliest are ${likeliest
      .map(({ pitch, chance }) => `${pitchName(pitch)} ${percent(chance)}`).join(", ")}`);
    this.keys.replaceChildren(...keys.map((chance, i) => make("i", {
      class: isBlack(LOWEST + i) ? "black" : "white", title: `${pitchName(LOWEST + i)}: ${percent(chance)}`,
    }, make("b", { style: `height:${((100 * chance) / most).toFixed(1)}%` }))));
    const rows = likeliest.map(({ pitch, chance }) => (
      make("li", {}, `${pitchName(pitch)} `, make("b", {}, percent(chance)))));
    if (came) {
      rows.push(make("li", { class: "came" }, `What came: ${pitchName(came.pitch)} `, make("b", {}, percent(came.chance))));
    }
    this.list.replaceChildren(...rows);
  }

  listen() {
    const { view } = this.bench;
    view.form.settings = { ...view.form.settings, temperature: Number(this.slider.value) };
    view.playFrom(Math.max(1, this.bench.at));
  }
}

const percent = (chance) => `${(100 * chance).toFixed(chance < 0.1 ? 1 : 0)} %`;
