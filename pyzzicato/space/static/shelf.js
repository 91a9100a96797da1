// The shelf: the takes of every seed, kept while the visitor stays and for the next visit.

import { hashNotes } from "./contenthash.js";
import { Seed } from "./seed.js";
import { forgetAll, forgetTake, keepTake, readAll } from "./store.js";
import { Take } from "./take.js";

const LATER_MS = 400;

/** Events: `change` when the takes of a seed have changed. */
export class Shelf extends EventTarget {
  constructor() {
    super();
    this.seeds = new Map(); // seed key -> { seed, takes, last, highest, draft }; last is a take's id
    this.thrown = []; // takes that were thrown away, the latest last
    this.pending = new Map(); // take -> timer
    addEventListener("pagehide", () => this.writeAll());
  }

  /** Brings back what was kept at an earlier visit. */
  async load() {
    for (const record of await readAll()) {
      try {
        if (this.seeds.has(record.key)) continue;
        const seed = new Seed(record.seed);
        if (seed.key !== record.key) continue;
        const takes = record.takes.map((told) => Take.fromRecord(seed, told)).sort((a, b) => a.number - b.number);
        // Two tabs may have given one number to two takes.
        for (const [i, take] of takes.entries()) take.number = Math.max(take.number, (takes[i - 1]?.number ?? 0) + 1);
        this.seeds.set(record.key, { seed, takes, last: record.last });
      } catch (error) {
        console.warn("A kept take could not be read.", error);
      }
    }
    this.dispatchEvent(new Event("change"));
  }

  of(seed) { return this.seeds.get(seed?.key)?.takes ?? []; }

  /** The seeds that are not presets, the latest first. */
  get ownSeeds() {
    const own = [...this.seeds.values()].filter(({ seed }) => !["preset", "none"].includes(seed.kind));
    return own.map(({ seed }) => seed).reverse();
  }

  seedOf(key) { return this.seeds.get(key)?.seed ?? null; }

  /** Remembers a seed, so that it can be chosen again; of a piece's other parts those with takes. */
  remember(seed) {
    for (const [key, { seed: other, takes }] of this.seeds) {
      const isSamePiece = other.title === seed.title && hashNotes(other.notes) === hashNotes(seed.notes);
      if (isSamePiece && !takes.length && key !== seed.key) this.seeds.delete(key);
    }
    const held = this.seeds.get(seed.key);
    if (held) this.seeds.delete(seed.key);
    this.seeds.set(seed.key, held ?? { seed, takes: [], last: null });
  }

  add(take) {
    this.remember(take.seed);
    const held = this.seeds.get(take.seed.key);
    take.number ??= 1 + Math.max(0, ...held.takes.map((one) => one.number ?? 0), held.highest ?? 0);
    held.highest = Math.max(held.highest ?? 0, take.number);
    if (held.draft === take) held.draft = null;
    held.takes.push(take);
    this.changed(take);
    return take;
  }

  /** Remembers the seed as it was changed by hand: a take that has no new notes yet, and no place among the takes. */
  sketch(take) {
    this.remember(take.seed);
    this.seeds.get(take.seed.key).draft = take;
  }

  /** Finds a take its place after it was changed by hand: among the takes, or as the changed seed. */
  replace(take) {
    const isListed = this.of(take.seed).includes(take);
    if (take.newNotes.length) return isListed ? this.changed(take) : this.add(take);
    if (isListed) this.drop(take);
    take.number = null;
    return this.sketch(take);
  }

  draftOf(seed) { return this.seeds.get(seed?.key)?.draft ?? null; }

  /** Forgets the changes of a seed. */
  unsketch(seed) { this.seeds.get(seed.key).draft = null; }

  /** Throws a take away; `bringBack` undoes it. */
  throwAway(take) {
    const { takes } = this.seeds.get(take.seed.key);
    const place = takes.indexOf(take);
    if (place < 0) return;
    takes.splice(place, 1);
    this.thrown.push({ take, place });
    this.forget(take);
  }

  /** Takes a take off without a trace, for one that came to nothing. */
  drop(take) {
    const held = this.seeds.get(take.seed.key);
    if (!held) return;
    held.takes = held.takes.filter((one) => one !== take);
    // The next one has its number.
    if (held.highest === take.number) held.highest -= 1;
    this.forget(take);
  }

  lastThrown(seed) { return this.thrown.findLast(({ take }) => take.seed.key === seed?.key) ?? null; }

  bringBack(seed) {
    const last = this.lastThrown(seed);
    if (!last) return null;
    this.thrown.splice(this.thrown.indexOf(last), 1);
    this.seeds.get(seed.key).takes.splice(last.place, 0, last.take);
    this.changed(last.take);
    return last.take;
  }

  /** The take of a seed that was shown last. */
  lastOf(seed) {
    const held = this.seeds.get(seed.key);
    return held?.takes.find((take) => take.id === held.last) ?? held?.takes.at(-1) ?? held?.draft ?? null;
  }

  show(take) {
    const held = this.seeds.get(take.seed.key);
    if (held && held.last !== take.id) {
      held.last = take.id;
      this.later(take);
    }
  }

  /** Has what is known of a take written, and tells of it. */
  changed(take) {
    this.later(take);
    this.dispatchEvent(new Event("change"));
  }

  later(take) {
    clearTimeout(this.pending.get(take));
    this.pending.set(take, setTimeout(() => this.write(take), LATER_MS));
  }

  write(take) {
    clearTimeout(this.pending.get(take));
    this.pending.delete(take);
    const { key } = take.seed;
    const { takes, last } = this.seeds.get(key) ?? {};
    if (!takes?.includes(take) || take.running) return null;
    if (!take.newNotes.length) return forgetTake(take.id, key);
    return keepTake({ key, seed: take.seed.record, last }, { ...take.record, of: key });
  }

  /** Writes at once what waits to be written. */
  writeAll() { return Promise.all([...this.pending.keys()].map((take) => this.write(take))); }

  forget(take) {
    clearTimeout(this.pending.get(take));
    this.pending.delete(take);
    this.dispatchEvent(new Event("change"));
    return forgetTake(take.id, take.seed.key);
  }

  /** Forgets everything, here and for the next visit. */
  async clear() {
    for (const timer of this.pending.values()) clearTimeout(timer);
    this.pending.clear();
    this.seeds.clear();
    this.thrown = [];
    await forgetAll();
    this.dispatchEvent(new Event("change"));
  }
}
