// The roll: a piece drawn on a canvas, time to the right, pitch upwards.

const KEYS_WIDTH = 40;
const RULER_HEIGHT = 20;
const LABEL_HEIGHT = 12;
const LEAST_PITCHES = 26;
const LOWEST = 21;
const HIGHEST = 108;
// Below so many pixels a key, black keys are but noise.
const LEAST_ROW = 3.5;
const CLOSEST = 400; // pixels a second
const BLACK = new Set([1, 3, 6, 8, 10]);
const STEPS_S = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300];

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds + 1e-6));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export class Roll extends EventTarget {
  /**
   * @param {HTMLElement} holder gets the canvas; its size is the roll's
   * @param {object} options `label` for screen readers; `plain` for a small picture without keys,
   *   ruler and answers; `frame` for one with a frame to drag (`{start, seconds}`)
   */
  constructor(holder, { label = "Piano roll", plain = false, frame = null } = {}) {
    super();
    this.holder = holder;
    this.plain = plain;
    this.frame = frame;
    this.notes = [];
    this.seedSeconds = 0;
    this.returns = [];
    this.end = 10;
    this.scale = null; // pixels a second; null fits the piece
    this.left = 0; // the first second in sight
    this.time = 0;
    this.follow = true;
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.head = document.createElement("div");
    this.head.className = "playhead";
    holder.classList.add("roll");
    holder.replaceChildren(this.canvas, this.head);
    this.label = label;
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
    holder.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    holder.addEventListener("pointerdown", (event) => this.onPress(event));
    holder.addEventListener("pointermove", (event) => this.onMove(event));
    for (const name of ["pointerup", "pointercancel"]) {
      holder.addEventListener(name, (event) => this.onRelease(event));
    }
    holder.addEventListener("keydown", (event) => this.onKey(event));
    this.pointers = new Map();
    this.setTime(0);
  }

  /**
   * Takes a piece; `returns` are where it was brought back to the seed, in seconds; `growing` keeps
   * the range of pitches from jumping about as notes come.
   */
  setPiece({ notes, seedSeconds = 0, end, returns = [], growing = false }) {
    const before = this.range;
    this.notes = notes;
    this.seedSeconds = seedSeconds;
    this.returns = returns;
    this.end = Math.max(end, 1);
    this.range = pitchRange(notes);
    if (growing && before) {
      this.range = [Math.min(before[0], this.range[0]), Math.max(before[1], this.range[1])];
    }
    if (!this.plain) this.holder.setAttribute("aria-valuemax", this.end.toFixed(1));
    this.draw();
  }

  get width() { return this.holder.clientWidth; }
  get height() { return this.holder.clientHeight; }
  get keysWidth() { return this.plain ? 0 : KEYS_WIDTH; }
  get rulerHeight() { return this.plain ? 0 : RULER_HEIGHT; }
  get fitting() { return Math.max(1, this.width - this.keysWidth) / this.end; }
  get pixels() { return Math.max(this.scale ?? 0, this.fitting); }
  get inSight() { return (this.width - this.keysWidth) / this.pixels; }

  x(seconds) { return this.keysWidth + (seconds - this.left) * this.pixels; }
  secondsAt(x) { return this.left + (x - this.keysWidth) / this.pixels; }

  draw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      this.paint();
    });
  }

  paint() {
    const { width, height, canvas } = this;
    if (!width || !height) return;
    const dots = Math.min(devicePixelRatio || 1, 2);
    canvas.width = Math.round(width * dots);
    canvas.height = Math.round(height * dots);
    const pen = canvas.getContext("2d");
    pen.scale(dots, dots);
    const colours = coloursOf(this.holder);
    this.left = Math.min(Math.max(0, this.left), Math.max(0, this.end - this.inSight));
    const [lowest, highest] = this.range ?? [48, 72];
    const row = (height - this.rulerHeight) / (highest - lowest + 1);
    const y = (pitch) => (highest - pitch) * row;
    pen.fillStyle = colours.paper;
    pen.fillRect(0, 0, width, height);
    this.paintGround(pen, colours, lowest, highest, row, y);
    this.paintNotes(pen, colours, row, y);
    if (this.frame) this.paintFrame(pen, colours, height - this.rulerHeight);
    if (!this.plain) {
      this.paintKeys(pen, colours, lowest, highest, row, y);
      this.paintRuler(pen, colours, height);
      this.placeHead();
    }
  }

  paintGround(pen, colours, lowest, highest, row, y) {
    const bottom = this.height - this.rulerHeight;
    if (this.seedSeconds > 0 && !this.frame) {
      pen.fillStyle = colours.seedGround;
      pen.fillRect(0, 0, this.x(this.seedSeconds), bottom);
    }
    for (let pitch = lowest; pitch <= highest; pitch++) {
      if (BLACK.has(pitch % 12) && !this.plain && row >= LEAST_ROW) {
        pen.fillStyle = colours.blackRow;
        pen.fillRect(0, y(pitch), this.width, row);
      }
      if (pitch % 12 === 0 && !this.plain) {
        pen.fillStyle = colours.line;
        pen.fillRect(0, Math.round(y(pitch) + row), this.width, 1);
      }
    }
    pen.strokeStyle = colours.muted;
    if (this.seedSeconds > 0 && this.seedSeconds < this.end && !this.frame) {
      this.paintBorder(pen, this.seedSeconds, [4, 3], bottom);
    }
    for (const seconds of this.returns) this.paintBorder(pen, seconds, [1, 4], bottom);
  }

  paintBorder(pen, seconds, dashes, bottom) {
    const x = Math.round(this.x(seconds)) + 0.5;
    pen.setLineDash(dashes);
    pen.beginPath();
    pen.moveTo(x, 0);
    pen.lineTo(x, bottom);
    pen.stroke();
    pen.setLineDash([]);
  }

  paintNotes(pen, colours, row, y) {
    const first = this.left;
    const last = this.left + this.inSight;
    const thick = Math.max(row * 0.84, 1.6);
    for (const note of this.notes) {
      if (note.end < first || note.start > last) continue;
      const x = this.x(note.start);
      const wide = Math.max(this.x(note.end) - x - 0.6, 1.4);
      const top = y(note.pitch) + (row - thick) / 2;
      const chosen = !this.frame || this.isInFrame(note);
      pen.globalAlpha = (0.35 + 0.65 * (note.velocity / 127)) * (chosen ? 1 : 0.4);
      pen.fillStyle = note.isNew ? colours.accent : colours.ink;
      pen.beginPath();
      pen.roundRect(x, top, wide, thick, Math.min(2, thick / 3));
      pen.fill();
      pen.globalAlpha = 1;
      // Outline and stripe tell the continuation from the seed where colour does not.
      if (note.isNew && thick >= 3 && wide >= 3 && !this.plain) {
        pen.strokeStyle = colours.accentEdge;
        pen.lineWidth = 1;
        pen.stroke();
      }
    }
  }

  isInFrame(note) {
    return note.start >= this.frame.start && note.start < this.frame.start + this.frame.seconds;
  }

  paintFrame(pen, colours, bottom) {
    const from = this.x(this.frame.start);
    const to = this.x(Math.min(this.frame.start + this.frame.seconds, this.end));
    pen.fillStyle = colours.seedGround;
    pen.globalCompositeOperation = "destination-over";
    pen.fillRect(from, 0, to - from, bottom);
    pen.globalCompositeOperation = "source-over";
    pen.strokeStyle = colours.accent;
    pen.lineWidth = 2;
    pen.strokeRect(from + 1, 1, Math.max(to - from - 2, 4), bottom - 2);
  }

  paintKeys(pen, colours, lowest, highest, row, y) {
    const bottom = this.height - this.rulerHeight;
    pen.fillStyle = colours.paper;
    pen.fillRect(0, 0, KEYS_WIDTH, this.height);
    pen.font = `11px ${colours.font}`;
    pen.textBaseline = "middle";
    for (let pitch = lowest; pitch <= highest; pitch++) {
      const top = y(pitch);
      if (BLACK.has(pitch % 12) && row >= LEAST_ROW) {
        pen.fillStyle = colours.muted;
        pen.fillRect(KEYS_WIDTH - 14, top + row * 0.1, 13, row * 0.8);
      }
      if (pitch % 12 === 0) {
        pen.fillStyle = colours.muted;
        pen.textAlign = "right";
        const middle = Math.max(top + row / 2, LABEL_HEIGHT / 2);
        pen.fillText(`C${pitch / 12 - 1}`, KEYS_WIDTH - 18, Math.min(middle, bottom - LABEL_HEIGHT / 2));
        pen.fillStyle = colours.line;
        pen.fillRect(KEYS_WIDTH - 14, Math.round(top + row), 13, 1);
      }
    }
    pen.fillStyle = colours.line;
    pen.fillRect(KEYS_WIDTH - 1, 0, 1, bottom);
  }

  paintRuler(pen, colours, height) {
    const bottom = height - RULER_HEIGHT;
    pen.fillStyle = colours.line;
    pen.fillRect(KEYS_WIDTH, bottom, this.width, 1);
    pen.fillStyle = colours.muted;
    pen.font = `11px ${colours.font}`;
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    const step = STEPS_S.find((seconds) => seconds * this.pixels >= 56) ?? 600;
    const last = Math.min(this.end, this.left + this.inSight);
    for (let at = Math.ceil(this.left / step) * step; at <= last; at += step) {
      const x = this.x(at);
      if (x > this.width - 24) break;
      pen.fillRect(x, bottom, 1, 5);
      pen.fillText(step < 1 ? at.toFixed(1) : clock(at), x + 4, bottom + RULER_HEIGHT / 2 + 1);
    }
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
    if (playing && this.follow && !this.dragged && turned && this.inSight < this.end) {
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

  /** Makes seconds `factor` times as wide, around the second at `x`. */
  zoom(factor, x = this.x(this.time)) {
    const inside = Math.min(Math.max(x, this.keysWidth), this.width);
    const kept = this.secondsAt(inside);
    const wanted = Math.min(this.pixels * factor, CLOSEST);
    this.scale = wanted <= this.fitting * 1.001 ? null : wanted;
    this.left = kept - (inside - this.keysWidth) / this.pixels;
    this.draw();
  }

  onWheel(event) {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 200), this.place(event));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
      event.preventDefault();
      this.left += (event.deltaX || event.deltaY) / this.pixels;
      this.draw();
    }
  }

  place(event) { return event.clientX - this.holder.getBoundingClientRect().left; }

  onPress(event) {
    if (event.button > 0) return;
    this.pointers.set(event.pointerId, event.clientX);
    this.holder.setPointerCapture(event.pointerId);
    const at = this.secondsAt(this.place(event));
    this.dragged = false;
    this.pressed = { x: event.clientX, left: this.left, at, start: this.frame?.start };
    if (this.frame) this.grip = at - this.frame.start;
  }

  onMove(event) {
    if (!this.pointers.has(event.pointerId)) return;
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId);
    if (others.length === 1) {
      const before = Math.abs(this.pointers.get(event.pointerId) - others[0][1]);
      const now = Math.abs(event.clientX - others[0][1]);
      this.dragged = true;
      if (before > 8 && now > 8) this.zoom(now / before, this.place(event));
    } else if (Math.abs(event.clientX - this.pressed.x) > 5 || this.dragged) {
      this.dragged = true;
      if (this.frame) this.moveFrame(this.secondsAt(this.place(event)) - this.grip);
      else {
        this.left = this.pressed.left - (event.clientX - this.pressed.x) / this.pixels;
        this.draw();
      }
    }
    this.pointers.set(event.pointerId, event.clientX);
  }

  onRelease(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    const wasDragged = this.dragged;
    if (!this.pointers.size) this.dragged = false;
    if (event.type !== "pointerup" || wasDragged) return;
    if (this.frame) this.moveFrame(this.pressed.at - this.frame.seconds / 2);
    else this.tell("seek", Math.min(Math.max(0, this.pressed.at), this.end));
  }

  onKey(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
    const { key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key in steps) {
      const by = steps[key] * (event.shiftKey ? 5 : 1);
      if (this.frame) this.moveFrame(this.frame.start + by / 2);
      else this.tell("seek", this.time + by);
    } else if (key === "Home" || key === "End") {
      const to = key === "Home" ? 0 : this.end;
      if (this.frame) this.moveFrame(to);
      else this.tell("seek", to);
    } else if (key === "+" || key === "=") this.zoom(1.5);
    else if (key === "-") this.zoom(1 / 1.5);
    else if (key === "0") this.zoom(1e-6);
    else return;
    event.preventDefault();
    event.stopPropagation();
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

/** The lowest and the highest pitch to show, so that all notes fit with some room. */
export function pitchRange(notes) {
  let lowest = HIGHEST;
  let highest = LOWEST;
  for (const note of notes) {
    lowest = Math.min(lowest, note.pitch);
    highest = Math.max(highest, note.pitch);
  }
  if (!notes.length) [lowest, highest] = [55, 65];
  lowest -= 2;
  highest += 2;
  const missing = Math.max(0, LEAST_PITCHES - (highest - lowest + 1));
  lowest -= Math.floor(missing / 2);
  highest += Math.ceil(missing / 2);
  return [Math.max(LOWEST, lowest), Math.min(HIGHEST, highest)];
}

function coloursOf(element) {
  const style = getComputedStyle(element);
  const names = {
    paper: "--roll", ink: "--ink", accent: "--accent", accentEdge: "--accent-edge",
    muted: "--muted", line: "--line", seedGround: "--seed-ground", blackRow: "--black-row",
  };
  const colours = { font: style.fontFamily };
  for (const [name, variable] of Object.entries(names)) {
    colours[name] = style.getPropertyValue(variable).trim();
  }
  return colours;
}
