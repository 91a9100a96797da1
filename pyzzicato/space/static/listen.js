// The view "Listen blind": two takes without names, a judgement, and the leaderboard.

import { call } from "./client.js";
import { models, seeds, systemTitle } from "./data.js";
import { byId, make } from "./elements.js";
import { Lane } from "./lane.js";
import { pitchRange } from "./roll.js";
import { Seed } from "./seed.js";
import { Take } from "./take.js";

const COMPOSER = "composer";
const SEED_S = 10;
const SECONDS = 20;
// With the composer in the pair the seed is shorter, so that there is something left of the piece.
const SHORT_SEED_S = 6;
const LEAST_REST_S = 4;
const CRITERIA = [
  ["musicality", "Musicality"],
  ["fidelity", "Fidelity to the seed"],
  ["expressiveness", "Expressiveness"],
];
const SIDES = ["First", "Second"];

export class ListenView {
  constructor(stage) {
    this.stage = stage;
    this.takes = [];
    this.lanes = [];
    this.pair = make("div", { id: "pair" });
    this.board = make("div", { id: "leaderboard" });
    this.words = make("p", { class: "words", role: "status", id: "listen-words" });
    this.next = make("button", { class: "main", id: "listen-go", onclick: () => this.begin() }, "Play me two");
    byId("view-listen").replaceChildren(
      make("p", { class: "lead" }, "Two continuations of one opening, without names. Which would you rather hear on?"),
      make("div", { class: "row" }, this.next, this.words),
      this.pair,
      make("h2", {}, "Leaderboard"),
      this.board,
    );
  }

  async appear() {
    try {
      const [told] = await call("leaderboard");
      this.showBoard(told);
    } catch (error) {
      this.board.replaceChildren(make("p", { class: "hint" }, error.message));
    }
  }

  stop() {
    for (const take of this.takes) if (take.running) take.stop();
  }

  // --- A pair -----------------------------------------------------------------------------------

  drawPair() {
    const system = () => pick([...models.map((model) => model.name), COMPOSER]);
    const first = system();
    let second = system();
    while (second === first) second = system();
    this.systems = [first, second];
    this.seed = Seed.preset(pick(seeds).name);
    if (this.systems.includes(COMPOSER)) {
      const long = seeds.filter((seed) => seed.seconds >= SHORT_SEED_S + LEAST_REST_S);
      this.seed = Object.assign(Seed.preset(pick(long).name), { length: SHORT_SEED_S });
    }
    this.seconds = this.systems.includes(COMPOSER)
      ? Math.floor(this.seed.pieceEnd - this.seed.length) : SECONDS;
  }

  async begin() {
    this.stage.piano.wake();
    this.stage.player.pause();
    this.stop();
    this.drawPair();
    this.next.disabled = true;
    this.pair.replaceChildren();
    const rng = Math.floor(Math.random() * 1_000_000);
    this.takes = this.systems
      .filter((system) => system !== COMPOSER)
      .map((system) => new Take(this.seed, { model: system, seconds: this.seconds, rng, temperature: 1 }));
    for (const take of this.takes) {
      take.addEventListener("state", () => { this.words.textContent = this.progress(); });
    }
    await Promise.all(this.takes.map((take) => take.make()));
    this.next.disabled = false;
    const failed = this.takes.find((take) => take.error || take.stopped);
    if (failed) this.words.textContent = failed.error?.message ?? "Stopped.";
    else this.showPair();
  }

  progress() {
    const made = this.takes.reduce((sum, take) => sum + Math.min(take.seconds, this.seconds), 0);
    return `Playing: ${Math.round((100 * made) / (this.seconds * this.takes.length))} %`;
  }

  notesOf(system) {
    if (system === COMPOSER) {
      const moved = this.seed.rest(this.seconds).map((note) => ({
        ...note,
        start: note.start + this.seed.seconds,
        end: note.end + this.seed.seconds,
        isNew: true,
      }));
      return [...this.seed.part, ...moved];
    }
    return this.takes.find((take) => take.settings.model === system).notes;
  }

  showPair() {
    this.words.textContent = this.seed.fullTitle;
    const end = this.seed.seconds + this.seconds;
    for (const lane of this.lanes) lane.dispose();
    const range = pitchRange(this.systems.flatMap((system) => this.notesOf(system)));
    this.lanes = this.systems.map((system, i) => {
      const lane = new Lane(this.stage, `the ${SIDES[i].toLowerCase()} one`);
      lane.setNotes(this.notesOf(system), end, { seedSeconds: this.seed.seconds, range });
      return lane;
    });
    const sides = this.lanes.map((lane, i) => make("div", { class: "side", "data-side": i },
      make("div", { class: "row tight" }, lane.button, make("strong", { class: "side-name" }, SIDES[i])),
      lane.holder,
      make("div", { class: "marks" }, ...CRITERIA.flatMap(([name, title]) => marksRow(i, name, title)))));
    const verdicts = [...SIDES.map((side, i) => [String(i), `The ${side.toLowerCase()}`]), ["", "Neither"]];
    const verdict = make("fieldset", { class: "verdict" },
      make("legend", {}, "Which would you rather hear on?"),
      ...verdicts.map(([value, words]) => make("label", { class: "inline" },
        make("input", { type: "radio", name: "verdict", value }), words)));
    this.voteButton = make("button", { class: "main", id: "vote", disabled: true, onclick: () => this.vote() }, "Vote");
    verdict.addEventListener("change", () => { this.voteButton.disabled = false; });
    this.pair.replaceChildren(make("div", { class: "pair" }, ...sides), verdict, this.voteButton);
    this.next.textContent = "Another pair";
  }

  // --- The vote ---------------------------------------------------------------------------------

  async vote() {
    const chosen = this.pair.querySelector('[name="verdict"]:checked')?.value;
    if (chosen === undefined) return;
    this.voteButton.disabled = true;
    const marks = SIDES.map((_, i) => Object.fromEntries(CRITERIA
      .map(([name]) => [name, this.pair.querySelector(`[name="${name}-${i}"]:checked`)?.value])
      .filter(([, value]) => value)
      .map(([name, value]) => [name, Number(value)])));
    try {
      const [told] = await call("vote", {
        seed: this.seed.name,
        systems: this.systems,
        winner: chosen === "" ? null : Number(chosen),
        marks,
      });
      this.reveal();
      this.showBoard(told);
    } catch (error) {
      this.words.textContent = error.message;
      this.voteButton.disabled = false;
    }
  }

  reveal() {
    for (const [i, name] of [...this.pair.querySelectorAll(".side-name")].entries()) {
      name.textContent = `${SIDES[i]}: ${systemTitle(this.systems[i])}`;
    }
    for (const input of this.pair.querySelectorAll("input")) input.disabled = true;
    this.words.textContent = "Thank you. Your vote is counted.";
  }

  showBoard({ votes, leaderboard }) {
    if (!votes) {
      this.board.replaceChildren(make("p", { class: "hint" }, "Nobody has voted yet."));
      return;
    }
    const mean = (value) => (value === null || value === undefined ? "–" : value.toFixed(1));
    const rows = leaderboard.map((row) => make("tr", { "data-system": row.system },
      make("td", {}, systemTitle(row.system)),
      make("td", {}, `${percent(row.strength)} %`),
      make("td", {}, interval(row)),
      make("td", {}, `${percent(row.low)} to ${percent(row.high)} %`),
      make("td", { class: "votes" }, String(row.n_votes)),
      ...CRITERIA.map(([name]) => make("td", {}, mean(row.marks[name])))));
    const heads = ["", "Preferred", "", "95 % sure within", "Votes", ...CRITERIA.map(([, title]) => title)];
    this.board.replaceChildren(
      make("p", { class: "hint" }, `${votes} ${votes === 1 ? "vote" : "votes"}. "Preferred" is the chance `
        + "that a listener prefers it to an average one; a few votes say little, as the range shows."),
      make("div", { class: "scroll" }, make("table", {},
        make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
        make("tbody", {}, ...rows))),
    );
  }
}

const pick = (list) => list[Math.floor(Math.random() * list.length)];
const percent = (share) => Math.round(share * 100);

function interval({ low, high, strength }) {
  return make("span", { class: "interval", "aria-hidden": "true" },
    make("i", { style: `left:${low * 100}%;width:${(high - low) * 100}%` }),
    make("b", { style: `left:${strength * 100}%` }));
}

function marksRow(side, name, title) {
  const marks = [1, 2, 3, 4, 5].map((mark) => make("label", { class: "mark" },
    make("input", {
      type: "radio", name: `${name}-${side}`, value: mark, "aria-label": `${title}, ${SIDES[side]}: ${mark} of 5`,
    }), String(mark)));
  return [make("span", {}, title), make("div", { class: "five", role: "radiogroup", "aria-label": title }, ...marks)];
}
