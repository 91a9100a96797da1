// An answer: notes of the model that sound as they come, until they end or the player plays again.

const AHEAD_S = 0.12;
const SOON_S = 0.015;
const CUT_S = 0.03;

/** Events: `first` when its first note is on its way, `finish` when all has sounded. */
export class Answer extends EventTarget {
  /** @param {object} decided when it was decided on: `at` by `performance.now()`, `audio` by the audio clock */
  constructor(piano, decided) {
    super();
    Object.assign(this, { piano, decided });
    this.notes = [];
    this.next = 0;
    this.voices = [];
    this.heard = [];
    this.late = 0; // how much later than meant it sounds, seconds
    this.isDone = false;
    this.isStopped = false;
  }

  /** Seconds on the answer's own clock: 0 is the decision. */
  get elapsed() { return Math.max(0, this.piano.context.currentTime - this.decided.audio - this.late); }

  add({ notes, done }) {
    if (this.isStopped) return;
    if (!this.notes.length && notes.length) {
      // What is due already sounds now, and all after it by as much later.
      this.late = Math.max(0, this.elapsed + SOON_S - notes[0].start);
      this.latencyMs = performance.now() - this.decided.at;
      this.dispatchEvent(new Event("first"));
    }
    this.notes.push(...notes);
    this.notes.sort((a, b) => a.start - b.start);
    this.isDone ||= done;
    this.tick();
  }

  /** Strikes what is due in a moment: no more, so that it can stop at once. */
  tick() {
    const { piano, decided } = this;
    const until = this.elapsed + AHEAD_S;
    for (; this.next < this.notes.length && this.notes[this.next].start < until; this.next++) {
      const note = this.notes[this.next];
      const zero = decided.audio + this.late;
      const voice = piano.strike(note.pitch, note.velocity, Math.max(zero + note.start, piano.context.currentTime));
      this.voices.push({ voice, note, off: zero + note.end, isHeld: true });
    }
    for (const one of this.voices) {
      if (!one.isHeld || one.off > piano.context.currentTime + AHEAD_S) continue;
      one.voice.release(one.off);
      one.isHeld = false;
      this.heard.push({ ...one.note, isNew: true });
    }
    const isOver = this.isDone && this.next >= this.notes.length && this.voices.every(({ isHeld }) => !isHeld);
    if (isOver && !this.isStopped) {
      this.isStopped = true;
      this.dispatchEvent(new Event("finish"));
    }
  }

  /** Lets all keys go now, and forgets what has not sounded. */
  stop() {
    this.isStopped = true;
    const { elapsed } = this;
    this.call?.cancel();
    const now = this.piano.context.currentTime;
    for (const { voice, note, isHeld } of this.voices) {
      if (!isHeld) continue;
      voice.release(now, CUT_S);
      if (note.start < elapsed) this.heard.push({ ...note, end: Math.min(note.end, elapsed), isNew: true });
    }
    this.voices = [];
  }
}
