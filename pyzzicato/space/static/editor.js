// Notes changed by hand on the roll: selected, moved, added, deleted; each change can be undone.

import { make } from "./elements.js";
import { pitchName } from "./pitch.js";
import { Take } from "./take.js";

const GRAB_S = 0.02;
const NEW_S = 0.4;
const NEW_VELOCITY = 72;
const NUDGE_S = 0.05;

export class Editor {
  constructor(view) {
    this.view = view;
    this.roll = view.roll;
    this.isOn = false;
    this.toggleButton = this.button("edit", "Edit notes", () => this.toggle());
    this.undoButton = this.button("undo-edit", "Undo", () => this.undo());
    this.buttons = [this.toggleButton, this.undoButton];
    this.words = make("span", { class: "hint", role: "status", id: "edit-words" });
    this.addButton = this.button("add-note", "Add a note", () => this.addAt(view.player.time, 60));
    this.deleteButton = this.button("delete-notes", "Delete", () => this.remove());
    this.row = make("div", { class: "row bench-row", id: "edit-row", hidden: true },
      this.addButton, this.deleteButton, this.words);
  }

  button(id, words, act) { return make("button", { class: "quiet", id, onclick: act }, words); }

  toggle() {
    this.isOn = !this.isOn;
    this.roll.editor = this.isOn ? this : null;
    if (!this.isOn) this.letGo();
    this.roll.holder.classList.toggle("editing", this.isOn);
    this.roll.draw();
    this.view.bench?.show();
  }

  show(busy = false) {
    const { take, seed } = this.view;
    this.toggleButton.disabled = busy || !(take ? take.notes : seed.part).length;
    this.toggleButton.setAttribute("aria-pressed", String(this.isOn));
    this.undoButton.hidden = !this.isOn && !take?.canUndo;
    this.undoButton.disabled = busy || !take?.canUndo;
    this.row.hidden = !this.isOn;
    const chosen = [...(this.roll.chosen ?? [])];
    this.deleteButton.disabled = busy || !chosen.length;
    this.addButton.disabled = busy;
    this.words.textContent = chosen.length === 1
      ? `${pitchName(chosen[0].pitch)}: drag it, or move it with the arrow keys; Delete takes it out.`
      : chosen.length ? `${chosen.length} notes: arrow keys move them, Delete takes them out.`
        : "Click a note to select it (with Shift more of them), drag it to move it; a double click adds one.";
  }

  // --- What hands do ------------------------------------------------------------------------------

  /** Takes a press at a place of the roll; returns whether it is one of the editor's. */
  press(seconds, pitch, event) {
    if (this.view.busy) return false;
    const note = this.roll.noteAt(seconds, pitch);
    const isDouble = this.lastPress && event.timeStamp - this.lastPress.time < 350
      && Math.abs(this.lastPress.seconds - seconds) < 6 / this.roll.pixels && this.lastPress.pitch === pitch;
    this.lastPress = { time: event.timeStamp, seconds, pitch };
    if (!note) {
      if (isDouble) {
        this.addAt(seconds, pitch);
        return true;
      }
      this.choose([]);
      return false;
    }
    const chosen = this.roll.chosen ?? new Set();
    if (event.shiftKey) this.choose(chosen.has(note) ? [...chosen].filter((one) => one !== note) : [...chosen, note]);
    else if (!chosen.has(note)) this.choose([note]);
    this.drag = { seconds, pitch, notes: [...this.roll.chosen], all: this.piece };
    return true;
  }

  move(seconds, pitch) {
    const { drag } = this;
    if (!drag) return;
    const by = seconds - drag.seconds;
    const up = pitch - drag.pitch;
    if (!drag.moved && Math.abs(by) < GRAB_S && !up) return;
    drag.moved = this.moved(drag.notes, Math.abs(by) < GRAB_S ? 0 : by, up);
    this.preview(drag.all, drag.notes, drag.moved);
  }

  release() {
    const { drag } = this;
    this.drag = null;
    if (drag?.moved) this.put(drag.notes, drag.moved);
  }

  letGo() {
    this.drag = null;
    this.roll.chosen = null;
  }

  /** Takes a key that is pressed on the roll; returns whether it is one of the editor's. */
  key(event) {
    const chosen = [...(this.roll.chosen ?? [])];
    const steps = { ArrowLeft: [-NUDGE_S, 0], ArrowRight: [NUDGE_S, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (event.key === "Delete" || event.key === "Backspace") this.remove();
    else if (event.key === "n" || event.key === "N") this.chooseNext(event.shiftKey ? -1 : 1);
    else if (chosen.length && event.key in steps) {
      const [by, up] = steps[event.key];
      this.put(chosen, this.moved(chosen, by, event.shiftKey ? 12 * up : up));
    } else return false;
    return true;
  }

  /** Selects the note after the one that is selected, or the first from the playhead on. */
  chooseNext(way) {
    const all = this.piece;
    const [one] = this.roll.chosen ?? [];
    const place = one ? all.indexOf(one) + way : all.findIndex((note) => note.start >= this.view.player.time);
    const note = all[Math.min(Math.max(place, 0), all.length - 1)];
    if (!note) return;
    this.choose([note]);
    this.roll.reveal(note.start);
  }

  choose(notes) {
    this.roll.chosen = new Set(notes);
    this.roll.draw();
    this.view.bench?.show();
  }

  // --- Changes ------------------------------------------------------------------------------------

  /** The notes on the roll, the very ones that are selected there. */
  get piece() { return this.view.shown; }

  moved(notes, by, up) {
    // All move by as much, and none off the keyboard or before the beginning.
    const least = Math.max(by, -Math.min(...notes.map((note) => note.start)));
    const lift = Math.max(Math.min(up, 108 - Math.max(...notes.map((note) => note.pitch))),
      21 - Math.min(...notes.map((note) => note.pitch)));
    return notes.map((note) => ({
      ...note, start: note.start + least, end: note.end + least, pitch: note.pitch + lift,
    }));
  }

  preview(all, old, fresh) {
    this.roll.notes = [...all.filter((note) => !old.includes(note)), ...fresh];
    this.roll.chosen = new Set(fresh);
    this.roll.draw();
  }

  addAt(seconds, pitch) {
    const { take, seed } = this.view;
    const start = Math.round(Math.max(0, seconds) * 100) / 100;
    const isNew = start >= (take ? take.seedSeconds : seed.seconds);
    this.put([], [{ pitch, start, end: start + NEW_S, velocity: NEW_VELOCITY, ...(isNew && { isNew }) }]);
  }

  remove() {
    const chosen = [...(this.roll.chosen ?? [])];
    if (chosen.length) this.put(chosen, []);
  }

  /** Puts `fresh` in the place of `old`; a seed that nothing was made of becomes a sketch first. */
  put(old, fresh) {
    const { view } = this;
    const notes = [...this.piece.filter((note) => !old.includes(note)), ...fresh];
    let { take } = view;
    if (!take) {
      const settings = { ...view.form.settings, seconds: 1 };
      take = Take.ofNotes(view.seed, settings, view.seed.part, { seconds: 0, how: "changed by hand" });
      view.showSketch(take);
    }
    take.change(notes);
    if (!take.how.includes("by hand")) take.how = [take.how, "changed by hand"].filter(Boolean).join(", ");
    const names = new Set(fresh.map((note) => `${note.pitch} ${note.start}`));
    this.choose(take.notes.filter((note) => names.has(`${note.pitch} ${note.start}`)));
    view.list.show();
    clearTimeout(this.later);
    this.later = setTimeout(() => take.newNotes.length && take.measure(), 1500);
  }

  undo() {
    const { view } = this;
    const { take } = view;
    this.letGo();
    take?.undo();
    if (take && !take.canUndo && take === view.shelf.draftOf(take.seed)) view.showSketch(null);
    view.bench?.show();
  }
}
