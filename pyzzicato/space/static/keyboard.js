// A keyboard to play the seed on: by mouse, touch, the computer's keys or a MIDI keyboard.

import { make } from "./elements.js";
import { midiAccess } from "./midiports.js";
import { isBlack, pitchName } from "./pitch.js";

// A finger needs so many pixels of a white key.
const WIDEST_KEYS = [[420, 1], [560, 2], [900, 3], [Infinity, 4]];
// By the key's place, so that it is the same on every layout: two rows of a piano's octave.
const COMPUTER_KEYS = [
  "KeyA", "KeyW", "KeyS", "KeyE", "KeyD", "KeyF", "KeyT", "KeyG", "KeyY", "KeyH", "KeyU", "KeyJ",
  "KeyK", "KeyO", "KeyL", "KeyP", "Semicolon",
];
const LONGEST_S = 60;
const VELOCITY = 80;

/** Events: `stroke` when a key goes down, `note` with a note that has ended, times of `performance.now()`. */
export class Keyboard extends EventTarget {
  constructor(panel, piano, onNotes) {
    super();
    this.panel = panel;
    this.piano = piano;
    this.onNotes = onNotes;
    this.lowest = 48;
    this.down = new Map(); // pitch -> { voice, at, velocity }
    this.sustained = new Map(); // pitch -> voice, held by a MIDI keyboard's pedal
    this.notes = [];
    this.recording = false;
    this.build();
  }

  build() {
    this.keys = make("div", { class: "keys", role: "group", "aria-label": "Piano keyboard" });
    this.keys.addEventListener("pointerdown", (event) => this.onPointer(event));
    this.keys.addEventListener("pointermove", (event) => event.buttons && this.onPointer(event));
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
      this.keys.addEventListener(name, (event) => this.letPointerGo(event.pointerId));
    }
    this.pointers = new Map();
    this.recordButton = make("button", { class: "quiet record", id: "record", onclick: () => this.record() });
    this.undoButton = make("button", { class: "quiet", id: "undo", onclick: () => this.undo() }, "Undo last note");
    this.clearButton = make("button", { class: "quiet", id: "clear", onclick: () => this.clear() }, "Clear");
    this.words = make("span", { class: "hint", role: "status", id: "keyboard-words" });
    this.panel.replaceChildren(
      make("div", { class: "row" }, this.recordButton, this.undoButton, this.clearButton,
        make("span", { class: "grow" }),
        make("button", { class: "quiet", "aria-label": "An octave lower", onclick: () => this.move(-12) }, "Lower"),
        make("button", { class: "quiet", "aria-label": "An octave higher", onclick: () => this.move(12) }, "Higher")),
      this.keys,
      this.words,
      this.more = make("div", { id: "along" }),
    );
    new ResizeObserver(() => this.fit()).observe(this.panel);
    addEventListener("keydown", (event) => this.onKey(event));
    addEventListener("keyup", (event) => this.onKeyUp(event));
    addEventListener("blur", () => this.letAllGo());
    this.show();
  }

  /** Draws as many octaves as there is room for. */
  fit() {
    const [, octaves] = WIDEST_KEYS.find(([width]) => this.panel.clientWidth < width);
    if (octaves === this.octaves) return;
    this.octaves = octaves;
    this.draw();
  }

  draw() {
    this.keys.replaceChildren();
    const highest = Math.min(108, this.lowest + this.octaves * 12);
    const whites = [];
    for (let pitch = this.lowest; pitch <= highest; pitch++) {
      if (!isBlack(pitch)) whites.push(pitch);
    }
    const width = 100 / whites.length;
    for (let pitch = this.lowest; pitch <= highest; pitch++) {
      const black = isBlack(pitch);
      const left = (whites.indexOf(black ? pitch - 1 : pitch) + (black ? 0.68 : 0)) * width;
      const key = make("div", {
        class: `key ${black ? "black" : "white"}`,
        "data-pitch": pitch,
        role: "button",
        "aria-label": pitchName(pitch),
        style: `left:${left}%;width:${black ? width * 0.64 : width}%`,
      });
      if (pitch % 12 === 0) key.append(make("span", {}, pitchName(pitch)));
      this.keys.append(key);
    }
  }

  open() {
    this.isOpen = true;
    this.fit();
    this.listenToMidi();
  }

  close() {
    this.isOpen = false;
    this.letAllGo();
    if (this.recording) this.record();
  }

  move(semitones) {
    this.letAllGo();
    const top = 108 - this.octaves * 12;
    this.lowest = Math.min(Math.max(24, this.lowest + semitones), top);
    this.draw();
  }

  // --- Where strokes come from ------------------------------------------------------------------

  onPointer(event) {
    const key = document.elementFromPoint(event.clientX, event.clientY)?.closest?.(".key");
    const pitch = key && this.keys.contains(key) ? Number(key.dataset.pitch) : null;
    const before = this.pointers.get(event.pointerId);
    if (pitch === before) return;
    event.preventDefault();
    if (before !== undefined && before !== null) this.up(before);
    this.pointers.set(event.pointerId, pitch);
    if (pitch === null) return;
    // Nearer to the player's edge of the key is louder, as under a longer lever.
    const box = key.getBoundingClientRect();
    const depth = Math.min(1, Math.max(0, (event.clientY - box.top) / box.height));
    this.press(pitch, Math.round(52 + 50 * depth));
  }

  letPointerGo(id) {
    const pitch = this.pointers.get(id);
    this.pointers.delete(id);
    if (pitch !== undefined && pitch !== null) this.up(pitch);
  }

  onKey(event) {
    if (!this.isOpen || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("input, select, textarea")) return;
    if (event.code === "KeyZ" || event.code === "KeyX") return this.move(event.code === "KeyZ" ? -12 : 12);
    const place = COMPUTER_KEYS.indexOf(event.code);
    if (place < 0) return;
    event.preventDefault();
    this.typed ??= new Map();
    const pitch = Math.min(108, this.lowest + (this.octaves > 2 ? 12 : 0) + place);
    this.typed.set(event.code, pitch);
    this.press(pitch, VELOCITY);
  }

  onKeyUp(event) {
    const pitch = this.typed?.get(event.code);
    if (pitch === undefined) return;
    this.typed.delete(event.code);
    this.up(pitch);
  }

  async listenToMidi() {
    if (this.midi) return;
    // Where it is not allowed, mouse, touch and keys go on working.
    this.midi = await midiAccess();
    if (!this.midi) return;
    const listen = () => {
      for (const input of this.midi.inputs.values()) {
        input.onmidimessage = (event) => this.onMidi([...event.data], input.id);
      }
      this.show();
    };
    this.midi.addEventListener("statechange", ({ port }) => {
      if (port.state === "disconnected") this.unplug(port.id);
      listen();
    });
    listen();
  }

  /** Takes a MIDI message: a stroke, a release, or the sustain pedal. */
  onMidi([status, number, value], port = "") {
    if (!this.isOpen) return;
    const kind = status & 0xf0;
    if (kind === 0x90 && value > 0) this.press(number, value, port);
    else if (kind === 0x80 || kind === 0x90) this.up(number);
    else if (kind === 0xb0 && number === 64) this.pedal(value >= 64);
  }

  /** Lets go what was held on a keyboard that is gone: it will not say so any more. */
  unplug(port) {
    for (const [pitch, stroke] of [...this.down]) if (stroke.port === port) this.up(pitch);
    this.pedal(false);
  }

  pedal(isDown) {
    this.pedalDown = isDown;
    if (isDown) return;
    for (const pitch of [...this.sustained.keys()]) this.end(pitch, this.sustained.get(pitch));
    this.sustained.clear();
  }

  // --- Notes ------------------------------------------------------------------------------------

  press(pitch, velocity, port = null) {
    if (pitch < 21 || pitch > 108) return;
    const context = this.piano.wake();
    if (this.down.has(pitch)) this.up(pitch);
    if (this.sustained.has(pitch)) {
      this.end(pitch, this.sustained.get(pitch));
      this.sustained.delete(pitch);
    }
    const voice = this.piano.strike(pitch, velocity, context.currentTime, 0, port === null);
    const at = performance.now();
    this.dispatchEvent(new CustomEvent("stroke", { detail: { pitch, velocity, at } }));
    // Time begins with the first note.
    if (this.recording) this.began ??= at;
    this.down.set(pitch, { voice, velocity, at, port });
    this.keys.querySelector(`[data-pitch="${pitch}"]`)?.classList.add("down");
  }

  up(pitch) {
    const stroke = this.down.get(pitch);
    if (!stroke) return;
    this.down.delete(pitch);
    this.keys.querySelector(`[data-pitch="${pitch}"]`)?.classList.remove("down");
    if (this.pedalDown) this.sustained.set(pitch, stroke);
    else this.end(pitch, stroke);
  }

  end(pitch, { voice, velocity, at }) {
    voice.release(this.piano.context.currentTime);
    this.dispatchEvent(new CustomEvent("note", { detail: { pitch, velocity, at, end: performance.now() } }));
    if (!this.recording || at < this.began) return;
    // Whole milliseconds, as in a MIDI file.
    const start = Math.round(at - this.began) / 1000;
    const end = Math.max(start + 0.03, Math.round(performance.now() - this.began) / 1000);
    if (start > LONGEST_S) return this.record();
    this.notes.push({ pitch, velocity, start, end: Math.round(end * 1000) / 1000 });
    this.show();
  }

  /** Whether a key or the pedal holds a note. */
  get isHeld() { return this.down.size > 0 || this.sustained.size > 0; }

  letAllGo() {
    for (const pitch of [...this.down.keys()]) this.up(pitch);
    this.pedal(false);
    this.pointers?.clear();
  }

  // --- Recording ----------------------------------------------------------------------------------

  record() {
    if (this.recording) {
      this.letAllGo();
      this.recording = false;
      this.tell();
    } else {
      this.piano.wake();
      this.notes = [];
      this.began = undefined;
      this.recording = true;
    }
    this.show();
  }

  undo() {
    const last = this.notes.reduce((one, note) => (one && one.start > note.start ? one : note), null);
    this.notes = this.notes.filter((note) => note !== last);
    this.show();
    if (!this.recording) this.tell();
  }

  clear() {
    this.notes = [];
    this.began = undefined;
    this.show();
  }

  tell() {
    const notes = [...this.notes].sort((a, b) => a.start - b.start || a.pitch - b.pitch);
    this.onNotes(notes);
  }

  show() {
    const count = this.notes.length;
    this.recordButton.textContent = this.recording ? "Finish" : "Record";
    this.recordButton.classList.toggle("on", this.recording);
    this.recordButton.setAttribute("aria-pressed", String(this.recording));
    this.undoButton.disabled = this.clearButton.disabled = count === 0;
    const inputs = this.midi ? [...this.midi.inputs.values()].map((input) => input.name) : [];
    const hint = inputs.length
      ? `Connected: ${inputs.join(", ")}.`
      : "Play with the mouse, your fingers, the keys A to L, or a MIDI keyboard.";
    const counted = `${count} ${count === 1 ? "note" : "notes"}`;
    this.words.textContent = this.recording
      ? `Recording from your first note on: ${counted} so far.`
      : count ? `${counted} recorded. ${hint}` : `${hint} Press Record to make it the seed.`;
  }
}
