// The keeper: writes the takes of the shelf to the browser's store, and takes over what other tabs have written.

import { randomName } from "./client.js";
import { Seed } from "./seed.js";
import { forgetTake, hearOthers, keepDraft, keepTake, read } from "./store.js";
import { Take } from "./take.js";

const LATER_MS = 400;

export class Keeper {
  constructor(shelf) {
    this.shelf = shelf;
    this.pending = new Map(); // take -> timer
    addEventListener("pagehide", () => this.writeAll());
    // A page that the browser had put aside meanwhile has heard nothing.
    addEventListener("pageshow", (event) => event.persisted && this.load());
    hearOthers((key) => this.load(key));
  }

  /**
   * Takes over what is kept, of one seed or of all: from an earlier visit, or from another tab.
   *
   * What was written here since it was asked for is newer than the answer, and stays.
   */
  async load(key = null) {
    const { shelf } = this;
    const asked = key === null ? [...shelf.seeds.keys()] : [key];
    const before = new Map(asked.flatMap((one) => shelf.takesOf(one)).map((take) => [take, take.stamp]));
    const records = await read(key);
    if (!records) return;
    const changes = { renewed: [], gone: [] };
    // The latest seed comes last, as one that is remembered does.
    for (const record of records.reverse()) {
      try {
        this.takeOver(record, before, changes);
      } catch (error) {
        console.warn("A kept take could not be read.", error);
      }
    }
    const kept = new Set(records.flatMap(({ takes }) => takes.map(({ id }) => id)));
    for (const [take, stamp] of before) {
      if (stamp !== null && stamp === take.stamp && !kept.has(take.id)) this.loseTake(take, changes.gone);
    }
    shelf.dispatchEvent(new Event("change"));
    shelf.dispatchEvent(new CustomEvent("elsewhere", { detail: changes }));
  }

  takeOver(record, before, { renewed }) {
    const held = this.shelf.seeds.get(record.key) ?? this.seedFrom(record);
    if (!held) return;
    for (const told of record.takes.sort((a, b) => a.number - b.number)) {
      // One that was thrown away here while this was read does not come back.
      const take = [...before.keys(), ...held.takes].find(({ id }) => id === told.id);
      if (!take) {
        const fresh = Take.fromRecord(held.seed, told);
        this.shelf.number(fresh, held);
        held.takes.push(fresh);
      } else if (told.stamp !== take.stamp && before.get(take) === take.stamp && !this.isChanging(take)) {
        take.restore(told);
        renewed.push(take);
      }
    }
  }

  seedFrom({ key, seed: told, last, draft }) {
    const seed = new Seed(told);
    if (seed.key !== key) return null;
    const held = { seed, takes: [], last, draft: draft ? Take.fromRecord(seed, draft) : null };
    this.shelf.seeds.set(key, held);
    return held;
  }

  /** Whether the take here will differ from what is kept, and then stand beside it. */
  isChanging(take) { return Boolean(take.running) || this.pending.has(take); }

  /** Lets a take go that another tab has thrown away, unless more is being made of it here. */
  loseTake(take, gone) {
    const held = this.shelf.seeds.get(take.seed.key);
    take.stamp = null;
    if (take.running || !held) return;
    this.cancel(take);
    held.takes = held.takes.filter((one) => one !== take);
    gone.push(take);
  }

  // --- Writing ------------------------------------------------------------------------------------

  /** Has a take written soon; many changes together are one. */
  later(take) {
    clearTimeout(this.pending.get(take));
    this.pending.set(take, setTimeout(() => this.write(take), LATER_MS));
  }

  cancel(take) {
    clearTimeout(this.pending.get(take));
    this.pending.delete(take);
  }

  cancelAll() {
    for (const take of [...this.pending.keys()]) this.cancel(take);
  }

  async write(take) {
    this.cancel(take);
    const { key } = take.seed;
    const held = this.shelf.seeds.get(key);
    if (!held || take.running) return;
    const seed = { key, seed: take.seed.record, last: held.last };
    if (held.draft === take) return keepDraft(seed, take.record);
    if (!held.takes.includes(take)) return;
    if (!take.newNotes.length) return forgetTake(take.id, key);
    const { stamp: before, id } = take;
    take.stamp = randomName();
    const kept = await keepTake(seed, { ...take.record, of: key, stamp: take.stamp }, before);
    if (!kept) take.stamp = before;
    if (!kept || (kept.id === id && !kept.isGone)) return;
    // What another tab has made of it is shown beside it; or it has thrown it away.
    take.id = kept.id;
    if (held.last === id) held.last = kept.id;
    await this.load(key);
  }

  /** Writes at once what waits to be written. */
  writeAll() { return Promise.all([...this.pending.keys()].map((take) => this.write(take))); }
}
