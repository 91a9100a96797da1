// The player: keeps the time of a piece, and strikes the piano's keys when it comes to them.

// Far enough ahead that a busy moment of the page cannot be heard.
const AHEAD_S = 0.8;
// Timers of a page in the background fire once a second.
const AHEAD_HIDDEN_S = 1.5;
// A program that records what is sent to it may not be sent what is then not played.
const AHEAD_SENT_S = 0.15;
const TICK_MS = 40;
const LEAD_S = 0.06;
// After it ran dry, playing goes on when so much more is there; twice as much the next time.
const REFILL_S = 1.5;

/** Events: `change` when playing begins or ends, `finish` when the piece is over. */
export class Player extends EventTarget {
  constructor(piano) {
    super();
    this.piano = piano;
    this.notes = [];
    this.end = 0;
    this.complete = true;
    this.loop = null; // {start, end} that is played over and over
    this.position = 0;
    this.playing = false;
    this.startedAt = null;
    this.voices = new Map();
    this.next = 0;
    this.timesDry = 0;
    this.firstSound = null;
  }

  /**
   * Takes the piece to play. While a piece is being made this is called again and again: notes
   * are told apart by pitch and onset, and one that sounds may have become longer.
   *
   * @param {Array} notes with pitch, start, end, velocity, in order of onset
   * @param {number} end of the piece so far
   * @param {boolean} complete false while more is to come
   */
  setNotes(notes, end, complete = true) {
    this.notes = notes;
    this.end = end;
    this.complete = complete;
    if (!this.playing) this.position = Math.min(this.position, end);
    this.next = this.firstAfter(this.scheduledUntil ?? this.time);
    if (this.playing) this.tick();
  }

  /** Seconds into the piece, as they are heard. */
  get time() {
    if (!this.playing || this.startedAt === null) return this.position;
    const late = this.piano.context.outputLatency || 0;
    const passed = this.piano.context.currentTime - this.startedAt - late;
    return Math.min(Math.max(this.position, this.position + passed), this.end);
  }

  play(from = this.time) {
    this.piano.wake();
    this.silence();
    const { loop } = this;
    const outside = loop && (from < loop.start || from >= loop.end - 0.02);
    if (outside) from = loop.start;
    else if (this.complete && from >= this.end - 0.02) from = 0;
    this.position = from;
    this.playing = true;
    this.start();
    this.dispatchEvent(new Event("change"));
  }

  start(at = this.piano.context.currentTime + LEAD_S) {
    this.startedAt = at;
    this.scheduledUntil = this.position;
    this.next = this.firstAfter(this.position);
    this.strikeHeld();
    clearInterval(this.timer);
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.tick();
  }

  pause() {
    if (!this.playing) return;
    this.position = this.time;
    this.halt();
    this.dispatchEvent(new Event("change"));
  }

  halt() {
    this.playing = false;
    clearInterval(this.timer);
    this.silence();
    this.startedAt = null;
    this.scheduledUntil = null;
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  seek(to) {
    const time = Math.min(Math.max(0, to), this.end);
    if (this.loop && (time < this.loop.start || time >= this.loop.end)) this.loop = null;
    if (this.playing) this.play(Math.min(time, this.end - 0.05));
    else {
      this.position = time;
      this.dispatchEvent(new Event("change"));
    }
  }

  /** The index of the first note struck at or after a time. */
  firstAfter(time) {
    let low = 0;
    let high = this.notes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.notes[middle].start < time - 1e-6) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Notes that sound already where playing begins are taken up in the middle. */
  strikeHeld() {
    for (const note of this.notes.slice(Math.max(0, this.next - 200), this.next)) {
      if (note.end > this.position + 0.1) this.strike(note, this.position - note.start);
    }
  }

  strike(note, from = 0) {
    const at = this.startedAt + Math.max(note.start, this.position) - this.position;
    const voice = this.piano.strike(note.pitch, note.velocity, at, from);
    this.voices.set(`${note.pitch} ${note.start}`, { voice, note });
    this.firstSound ??= { note, heardAt: this.heardAt(at) };
  }

  /** When a moment of the audio clock is heard, on the clock of `performance.now()`. */
  heardAt(at) {
    const { currentTime, outputLatency } = this.piano.context;
    return performance.now() + 1000 * (Math.max(at - currentTime, 0) + (outputLatency || 0));
  }

  /** Strikes what is due in a moment, and lets go what ends. */
  tick() {
    const context = this.piano.context;
    if (context.state !== "running") return;
    const now = this.position + context.currentTime - this.startedAt;
    if (!this.complete && now > this.end) return this.waitForMore();
    if (this.loop && now > this.loop.end - 2 * LEAD_S) return this.beginLoop();
    const ahead = document.hidden ? AHEAD_HIDDEN_S : this.piano.isSending ? AHEAD_SENT_S : AHEAD_S;
    let until = this.complete ? now + ahead : Math.min(now + ahead, this.end);
    if (this.loop) until = Math.min(until, this.loop.end);
    for (; this.next < this.notes.length && this.notes[this.next].start < until; this.next++) {
      this.strike(this.notes[this.next]);
    }
    this.scheduledUntil = Math.max(this.scheduledUntil, until);
    this.letGo(until);
    if (this.complete && now > this.end + (context.outputLatency || 0)) this.finish();
  }

  /** Goes back to where the loop begins, on the beat of its end. */
  beginLoop() {
    const at = this.startedAt + this.loop.end - this.position;
    for (const { voice } of this.voices.values()) voice.release(at, 0.03);
    this.voices.clear();
    this.position = this.loop.start;
    this.start(at);
  }

  letGo(until) {
    const latest = new Map();
    // Notes that were still held when they were struck have got their ends since.
    const from = Math.max(0, this.next - 400);
    for (const note of this.notes.slice(from, this.next)) {
      latest.set(`${note.pitch} ${note.start}`, note);
    }
    for (const [key, { voice, note }] of this.voices) {
      const current = latest.get(key) ?? note;
      if (current.held || current.end > until) continue;
      voice.release(Math.max(this.startedAt + current.end - this.position, 0));
      this.voices.delete(key);
    }
  }

  /** Holds the clock until more of the piece has been made. */
  waitForMore() {
    const refill = REFILL_S * 2 ** this.timesDry;
    this.timesDry += 1;
    this.position = this.end;
    this.startedAt = null;
    clearInterval(this.timer);
    this.timer = setInterval(() => {
      if (!this.complete && this.end < this.position + refill) return;
      this.silence();
      this.start();
    }, TICK_MS);
  }

  finish() {
    this.position = this.end;
    clearInterval(this.timer);
    this.playing = false;
    this.startedAt = null;
    this.scheduledUntil = null;
    this.voices.clear();
    this.dispatchEvent(new Event("change"));
    this.dispatchEvent(new Event("finish"));
  }

  silence() {
    const now = this.piano.context?.currentTime ?? 0;
    for (const { voice } of this.voices.values()) voice.release(now, 0.03);
    this.voices.clear();
  }
}
