// The view "Compare": one seed, and how every model carries it on, under one another.

import { models, seeds } from "./data.js";
import { byId, fillSelect, make } from "./elements.js";
import { Lane } from "./lane.js";
import { pitchRange } from "./roll.js";
import { Seed } from "./seed.js";
import { Take } from "./take.js";

const SECONDS = 20;
const LEAST_REST_S = 2;
const CHOSEN = "";

export class CompareView {
  constructor(stage, continueView) {
    this.stage = stage;
    this.continueView = continueView;
    this.takes = [];
    this.rows = [];
    this.select = make("select", { id: "compare-seed" });
    this.go = make("button", { class: "main", id: "compare-go", onclick: () => this.goOrStop() }, "Compare");
    this.words = make("p", { class: "words", role: "status", id: "compare-words" });
    this.lanes = make("div", { id: "lanes" });
    byId("view-compare").replaceChildren(
      make("p", { class: "lead" }, "One seed, and every model carries it on."),
      make("div", { class: "compare-settings" },
        make("label", { class: "field" }, "Seed", this.select), this.go),
      this.words,
      this.lanes,
    );
    this.select.addEventListener("change", () => this.showSeed());
  }

  appear() {
    const { seed } = this.continueView;
    const own = seed.kind === "preset" ? [] : [[CHOSEN, `${seed.title}, the seed you chose`]];
    const before = this.select.value;
    const presets = seeds.map((one) => [one.name, `${one.composer}: ${one.title}`]);
    const begin = seed.kind === "preset" ? seed.name : CHOSEN;
    fillSelect(this.select, [...own, ...presets], this.takes.length ? before : begin);
    if (!this.takes.length) this.showSeed();
  }

  showSeed() {
    this.stop();
    this.takes = [];
    this.seed = this.select.value === CHOSEN
      ? new Seed(this.continueView.seed) : Seed.preset(this.select.value);
    this.stage.player.pause();
    const head = new Lane(this.stage, `the seed: ${this.seed.fullTitle}`);
    head.setNotes(this.seed.part, this.seed.seconds, { whole: Math.max(this.seed.seconds, SECONDS) });
    for (const lane of this.rows) lane.dispose();
    this.rows = [head];
    this.lanes.replaceChildren(laneRow(head, "Seed", this.seed.fullTitle));
  }

  get making() { return this.takes.some((take) => take.running); }

  goOrStop() {
    if (this.making) this.stop();
    else this.compare();
  }

  stop() {
    for (const take of this.takes) if (take.running) take.stop();
  }

  async compare() {
    this.stage.piano.wake();
    this.showSeed();
    const { settings } = this.continueView;
    const rows = models.map((model) => {
      const take = new Take(this.seed, {
        model: model.name, seconds: SECONDS, rng: settings.rng, temperature: settings.temperature,
        threshold: model.representation === "roll" ? settings.threshold : null,
      });
      const lane = new Lane(this.stage, model.title);
      const hint = make("span", { class: "hint" });
      this.rows.push(lane);
      this.lanes.append(laneRow(lane, model.title, hint, model.name));
      for (const event of ["grow", "end"]) take.addEventListener(event, () => this.showTake(take, lane));
      take.addEventListener("state", () => { hint.textContent = take.words; });
      take.addEventListener("end", () => {
        if (take.facts) hint.textContent = `${take.facts.words.density}, ${take.facts.words.style}`;
      });
      return take;
    });
    this.addRest();
    this.takes = rows;
    this.go.textContent = "Stop";
    this.go.classList.add("stop");
    await Promise.all(rows.map((take) => take.make()));
    this.go.textContent = "Compare";
    this.go.classList.remove("stop");
    const failed = rows.find((take) => take.error);
    this.words.textContent = failed ? failed.error.message : "";
  }

  /** How the piece really goes on, where the seed has more of it. */
  addRest() {
    const rest = this.seed.rest(SECONDS);
    const seconds = Math.min(SECONDS, this.seed.pieceEnd - this.seed.start - this.seed.length);
    if (seconds < LEAST_REST_S || !rest.length) return;
    const lane = new Lane(this.stage, "the piece as it was written");
    lane.setNotes(rest, seconds, { whole: SECONDS });
    this.rows.push(lane);
    this.lanes.append(laneRow(lane, this.seed.composer || "The piece itself",
      `as it was written, ${Math.round(seconds)} seconds of it`, "composer"));
  }

  showTake(take, lane) {
    const notes = take.newNotes
      .map((note) => ({ ...note, start: note.start - take.seedSeconds, end: note.end - take.seedSeconds }))
      .sort((a, b) => a.start - b.start || a.pitch - b.pitch);
    lane.setNotes(notes, Math.max(take.seconds, 0.1), { complete: !take.running, whole: SECONDS });
    this.alignPitches();
  }

  /** One scale of pitches for all, so that rolls can be compared. */
  alignPitches() {
    const range = pitchRange(this.rows.flatMap((lane) => lane.notes));
    for (const lane of this.rows) {
      lane.roll.range = range;
      lane.roll.draw();
    }
  }
}

function laneRow(lane, title, hint, system = "seed") {
  const words = typeof hint === "string" ? make("span", { class: "hint" }, hint) : hint;
  return make("div", { class: "lane", "data-system": system },
    make("div", { class: "lane-head" }, make("strong", {}, title), words),
    lane.button, lane.holder);
}
