// The seed: which notes are to be carried on, and how the server is told of them.

import { hashNotes } from "./contenthash.js";
import { composers, seeds } from "./data.js";

const FRAMES_A_SECOND = 20;

/**
 * A piece and the part of it that is the seed.
 *
 * `kind` is "preset", "file", "played" or "none"; `start` and `length` are the part, in seconds. Notes
 * of a file have the number of their `track`, from 1; `tracks` are the names of these.
 */
export class Seed {
  constructor({ kind, name = null, title, composer = "", notes, midi = null, tracks = [], remarks = [], start = 0, length = 10 }) {
    // A file is told of as it is: its tempo and metre are in it, which are not in its notes.
    Object.assign(this, { kind, name, title, composer, notes, midi, tracks, remarks, start, length });
  }

  static preset(name) {
    const told = seeds.find((seed) => seed.name === name) ?? seeds[0];
    return new Seed({ ...told, kind: "preset" });
  }

  /** No notes: the network begins by itself. */
  static none() {
    return new Seed({ kind: "none", name: "none", title: "A new piece", notes: [] });
  }

  /** Where the piece ends, seconds. */
  get pieceEnd() { return endOf(this.notes); }

  /** How long the part is: to the end of the piece at most, in whole frames; no notes take no time. */
  get seconds() {
    if (!this.part.length) return 0;
    const seconds = Math.min(this.length, this.pieceEnd - this.start);
    return Math.max(0, Math.ceil(Math.round(seconds * FRAMES_A_SECOND * 1e6) / 1e6) / FRAMES_A_SECOND);
  }

  /** The part's notes, from 0. */
  get part() {
    const end = this.start + this.length;
    return this.notes
      .filter((note) => note.start >= this.start && note.start < end)
      .map((note) => ({
        ...note,
        start: note.start - this.start,
        end: Math.min(note.end, end) - this.start,
      }));
  }

  /** What comes after the part in the piece, from 0: how its composer goes on. */
  rest(seconds) {
    const from = this.start + this.length;
    return this.notes
      .filter((note) => note.start >= from && note.start < from + seconds)
      .map((note) => ({
        ...note,
        start: note.start - from,
        end: Math.min(note.end, from + seconds) - from,
      }));
  }

  /** Two seeds with one key are the same music, under one title. */
  get key() {
    if (["preset", "none"].includes(this.kind)) {
      return this.start === 0 && this.length === 10
        ? this.name : `${this.name} ${this.start} ${this.length}`;
    }
    return `${hashNotes(this.notes)} ${this.title} ${this.start} ${this.length}`;
  }

  /** The same part with other notes: a piece of its own, that no file and no preset tells of. */
  changedTo(notes) {
    return new Seed({ ...this.record, kind: "played", midi: null, notes, start: 0 });
  }

  /** The seed as plain values, from which it can be made again. */
  get record() {
    const { kind, name, title, composer, notes, midi, tracks, remarks, start, length } = this;
    return { kind, name, title, composer, notes, midi, tracks, remarks, start, length };
  }

  /** The name by which the composer's style can be asked for; null where there is none. */
  get shortComposer() {
    return Object.keys(composers).find((name) => composers[name] === this.composer) ?? null;
  }

  get fullTitle() { return this.composer ? `${this.composer}: ${this.title}` : this.title; }

  /** The arguments that tell an endpoint of the seed. */
  get told() {
    const part = { seed_start: this.start, seed_seconds: this.length };
    if (this.kind === "preset") return { seed: this.name, ...part };
    if (this.midi) return { midi: this.midi, ...part };
    return { notes: this.neededNotes, ...part };
  }

  /** The notes the server needs: the part, and the last note, which tells where the piece ends. */
  get neededNotes() {
    const end = this.start + this.length;
    if (!this.notes.length) return [];
    const last = this.notes.reduce((one, note) => (note.end > one.end ? note : one), this.notes[0]);
    return this.notes
      .filter((note) => (note.start >= this.start && note.start < end) || note === last)
      .map(({ pitch, start, end: till, velocity }) => ({ pitch, start, end: till, velocity }));
  }
}

/** The latest offset, seconds. */
export function endOf(notes) {
  return notes.reduce((latest, note) => Math.max(latest, note.end), 0);
}

export const byOnset = (a, b) => a.start - b.start || a.pitch - b.pitch;
