// The roll: a piece drawn on a canvas, time to the right, pitch upwards.

import { HIGHEST, LOWEST, clock, fineClock, pitchName } from "./pitch.js";
import { RollHands } from "./rollhands.js";
import { KEYS_WIDTH, RULER_HEIGHT, paintRoll, pitchRange } from "./rollpaint.js";

const CLOSEST = 400; // pixels a second
// On a narrow screen a piece is read page by page, so that its short notes can be seen.
const NARROW = 560;
const NARROW_PIXELS = 22;
const LEAST_REGION_S = 0.2;

export class Roll extends EventTarget {
  /**
   * @param {HTMLElement} holder gets the canvas; its size is the roll's
   * @param {object} options `label` for screen readers; `plain` for a small picture without keys,
   *   ruler and answers; `frame` for one with a frame to drag (`{start, seconds}`); `selectable`
   *   for one where a span can be selected
   */
  constructor(holder, { label = "Piano roll", plain = false, frame = null, selectable = false } = {}) {
    super();
    Object.assign(this, { holder, plain, frame, selectable, label });
    this.notes = [];
    this.seedSeconds = 0;
    this.returns = [];
    this.marks = [];
    this.end = 10;
    this.range = [48, 72];
    this.scale = null; // pixels a second; null is what fits
    this.left = 0; // the first second in sight
    this.time = 0;
    this.follow = true;
    this.region = null; // {start, end} that is selected
    this.chosen = null; // a Set of notes that are selected
    this.editor = null; // takes presses and keys where notes are edited
    this.selecting = false; // whether a finger selects
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.head = document.createElement("div");
    this.head.className = "playhead";
    this.hover = document.createElement("div");
    this.hover.className = "hover";
    this.hover.setAttribute("aria-hidden", "true");
    this.hover.hidden = true;
    holder.classList.add("roll");
    holder.replaceChildren(this.canvas, this.head, this.hover);
    if (plain) {
      holder.setAttribute("role", "img");
      holder.setAttribute("aria-label", label);
      this.head.hidden = true;
    } else this.makeInteractive();
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(holder);
    this.themes = new MutationObserver(() => this.draw());
    this.themes.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  }

  /** Lets go of the page; for rolls that are taken off it. */
  dispose() {
    this.sizes.disconnect();
    this.themes.disconnect();
  }

  makeInteractive() {
    const { holder } = this;
    holder.tabIndex = 0;
    holder.setAttribute("role", "slider");
    holder.setAttribute("aria-label", this.label);
    holder.setAttribute("aria-valuemin", "0");
    this.hands = new RollHands(this);
    this.setTime(0);
  }

  /**
   * Takes a piece; `returns` are where it was brought back to the seed and `marks` where playing
   * went on from, in seconds; `growing` keeps the range of pitches from jumping about as notes come.
   */
  setPiece({ notes, seedSeconds = 0, end, returns = [], marks = [], growing = false }) {
    const before = this.notes.length ? this.range : null;
    Object.assign(this, { notes, seedSeconds, returns, marks });
    this.end = Math.max(end, 1);
    this.range = pitchRange(notes);
    if (growing && before) {
      this.range = [Math.min(before[0], this.range[0]), Math.max(before[1], this.range[1])];
    }
    // Of a span that the piece is too short for, that much is left which is in it.
    if (this.region?.end > this.end) this.setRegion(this.region.start, this.end);
    if (!this.plain) this.holder.setAttribute("aria-valuemax", this.end.toFixed(1));
    this.draw();
  }

  get width() { return this.holder.clientWidth; }
  get height() { return this.holder.clientHeight; }
  get keysWidth() { return this.plain ? 0 : KEYS_WIDTH; }
  /** Where the notes end and the ruler begins, pixels. */
  get bottom() { return this.height - (this.plain ? 0 : RULER_HEIGHT); }
  get rowHeight() { return this.bottom / (this.range[1] - this.range[0] + 1); }
  get fitting() { return Math.max(1, this.width - this.keysWidth) / this.end; }
  get usual() { return this.selectable && this.width < NARROW ? NARROW_PIXELS : 0; }
  get pixels() { return Math.max(this.scale ?? this.usual, this.fitting); }
  get inSight() { return (this.width - this.keysWidth) / this.pixels; }

  x(seconds) { return this.keysWidth + (seconds - this.left) * this.pixels; }
  y(pitch) { return (this.range[1] - pitch) * this.rowHeight; }
  secondsAt(x) { return this.left + (x - this.keysWidth) / this.pixels; }
  pitchAt(y) {
    const pitch = this.range[1] - Math.floor(y / this.rowHeight);
    return Math.min(Math.max(pitch, LOWEST), HIGHEST);
  }

  draw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      this.left = Math.min(Math.max(0, this.left), Math.max(0, this.end - this.inSight));
      paintRoll(this);
      if (!this.plain) this.placeHead();
    });
  }

  /** Moves the playhead; `playing` turns the page as a reader of music would. */
  setTime(seconds, playing = false) {
    this.time = seconds;
    const { holder } = this;
    const rounded = seconds.toFixed(1);
    if (holder.getAttribute("aria-valuenow") !== rounded) {
      holder.setAttribute("aria-valuenow", rounded);
      holder.setAttribute("aria-valuetext", `${clock(seconds)} of ${clock(this.end)}`);
    }
    const right = this.left + this.inSight;
    const turned = seconds > right - this.inSight * 0.02 || seconds < this.left;
    if (playing && this.follow && !this.hands?.dragged && turned && this.inSight < this.end) {
      this.left = Math.max(0, seconds - this.inSight * 0.1);
      this.draw();
    }
    this.placeHead();
  }

  placeHead() {
    const x = this.x(this.time);
    this.head.style.transform = `translateX(${x.toFixed(2)}px)`;
    this.head.style.visibility = x < this.keysWidth - 1 || x > this.width ? "hidden" : "";
  }

  /** Shows a moment that is out of sight. */
  reveal(seconds) {
    if (seconds >= this.left && seconds <= this.left + this.inSight * 0.9) return;
    this.left = Math.max(0, seconds - this.inSight * 0.3);
    this.draw();
  }

  /** Makes seconds `factor` times as wide, around the second at `x`. */
  zoom(factor, x = this.x(this.time)) {
    const inside = Math.min(Math.max(x, this.keysWidth), this.width);
    const kept = this.secondsAt(inside);
    const wanted = Math.min(this.pixels * factor, CLOSEST);
    // Zero is narrower than what fits, on a narrow screen too.
    this.scale = wanted <= this.fitting * 1.001 ? (this.usual ? 0 : null) : wanted;
    this.left = kept - (inside - this.keysWidth) / this.pixels;
    this.draw();
  }

  /** Selects from one moment to another, in tenths of a second; nothing where they are too near. */
  setRegion(from, to) {
    const inside = (seconds) => Math.round(Math.min(Math.max(0, seconds), this.end) * 10) / 10;
    const [start, end] = [inside(Math.min(from, to)), inside(Math.max(from, to))];
    this.region = end - start >= LEAST_REGION_S ? { start, end } : null;
    this.draw();
  }

  clearRegion() {
    this.region = null;
    this.draw();
  }

  /** The note at a place, the one on top where there are several. */
  noteAt(seconds, pitch) {
    const reach = 3 / this.pixels;
    return this.notes.findLast((note) => note.pitch === pitch
      && seconds >= note.start - reach && seconds <= note.end + reach) ?? null;
  }

  /** Says which key and which moment the pointer is at. */
  showHover(place) {
    const outside = !place || place.x < KEYS_WIDTH || place.y > this.bottom || place.y < 0;
    this.hover.hidden = outside || Boolean(this.frame);
    if (this.hover.hidden) return;
    const seconds = this.secondsAt(place.x);
    const pitch = this.pitchAt(place.y);
    const note = this.noteAt(seconds, pitch);
    const mark = this.marks.find((at) => Math.abs(this.x(at) - place.x) < 6);
    const words = note
      ? `${pitchName(pitch)}, ${fineClock(note.start)} to ${fineClock(note.end)}, loudness ${note.velocity}`
      : `${pitchName(pitch)}, ${fineClock(seconds)}`;
    this.hover.textContent = mark === undefined ? words : `${words}. Went on from here`;
    const left = Math.min(place.x + 12, this.width - this.hover.offsetWidth - 4);
    const top = place.y > 32 ? place.y - 28 : place.y + 20;
    this.hover.style.transform = `translate(${Math.max(KEYS_WIDTH, left)}px, ${top}px)`;
  }

  moveFrame(start) {
    const last = Math.max(0, this.end - this.frame.seconds);
    // Tenths of a second, so that the number on the page is the one that is used.
    this.frame.start = Math.round(Math.min(Math.max(0, start), last) * 10) / 10;
    this.holder.setAttribute("aria-valuenow", this.frame.start);
    const to = clock(this.frame.start + this.frame.seconds);
    this.holder.setAttribute("aria-valuetext", `${clock(this.frame.start)} to ${to}`);
    this.draw();
    this.tell("frame", this.frame.start);
  }

  tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }
}
