// A take: one continuation of a seed, while it is made and afterwards.

import { addressOf, call, randomName, startCall, waitingWords } from "./client.js";
import { modelOf } from "./data.js";
import { byOnset, endOf } from "./seed.js";

export const plain = ({ pitch, start, end, velocity }) => ({ pitch, start, end, velocity });

const ROUNDING_S = 1e-6;

/**
 * A piece that begins with a seed: `before`, the notes that were there, and `ended` and `held`, those
 * that are made now. All are on one clock; new ones have `isNew`.
 *
 * Events: `grow` when notes have come, `state` when `words` change, `end` when it is made, stopped
 * or has failed, `change` when its notes have been changed by hand.
 */
export class Take extends EventTarget {
  /**
   * @param {Seed} seed what it began with
   * @param {object} settings as the server takes them; `seconds` is how much is played from `from` on
   * @param {object} base `{notes, from, marks}`: a piece that is played on from a moment; none to
   *   carry on the seed
   * @param {Array} edited notes in the place of the seed's, where these were changed by hand before it
   *   was carried on
   */
  constructor(seed, settings, base = null, edited = null) {
    super();
    this.id = randomName();
    this.seed = seed;
    this.edited = edited;
    this.settings = { ...settings };
    const begun = edited ? seed.changedTo(edited) : seed;
    // Played on from within the seed, there is less of it.
    this.seedSeconds = base ? Math.min(begun.seconds, base.from) : begun.seconds;
    this.before = base ? base.notes.filter((note) => note.start < base.from) : begun.part;
    this.base = base;
    this.from = base ? base.from : begun.seconds;
    this.marks = base ? base.marks.filter((at) => at < base.from) : [];
    if (base && base.from > this.seedSeconds + ROUNDING_S) this.marks.push(base.from);
    this.ended = [];
    this.held = [];
    this.made = 0; // seconds played from `from` on
    this.running = false;
    this.stopped = false;
    this.starred = false;
    this.error = null;
    this.facts = null;
    this.words = "";
    this.how = ""; // what was done, where it is not simply a continuation
    this.past = []; // earlier states of its notes, for undo
    this.stamp = null; // names the record of it that this tab has written or read last
  }

  get model() { return modelOf(this.settings.model); }

  /** Seed and continuation as one piece. */
  get notes() { return [...this.before, ...this.ended, ...this.held].sort(byOnset); }

  get seedNotes() { return this.notes.filter((note) => !note.isNew); }

  get newNotes() { return this.notes.filter((note) => note.isNew); }

  /** The seed as it is here, where it was changed by hand before it was carried on; else null. */
  get editedSeed() {
    return this.edited || !this.newNotes.length ? this.seedNotes.map(plain) : null;
  }

  /** Where the piece ends so far, seconds. */
  get end() { return Math.max(this.from + this.made, this.seedSeconds); }

  /** How long the piece is after its seed, seconds. */
  get seconds() { return Math.max(0, this.end - this.seedSeconds); }

  /** Where the piece will end. */
  get wholeEnd() { return this.running ? this.from + this.settings.seconds : this.end; }

  /** Whether the same seed and settings give these notes again. */
  get isRepeatable() { return !this.base && !this.edited && !this.isFixed; }

  /** What the server is to carry on, and from where. */
  get told() {
    if (!this.base) return (this.edited ? this.seed.changedTo(this.edited) : this.seed).told;
    return { notes: this.before.map(plain), from_seconds: this.from };
  }

  /** Has the server make the take; notes come while it does. */
  make() {
    this.running = true;
    this.error = null;
    this.say("Reading the seed");
    const before = { facts: this.facts, made: this.made };
    this.facts = null;
    // What a longer version of the take brings again replaces what was there.
    const fresh = { ended: [], made: 0 };
    this.call = startCall("continue_stream", { ...this.told, ...this.settings }, {
      waiting: () => this.say(waitingWords(this.model?.title)),
      data: ([told]) => this.take(told, fresh),
    });
    this.call.done.then(
      (last) => this.finish(last === null, before),
      (error) => this.fail(error, before),
    );
    return this.call.done.catch(() => null);
  }

  /** Goes on from its end for so many seconds; what is there stays as it is. */
  makeLonger(seconds) {
    this.marks = [...this.marks, this.end];
    if (this.isFixed) {
      const { notes } = this;
      // A silence at the end is not a moment of the piece to the server.
      this.from = Math.min(this.end, endOf(notes));
      this.base = { notes, from: this.from };
      Object.assign(this, { before: notes, ended: [], made: 0, isFixed: false });
      this.settings.seconds = seconds;
    } else this.settings.seconds = Math.round(this.settings.seconds) + seconds;
    return this.make();
  }

  take(told, fresh) {
    if (told.result) return this.takeResult(told.result);
    const moved = (note) => ({
      ...note, start: note.start + this.from, end: note.end + this.from, isNew: true,
    });
    fresh.ended.push(...told.notes.map(moved));
    fresh.made = told.seconds;
    // A take that grows longer is shown as it was until there is more of it.
    if (fresh.made < this.made) return;
    this.ended = [...fresh.ended];
    this.held = told.sounding.map((note) => ({ ...moved(note), held: true }));
    this.made = fresh.made;
    this.say(`Playing: ${Math.round(this.made)} of ${this.settings.seconds} seconds`);
    this.dispatchEvent(new Event("grow"));
  }

  /** What is known when all has been played. */
  takeResult(result) {
    const [told] = result.takes;
    if (!this.base) this.seedSeconds = told.seed_seconds;
    const isNew = (note) => Boolean(this.base) && note.start >= this.seedSeconds - ROUNDING_S;
    this.before = told.seed_notes.map((note) => (isNew(note) ? { ...note, isNew: true } : note));
    this.from = told.seed_seconds;
    this.ended = told.notes.map((note) => ({ ...note, isNew: true }));
    this.held = [];
    this.made = told.settings.seconds;
    if (told.settings.ending) {
      // A close comes when it comes, within what was asked for.
      this.made = Math.max(endOf(this.ended) - this.from, 0) || this.made;
      this.isClosed = true;
    }
    this.facts = {
      revision: result.model.revision,
      remarks: [...result.remarks, ...told.remarks],
      composer: told.composer,
      quantise: told.quantise,
      returns: told.rescues.map(({ seconds }) => told.seed_seconds + seconds),
      speed: told.real_time_factor,
      // With the tempo, metre and marker of the seed; the same bytes as from API and shell.
      midi: addressOf(told.midi),
      words: told.measures.in_words,
    };
  }

  finish(stopped, before) {
    this.running = false;
    this.stopped = stopped;
    if (stopped) {
      this.keepWhatIsThere(before);
      this.say(this.made
        ? `Stopped after ${this.settings.seconds} seconds. What was made stays.`
        : "Stopped before the first note.");
    } else this.say("");
    this.dispatchEvent(new Event("end"));
  }

  fail(error, before) {
    this.running = false;
    this.error = error;
    this.keepWhatIsThere(before);
    console.warn(error);
    this.say(error.message);
    this.dispatchEvent(new Event("end"));
  }

  /** A take that did not come to its end is as long as what there is of it. */
  keepWhatIsThere(before) {
    // Keys that were down are let go there.
    this.ended.push(...this.held.map(({ held, ...note }) => note));
    this.held = [];
    this.settings.seconds = Math.max(1, Math.round(this.made));
    if (this.made === before.made) this.facts = before.facts;
    else if (this.newNotes.length) this.measure();
  }

  /** Has the server measure what there is. */
  async measure() {
    const asked = this.past.length;
    try {
      const [told] = await call("evaluate", { notes: this.notes.map(plain), skip: this.seedSeconds });
      // It may have been changed meanwhile.
      if (this.running || this.past.length !== asked) return;
      const { revision } = this.model ?? {};
      const { composer } = this.facts ?? {};
      this.facts = { revision, composer, remarks: told.remarks, speed: null, words: told.measures.in_words };
      this.dispatchEvent(new Event("measured"));
    } catch (error) {
      console.warn(error);
    }
  }

  // --- Changes by hand ----------------------------------------------------------------------------

  /** Puts other notes in the place of its own; `undo` brings these back. */
  change(notes) {
    this.past.push({
      before: this.before, ended: this.ended, from: this.from, made: this.made, base: this.base,
      isFixed: this.isFixed, facts: this.facts, marks: this.marks,
    });
    this.put(notes);
    this.dispatchEvent(new Event("change"));
  }

  /** Takes the notes as they are, whatever made them. */
  put(notes) {
    const { end } = this;
    this.before = notes.filter((note) => !note.isNew);
    this.ended = notes.filter((note) => note.isNew);
    this.held = [];
    this.from = this.seedSeconds;
    this.made = Math.max(end, endOf(notes)) - this.seedSeconds;
    this.base = null;
    this.isFixed = true;
    // What is told of it was told of other notes.
    if (this.facts) this.facts = { composer: this.facts.composer, revision: this.facts.revision };
  }

  get canUndo() { return this.past.length > 0 && !this.running; }

  undo() {
    const earlier = this.past.pop();
    if (!earlier) return;
    Object.assign(this, earlier, { held: [] });
    this.dispatchEvent(new Event("change"));
  }

  /** Really stops the work: the server lets its worker go. */
  stop() { this.call?.cancel(); }

  say(words) {
    this.words = words;
    this.dispatchEvent(new Event("state"));
  }

  // --- Kept in the browser ------------------------------------------------------------------------

  /** The take as plain values. */
  get record() {
    const { id, edited, settings, from, made, marks, starred, facts, how, number, seedSeconds } = this;
    return {
      id, edited, settings, from, made, marks, starred, facts, how, number, seedSeconds,
      isFixed: Boolean(this.isFixed), isClosed: Boolean(this.isClosed),
      before: this.before, ended: this.ended, isBased: Boolean(this.base),
      // Notes that did not change are the same ones in all of them, and are kept once.
      past: [...this.past],
    };
  }

  static fromRecord(seed, told) {
    const take = new Take(seed, told.settings);
    take.restore(told);
    return take;
  }

  /** Becomes what a record tells; a number that it has already it keeps. */
  restore(told) {
    const { isBased, of, ...rest } = told;
    Object.assign(this, rest, { base: null, number: this.number ?? rest.number });
    // What it was played on from is in its notes; from here on they are what they are.
    this.isFixed = told.isFixed || isBased;
    if (this.isFixed) {
      this.made = this.from + this.made - this.seedSeconds;
      this.from = this.seedSeconds;
    }
  }

  /** A take of notes that something else has made, from what the take `like` is. */
  static ofNotes(seed, settings, notes, { seconds, how = "", marks = [], facts = null }) {
    const take = new Take(seed, settings);
    take.put(notes);
    Object.assign(take, { made: seconds, how, marks, facts });
    return take;
  }
}
