// The view "Compare": one seed, and how every model carries it on, under one another.

import { limits, models, seeds } from "./data.js";
import { byId, fillSelect, make } from "./elements.js";
import { Lane } from "./lane.js";
import { pitchRange } from "./rollpaint.js";
import { saveTake } from "./save.js";
import { Seed } from "./seed.js";
import { Take } from "./take.js";

const SECONDS = 30;
const LEAST_REST_S = 1;
const CHOSEN = "";
// More at once would but wait at the server, before other visitors.
const AT_ONCE = 2;

export class CompareView {
  constructor(stage, continueView) {
    this.stage = stage;
    this.continueView = continueView;
    this.takes = [];
    this.rows = [];
    this.pending = [];
    this.select = make("select", { id: "compare-seed" });
    this.length = make("input", {
      type: "number", id: "compare-length", min: limits.seed_seconds[0], max: limits.seed_seconds[1], step: 1,
    });
    this.go = make("button", { class: "main", id: "compare-go", onclick: () => this.goOrStop() }, "Compare");
    this.words = make("p", { class: "words", role: "status", id: "compare-words" });
    this.lanes = make("div", { id: "lanes" });
    byId("view-compare").replaceChildren(
      make("p", { class: "lead" }, "One seed, and every model carries it on."),
      make("div", { class: "compare-settings" },
        make("label", { class: "field" }, "Seed", this.select),
        make("label", { class: "field short" }, "Seed length, seconds", this.length), this.go),
      this.words,
      this.lanes,
    );
    this.select.addEventListener("change", () => this.chooseSeed());
    this.length.addEventListener("change", () => this.changeLength());
  }

  /** Follows the seed that is chosen in the view "Continue"; what was compared stays while it does. */
  appear() {
    const { seed } = this.continueView;
    const isPreset = seed.kind === "preset" && seed.key === seed.name;
    const own = isPreset ? [] : [[CHOSEN, `${seed.fullTitle}, the seed you chose`]];
    const presets = seeds.map((one) => [one.name, `${one.composer}: ${one.title}`]);
    const isNew = this.followed !== seed.key;
    const before = this.select.value;
    fillSelect(this.select, [...own, ...presets], isNew ? (isPreset ? seed.name : CHOSEN) : before);
    if (isNew) this.chooseSeed();
    this.followed = seed.key;
  }

  chooseSeed() {
    this.seed = this.select.value === CHOSEN
      ? new Seed(this.continueView.seed.record) : Seed.preset(this.select.value);
    this.length.value = this.seed.length;
    this.showSeed();
  }

  /** A shorter seed leaves more of the piece to compare with. */
  changeLength() {
    const [least, most] = limits.seed_seconds;
    this.seed.length = Math.min(Math.max(least, Number(this.length.value) || this.seed.length), most);
    this.length.value = this.seed.length;
    this.showSeed();
  }

  showSeed() {
    this.stop();
    this.takes = [];
    this.words.textContent = "";
    this.showGo(false);
    this.stage.player.pause();
    // One axis of time for all.
    this.axis = Math.max(this.seed.seconds, SECONDS);
    const head = new Lane(this.stage, `the seed: ${this.seed.fullTitle}`);
    head.setNotes(this.seed.part, this.seed.seconds, { whole: this.axis });
    for (const lane of this.rows) lane.dispose();
    this.rows = [head];
    this.lanes.replaceChildren(laneRow(head, "Seed", this.seed.fullTitle));
    this.addRest();
    this.alignPitches();
  }

  get making() { return this.takes.some((take) => take.running); }

  goOrStop() {
    if (this.making) this.stop();
    else this.compare();
  }

  stop() {
    // Those that have not begun never will.
    for (const take of this.pending.splice(0)) take.say("Stopped before the first note.");
    for (const take of this.takes) if (take.running) take.stop();
  }

  async compare() {
    this.stage.piano.wake();
    this.showSeed();
    const { settings } = this.continueView.form;
    const rows = models.map((model) => {
      const take = new Take(this.seed, {
        model: model.name, seconds: SECONDS, rng: settings.rng, temperature: settings.temperature,
        threshold: model.steps_are_notes ? null : settings.threshold,
        density: settings.density,
      });
      const lane = new Lane(this.stage, model.title);
      const hint = make("span", { class: "hint" }, "Waits for its turn");
      const acts = this.acts(() => take, model.name);
      this.rows.push(lane);
      this.lanes.append(laneRow(lane, `${model.title} (${model.name})`, hint, model.name, acts));
      for (const event of ["grow", "end"]) take.addEventListener(event, () => this.showTake(take, lane));
      take.addEventListener("state", () => { hint.textContent = take.words; });
      take.addEventListener("end", () => {
        acts.hidden = !take.newNotes.length;
        if (take.facts) hint.textContent = `${take.facts.words.density}, ${take.facts.words.style}`;
      });
      return take;
    });
    this.takes = rows;
    this.pending = [...rows];
    this.showGo(true);
    const inTurn = async () => {
      while (this.pending.length) await this.pending.shift().make();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, inTurn));
    if (this.takes !== rows) return;
    this.showGo(false);
    const failed = rows.find((take) => take.error);
    this.words.textContent = failed ? failed.error.message : "";
  }

  /** What can be done with a lane: carried on from in the first view, or saved. */
  acts(takeOf, system) {
    return make("span", { class: "together lane-acts", hidden: true },
      make("button", { class: "quiet", "data-act": "on", onclick: () => this.carryOn(takeOf()) }, "Go on with this one"),
      make("button", { class: "quiet", "data-act": "save", onclick: () => this.save(takeOf(), system) }, "Save MIDI"));
  }

  /** Puts a copy of a take beside those of its seed, and shows it there. */
  carryOn(take) {
    this.stop();
    this.stage.player.pause();
    const { id, number, ...told } = take.record;
    this.continueView.addTake(Take.fromRecord(take.seed, told));
    byId("tab-continue").click();
  }

  async save(take, system) {
    try {
      this.words.textContent = await saveTake(take, "midi", system);
    } catch (error) {
      this.words.textContent = error.message;
    }
  }

  showGo(stops) {
    this.go.textContent = stops ? "Stop" : "Compare";
    this.go.classList.toggle("stop", stops);
  }

  /** How the piece really goes on, where the seed has more of it. */
  addRest() {
    const rest = this.seed.rest(SECONDS);
    const seconds = Math.min(SECONDS, this.seed.pieceEnd - this.seed.start - this.seed.length);
    if (seconds < LEAST_REST_S || !rest.length) return;
    const lane = new Lane(this.stage, "how the piece goes on");
    lane.setNotes(rest, seconds, { whole: this.axis });
    this.rows.push(lane);
    const known = Math.floor(seconds);
    const acts = this.acts(() => this.written(rest, seconds), "composer");
    acts.hidden = false;
    this.lanes.append(laneRow(lane, this.seed.composer || "The piece itself",
      `how the piece goes on, ${known} ${known === 1 ? "second" : "seconds"} of it`, "composer", acts));
  }

  /** The piece as it was written, as a take of its beginning. */
  written(rest, seconds) {
    const { seed } = this;
    const after = rest.map((note) => ({
      ...note, start: note.start + seed.seconds, end: note.end + seed.seconds, isNew: true,
    }));
    const settings = { ...this.continueView.form.settings, seconds: Math.round(seconds) };
    return Take.ofNotes(seed, settings, [...seed.part, ...after], { seconds, how: "as it was written" });
  }

  showTake(take, lane) {
    const notes = take.newNotes
      .map((note) => ({ ...note, start: note.start - take.seedSeconds, end: note.end - take.seedSeconds }))
      .sort((a, b) => a.start - b.start || a.pitch - b.pitch);
    lane.setNotes(notes, Math.max(take.seconds, 0.1), { complete: !take.running, whole: this.axis });
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

function laneRow(lane, title, hint, system = "seed", acts = "") {
  const words = typeof hint === "string" ? make("span", { class: "hint" }, hint) : hint;
  return make("div", { class: "lane", "data-system": system },
    make("div", { class: "lane-head" }, make("strong", {}, title), words, acts),
    lane.button, lane.holder);
}
