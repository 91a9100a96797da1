// The view "Learn": the data, the models and their measures, how it works, licences.

import { call } from "./client.js";
import { systemTitle, version } from "./data.js";
import { byId, make, skeleton } from "./elements.js";
import { scrollTable } from "./scrollcue.js";
import { ownMusic } from "./ownmusic.js";

const COUNTS = [["pieces", "Performances"], ["works", "Works"], ["hours", "Hours"]];

export class LearnView {
  /** @param {function} onHear shows what the model expects at a moment, in the first view */
  constructor(onHear) { this.onHear = onHear; }

  async appear() {
    if (this.told) return;
    const view = byId("view-learn");
    view.replaceChildren(skeleton("Counting the pieces", 8));
    try {
      [this.told] = await call("learn");
    } catch (error) {
      view.replaceChildren(make("p", { class: "words wrong" }, error.message));
      return;
    }
    view.replaceChildren(
      ...howItWorks(this.onHear), ...ownMusic(), ...this.data(), ...this.models(), ...this.measures(), ...this.licences(),
    );
  }

  data() {
    this.bars = make("div", { class: "bars", id: "composers" });
    this.segments = make("div", { class: "segments", role: "group", "aria-label": "What is counted" },
      ...COUNTS.map(([name, title]) => make("button", {
        class: "chip", "data-count": name, onclick: () => this.showBars(name),
      }, title)));
    this.about = make("p", { class: "hint", role: "status", id: "composer-words" });
    this.showBars("pieces");
    return [
      make("h2", {}, "Who is in the data"),
      make("p", { class: "prose" }, "Most of the networks have heard MAESTRO, performances from a piano competition "
        + "recorded key by key, the paper rolls of the SUPRA archive, and Piano-midi.de. These are the composers "
        + "played most in what they learnt from. Choose a bar for more."),
      this.segments, this.bars, this.about,
    ];
  }

  showBars(count) {
    for (const chip of this.segments.children) {
      chip.setAttribute("aria-pressed", String(chip.dataset.count === count));
    }
    const rows = [...this.told.composers].sort((a, b) => b[count] - a[count]);
    const most = rows[0][count];
    this.bars.replaceChildren(...rows.map((row) => {
      const bar = make("span", { class: "bar" },
        make("i", { style: `width:${(88 * row[count]) / most}%` }), make("b", {}, String(row[count])));
      const tell = () => {
        for (const other of this.bars.querySelectorAll(".chosen")) other.classList.remove("chosen");
        bar.classList.add("chosen");
        this.about.textContent = `${row.name}: ${row.pieces} performances of ${row.works} works, `
          + `${row.hours} hours.`;
      };
      return make("button", { onclick: tell, onmouseenter: tell, onfocus: tell },
        barName(row.name), bar);
    }));
  }

  models() {
    const rows = this.told.models.map((model) => [
      `${systemTitle(model.name)} (${model.name})`, `${model.millions.toFixed(1)} million`, `${model.megabytes.toFixed(1)} MB`,
      known(model.pieces), known(model.hours && Math.round(model.hours)), known(model.minutes),
      model.loss === null ? "–" : Number(model.loss).toFixed(3),
    ]);
    return [
      make("h2", {}, "The models"),
      table("The models", ["Model", "Weights", "Size", "Pieces heard", "Hours", "Minutes of training", "Loss"], rows),
      make("p", { class: "hint" }, "Loss: how surprised a model is by music it has not heard; "
        + "lower is better, among models that read music in the same way."),
    ];
  }

  measures() {
    const told = this.told.measures;
    if (!told) return [];
    const columns = told.columns.map((name, i) => (i === 0 ? "Real music" : systemTitle(name)));
    return [
      make("h2", {}, "How good is it?"),
      make("p", { class: "prose" }, `${told.description} Medians: the nearer to real music, the better.`),
      table("Measures of the models", ["Measure", ...columns], told.rows),
    ];
  }

  licences() {
    const free = this.told.models.filter((model) => model.free);
    const words = free.map((model) => make("p", {}, `Not so "${systemTitle(model.name)}": it has learnt from scores `
      + `and performances under free licences alone, and may be used commercially under their terms (${model.licence}).`));
    return [
      make("h2", {}, "Licences"),
      make("div", { class: "prose" },
        make("p", {}, "The openings on the cards are in the public domain. The program is under Apache 2.0."),
        make("p", {}, "The networks have learnt from ",
          link("https://magenta.tensorflow.org/datasets/maestro", "MAESTRO"), " and SUPRA",
          ", which may not be used commercially (CC BY-NC-SA 4.0), and neither may they; and from Piano-midi.de "
          + "(CC BY-SA 3.0 DE)."),
        ...words,
        make("p", {}, "Blind votes are kept without anything about you."),
        make("p", { class: "hint" }, `Pyzzicato ${version}`)),
    ];
  }
}

const link = (url, words) => make("a", { href: url, target: "_blank", rel: "noopener" }, words);

/** A composer's name; where there is little room, the family name alone. */
function barName(name) {
  const cut = name.lastIndexOf(" ") + 1;
  return make("span", { class: "bar-name" },
    make("span", { class: "given" }, name.slice(0, cut)), name.slice(cut));
}

function howItWorks(onHear) {
  const steps = ["Ten seconds of notes", "A small network", "The next moment", "and again"];
  return [
    make("p", { class: "lead" }, "How a small network carries on a piece of piano music."),
    make("ol", { class: "flow" }, ...steps.flatMap((step, i) => [
      ...(i ? [make("li", { class: "arrow", "aria-hidden": "true" }, "→")] : []), make("li", {}, step),
    ])),
    make("div", { class: "prose" },
      make("p", {}, "The network has never been told what a key or a chord is. It has listened to "
        + "performances on the piano and learnt one thing: given what has just been played, which "
        + "notes are likely to come next. To carry a piece on, it reads the seed, draws the next "
        + "moment from what it thinks likely, takes that as played, and goes on from there."),
      make("p", {}, "Because it draws, each take is different. The random number tells takes apart: "
        + "the same seed, settings and number always give the same notes. A lower temperature "
        + "makes it keep to what is likely, a higher one makes it more daring. The article that "
        + "began this project let every key sound that passed a threshold instead; you find that "
        + "under \"More settings\"."),
      make("p", {}, "You can see and hear what it thinks: at any moment of a piece, how likely each key "
        + "is to be struck next, and how the temperature changes that. ",
      make("button", { class: "quiet", id: "hear-odds", onclick: onHear }, "Hear what it thinks")),
      make("p", {}, "The article: Petit, Vassor, Bairam and Raymond (2021), ",
        make("a", { href: ARTICLE, rel: "noreferrer" },
          "\"Piano instrumental music generation using deep neural networks\""),
        ", Towards Data Science.")),
  ];
}

const ARTICLE = "https://towardsdatascience.com/"
  + "pyzzicato-piano-instrumental-music-generation-using-deep-neural-networks-ed9e89320bf6/";

const known = (value) => (value === null || value === undefined || value === 0 ? "–" : String(value));

function table(label, heads, rows) {
  return scrollTable(label, heads, rows.map((row) => (
    make("tr", {}, ...row.map((cell) => make("td", {}, cell))))));
}
