// The bench under the roll: what can be done from a moment, with a span, and with single notes.

import { startCall } from "./client.js";
import { takes } from "./data.js";
import { Editor } from "./editor.js";
import { byId, fillSelect, make } from "./elements.js";
import { Odds } from "./odds.js";
import { clock, fineClock } from "./pitch.js";
import { Take, plain } from "./take.js";

const REDO_S = [2, 20];
const KEEP_S = [2, 120];
const PARTS = [
  ["top", "the top voice"], ["bottom", "the lowest voice"], ["right", "the right hand"],
  ["left", "the left hand"], ["notes", "the selected notes"],
];
const TRACK = "track:";

export class Bench {
  constructor(view) {
    this.view = view;
    this.roll = view.roll;
    this.editor = new Editor(view);
    this.moment = make("strong");
    this.span = make("strong");
    this.button = (id, words, act) => make("button", { class: "quiet", id, onclick: act }, words);
    this.playOn = this.button("play-on", "Play on from here", () => view.playFrom(this.at));
    this.closeHere = this.button("close-here", "Come to a close here", () => (
      view.playFrom(this.at, { ending: true })));
    this.odds = new Odds(this);
    this.ask = this.button("ask-odds", "What comes next?", () => this.odds.toggle());
    this.loop = this.button("loop", "Loop", () => this.toggleLoop());
    this.redo = this.button("redo", "Redo this", () => this.make("redo"));
    this.part = make("select", { id: "keep-part", "aria-label": "What stays as it is" });
    this.part.addEventListener("change", () => this.show());
    this.keep = this.button("keep", "Play the rest anew", () => this.make("keep"));
    this.unselect = this.button("unselect", "Clear", () => this.select(null));
    this.from = this.spanInput("span-from", "Span from, seconds");
    this.to = this.spanInput("span-to", "Span to, seconds");
    this.selects = this.button("select-span", "Select a span", () => this.toggleSelecting());
    this.spanRow = make("div", { class: "row bench-row", id: "span-row", hidden: true },
      this.span, this.loop, this.redo, this.unselect,
      make("span", { class: "together" }, make("span", { class: "hint" }, "keep"), this.part, this.keep),
      make("span", { class: "together hint" }, "from", this.from, "to", this.to, "s"));
    byId("bench").replaceChildren(
      make("div", { class: "row bench-row" }, this.moment, this.playOn, this.closeHere, this.ask,
        make("span", { class: "grow" }), this.selects, ...this.editor.buttons),
      this.spanRow, this.editor.row, this.odds.panel);
    this.roll.addEventListener("region", () => this.onRegion());
    for (const name of ["moment", "take", "seed"]) view.addEventListener(name, () => this.show());
    view.player.addEventListener("change", () => this.show());
    view.shelf.addEventListener("change", () => this.show());
    this.show();
  }

  spanInput(id, label) {
    const input = make("input", { type: "number", id, min: 0, step: 0.1, "aria-label": label });
    input.addEventListener("change", () => this.changeSpan(input));
    return input;
  }

  /** Takes a typed end of the span; where it passes the other end, the whole span moves. */
  changeSpan(input) {
    const { region } = this.roll;
    const length = region ? region.end - region.start : 4;
    let [from, to] = [Number(this.from.value), Number(this.to.value)];
    if (from >= to && input === this.from) to = from + length;
    else if (from >= to) from = Math.max(0, to - length);
    this.roll.setRegion(from, to);
    this.onRegion();
  }

  /** The moment at the playhead, tenths of a second. */
  get at() { return Math.round(this.view.player.time * 10) / 10; }

  get piece() { return this.view.take ? this.view.take.notes : this.view.seed.part; }

  get pieceEnd() { return this.view.take ? this.view.take.end : this.view.seed.seconds; }

  // --- What is shown ------------------------------------------------------------------------------

  show() {
    const { roll } = this;
    this.showParts();
    this.showMoment();
    this.selects.setAttribute("aria-pressed", String(roll.selecting));
    const { region } = roll;
    this.spanRow.hidden = !region;
    if (region) this.showRegion(region);
    this.editor.show(this.view.busy);
  }

  /** Shows the moment at the playhead, and what can be done from it. */
  showMoment() {
    const { at } = this;
    const hasNotes = this.piece.length > 0;
    const inside = hasNotes && at >= 1 && at <= this.pieceEnd;
    this.shownAt = at;
    this.moment.textContent = `At ${fineClock(at)}`;
    this.can(this.playOn, "continue_stream", "from_seconds", inside);
    this.can(this.closeHere, "continue_stream", "ending", inside);
    this.can(this.ask, "odds", null, hasNotes && at >= 0.5);
  }

  /** Goes along with the playhead. */
  follow() {
    if (this.at !== this.shownAt) this.showMoment();
  }

  can(button, endpoint, parameter, allowed) {
    button.hidden = !takes(endpoint, parameter);
    button.disabled = this.view.busy || !allowed;
  }

  /** What can stay as it is: of a file with more than one track each of them, too. */
  get parts() {
    const { tracks } = this.view.seed;
    const ofFile = tracks.length < 2 ? [] : tracks.map((name, i) => [
      `${TRACK}${i + 1}`, name ? `track ${i + 1}, ${name}` : `track ${i + 1}`]);
    return [...PARTS.slice(0, -1), ...ofFile, PARTS.at(-1)];
  }

  showParts() {
    const { key } = this.view.seed;
    if (this.partsOf === key) return;
    this.partsOf = key;
    fillSelect(this.part, this.parts, PARTS[0][0]);
  }

  /** The piece's notes that were played by the track that is chosen. */
  get ofTrack() {
    const number = Number(this.part.value.slice(TRACK.length));
    const its = new Set(this.view.seed.part.filter((note) => note.track === number).map(nameOf));
    return this.piece.filter((note) => its.has(nameOf(note)));
  }

  showRegion({ start, end }) {
    const length = end - start;
    const within = ([least, most]) => length >= least - 1e-6 && length <= most + 1e-6;
    this.span.textContent = `${fineClock(start)} to ${fineClock(end)}`;
    this.from.value = start.toFixed(1);
    this.to.value = end.toFixed(1);
    this.loop.setAttribute("aria-pressed", String(Boolean(this.view.player.loop)));
    const isAble = this.view.form.model.steps_are_notes;
    this.can(this.redo, "redo", null, isAble && within(REDO_S));
    this.can(this.keep, "keep", null, isAble && within(KEEP_S)
      && (this.part.value !== "notes" || this.roll.chosen?.size));
    this.part.parentElement.hidden = this.keep.hidden;
    const why = isAble ? "" : "An expressive model can do this";
    this.redo.title = why || (within(REDO_S) ? "" : `A span of ${REDO_S.join(" to ")} seconds can be redone`);
    this.keep.title = why || (within(KEEP_S) ? "" : `A span of ${KEEP_S.join(" to ")} seconds can be played anew`);
  }

  /** Shows what the model expects, at the playhead or a little after the beginning. */
  showOdds() {
    const { player } = this.view;
    if (this.at < 0.5) player.seek(Math.min(4, this.pieceEnd / 2));
    if (!this.odds.isOpen) this.odds.toggle();
    this.show();
    this.odds.panel.scrollIntoView({ block: "center" });
  }

  // --- Spans --------------------------------------------------------------------------------------

  onRegion() {
    const { player } = this.view;
    if (player.loop) player.loop = this.roll.region;
    this.show();
  }

  select(region) {
    if (region) this.roll.setRegion(region.start, region.end);
    else this.roll.clearRegion();
    this.onRegion();
  }

  /** On a phone a drag moves the roll, and selects only when that is asked for. */
  toggleSelecting() {
    const { roll } = this;
    roll.selecting = !roll.selecting;
    if (roll.selecting && !roll.region) {
      const start = Math.max(0, Math.min(this.at, this.pieceEnd - REDO_S[0]));
      roll.setRegion(start, Math.min(start + 4, this.pieceEnd));
    }
    this.onRegion();
  }

  toggleLoop() {
    const { view, roll } = this;
    const { player } = view;
    view.stage.own(view);
    if (player.loop) player.loop = null;
    else {
      player.loop = { ...roll.region };
      player.play(roll.region.start);
    }
    this.show();
  }

  /** Has the span redone, or what is not kept in it, and puts what comes on the shelf as takes. */
  async make(what) {
    const { view, roll } = this;
    const { take, seed } = view;
    const { start, end } = roll.region;
    const { model, temperature, density, rng } = view.form.settings;
    const told = {
      notes: this.piece.map(plain), model, temperature, density, start, end: Math.min(end, this.lastMoment),
      rng: rng + (take ? view.takeList.length : 0), ...view.style,
    };
    if (what === "keep") {
      const isTrack = this.part.value.startsWith(TRACK);
      told.keep = isTrack ? "notes" : this.part.value;
      if (told.keep === "notes") told.kept = (isTrack ? this.ofTrack : [...roll.chosen]).map(plain);
    }
    const how = what === "redo"
      ? `${clock(start)} to ${clock(end)} redone`
      : `${this.parts.find(([name]) => name === this.part.value)[1]} kept`;
    view.say(what === "redo" ? "Trying ways through this span" : "Playing around what stays");
    this.working = startCall(what, told, {});
    view.showButtons();
    try {
      const answer = await this.working.done;
      if (answer) this.takeAnswer(answer[0], { take, seed, how, start });
      else view.say("Stopped. Nothing was changed.");
    } catch (error) {
      view.say(error.message, true);
    }
    this.working = null;
    view.showButtons();
  }

  /** The last moment of which the server knows a note. */
  get lastMoment() { return this.piece.reduce((latest, note) => Math.max(latest, note.end), 0); }

  stop() { this.working?.cancel(); }

  takeAnswer(result, { take, seed, how, start }) {
    const { view } = this;
    const seedSeconds = take ? take.seedSeconds : seed.seconds;
    const settings = take ? take.settings : { ...view.form.settings, seconds: 1 };
    for (const told of result.takes) {
      const old = new Set((take?.newNotes ?? []).map(nameOf));
      const kept = told.seed_notes.map((note) => (old.has(nameOf(note)) ? { ...note, isNew: true } : note));
      const fresh = told.notes.map((note) => ({ ...note, isNew: true }));
      const seconds = Math.max(take?.seconds ?? 0, this.lastMoment - seedSeconds, 0);
      const next = Take.ofNotes(seed, settings, [...kept, ...fresh], {
        seconds, how, marks: take?.marks ?? [],
        facts: { revision: result.model.revision, composer: take?.facts?.composer ?? null },
      });
      next.edited = take?.editedSeed ?? null;
      view.addTake(next);
      next.measure();
      view.say([...result.remarks, ...told.remarks].join(" · "));
    }
    view.player.play(Math.max(0, start - 1));
  }
}

const nameOf = (note) => `${note.pitch} ${note.start.toFixed(3)}`;
