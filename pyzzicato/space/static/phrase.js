// A phrase that is being played, and when it is over: after a pause longer than its own gaps.

const LEAST_NOTES = 2;
const CHORD_S = 0.05;
const TIMES = 2.5;
const SHORTEST_S = 0.6;
const LONGEST_S = 2;
const GAPS = 12;

export class Phrase {
  constructor() {
    this.gaps = [];
    this.begin();
  }

  /** Begins the next phrase; the player's gaps are remembered. */
  begin() {
    this.unsent = [];
    this.count = 0;
    this.last = null;
  }

  /** Takes the onset of a key, seconds. */
  stroke(at) {
    const gap = this.last === null ? null : at - this.last;
    // Keys of one chord are struck as one.
    if (gap !== null && gap > CHORD_S && gap < LONGEST_S) this.gaps = [...this.gaps, gap].slice(-GAPS);
    this.last = at;
    this.count += 1;
  }

  add(note) { this.unsent.push(note); }

  /** Gives the notes that were not given yet. */
  take() { return this.unsent.splice(0); }

  /** How long a silence ends it, seconds. */
  get pause() {
    const sorted = [...this.gaps].sort((a, b) => a - b);
    const median = sorted.length ? sorted[sorted.length >> 1] : SHORTEST_S;
    return Math.min(Math.max(TIMES * median, SHORTEST_S), LONGEST_S);
  }

  isOver(now) { return this.count >= LEAST_NOTES && now - this.last > this.pause; }
}
