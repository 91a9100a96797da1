// The shelf: the takes of every seed, as long as the visitor stays. The keeper keeps them for longer.

import { hashNotes } from "./contenthash.js";
import { Keeper } from "./keeper.js";
import { forgetAll, forgetDraft, forgetTake, keepLast } from "./store.js";

/**
 * Events: `change` when the takes of a seed have changed; `elsewhere` when what is kept was read, with
 * the takes that another tab has changed, `renewed`, and thrown away, `gone`.
 */
export class Shelf extends EventTarget {
  constructor() {
    super();
    this.seeds = new Map(); // seed key -> { seed, takes, last, highest, draft }; last is a take's id
    this.thrown = []; // takes that were thrown away, the latest last
    this.keeper = new Keeper(this);
  }

  of(seed) { return this.takesOf(seed?.key); }

  takesOf(key) { return this.seeds.get(key)?.takes ?? []; }

  /** The seeds that are not presets, the latest first. */
  get ownSeeds() {
    const own = [...this.seeds.values()].filter(({ seed }) => !["preset", "none"].includes(seed.kind));
    return own.map(({ seed }) => seed).reverse();
  }

  seedOf(key) { return this.seeds.get(key)?.seed ?? null; }

  /** Remembers a seed, so that it can be chosen again; of a piece's other parts those with takes or changes. */
  remember(seed) {
    for (const [key, { seed: other, takes, draft }] of this.seeds) {
      const isSamePiece = other.title === seed.title && hashNotes(other.notes) === hashNotes(seed.notes);
      if (isSamePiece && !takes.length && !draft && key !== seed.key) this.seeds.delete(key);
    }
    const held = this.seeds.get(seed.key);
    if (held) this.seeds.delete(seed.key);
    this.seeds.set(seed.key, held ?? { seed, takes: [], last: null });
  }

  add(take) {
    this.remember(take.seed);
    const held = this.seeds.get(take.seed.key);
    if (held.draft === take) this.unsketch(take.seed);
    this.number(take, held);
    held.takes.push(take);
    this.changed(take);
    return take;
  }

  /** Gives a take a number that no other take of its seed has; two tabs may have given one to two. */
  number(take, held) {
    const others = held.takes.filter((one) => one !== take).map(({ number }) => number ?? 0);
    const highest = Math.max(0, ...others, held.highest ?? 0);
    if (!take.number || others.includes(take.number)) take.number = highest + 1;
    held.highest = Math.max(highest, take.number);
  }

  /** Remembers the seed as it was changed by hand: a take that has no new notes yet, and no place among the takes. */
  sketch(take) {
    this.remember(take.seed);
    this.seeds.get(take.seed.key).draft = take;
    this.keeper.later(take);
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
  unsketch(seed) {
    const held = this.seeds.get(seed.key);
    const { draft } = held;
    held.draft = null;
    this.keeper.cancel(draft);
    return forgetDraft(draft.id, seed.key);
  }

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
    const held = this.seeds.get(seed.key);
    this.number(last.take, held);
    held.takes.splice(last.place, 0, last.take);
    this.changed(last.take);
    return last.take;
  }

  /** The take of a seed that was shown last. */
  lastOf(seed) {
    const held = this.seeds.get(seed.key);
    const last = held && [...held.takes, held.draft].find((take) => take?.id === held.last);
    return last ?? held?.takes.at(-1) ?? held?.draft ?? null;
  }

  show(take) {
    const held = this.seeds.get(take.seed.key);
    if (held && held.last !== take.id) {
      held.last = take.id;
      keepLast(take.seed.key, take.id);
    }
  }

  /** Has what is known of a take written, and tells of it. */
  changed(take) {
    this.keeper.later(take);
    this.dispatchEvent(new Event("change"));
  }

  forget(take) {
    this.keeper.cancel(take);
    take.stamp = null;
    this.dispatchEvent(new Event("change"));
    return forgetTake(take.id, take.seed.key);
  }

  /** Forgets everything, here and for the next visit. */
  async clear() {
    this.keeper.cancelAll();
    this.seeds.clear();
    this.thrown = [];
    await forgetAll();
    this.dispatchEvent(new Event("change"));
  }
}
