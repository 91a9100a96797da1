// A take: one continuation of a seed, while it is made and afterwards.

import { call, startCall, waitingWords } from "./client.js";
import { modelOf } from "./data.js";
import { byOnset } from "./seed.js";

/**
 * Events: `grow` when notes have come, `state` when `words` change, `end` when it is made, stopped
 * or has failed.
 */
export class Take extends EventTarget {
  constructor(seed, settings) {
    super();
    this.seed = seed;
    this.settings = { ...settings };
    this.seedNotes = seed ? seed.part : [];
    this.seedSeconds = seed ? seed.seconds : 0;
    this.ended = [];
    this.held = [];
    this.seconds = 0;
    this.running = false;
    this.stopped = false;
    this.error = null;
    this.facts = null;
    this.words = "";
  }

  get model() { return modelOf(this.settings.model); }

  /** Seed and continuation as one piece. */
  get notes() { return [...this.seedNotes, ...this.ended, ...this.held].sort(byOnset); }

  get newNotes() { return [...this.ended, ...this.held]; }

  /** Where the piece ends so far, seconds. */
  get end() { return this.seedSeconds + this.seconds; }

  /** Where the piece will end. */
  get wholeEnd() {
    return this.seedSeconds + (this.running ? this.settings.seconds : this.seconds);
  }

  /** Has the server make the take; notes come while it does. */
  make() {
    this.running = true;
    this.error = null;
    this.say("Reading the seed");
    const before = { facts: this.facts, seconds: this.seconds };
    this.facts = null;
    // What a longer version of the take brings again replaces what was there.
    const fresh = { ended: [], held: [], seconds: 0 };
    this.call = startCall("continue_stream", { ...this.seed.told, ...this.settings }, {
      waiting: () => this.say(waitingWords(this.model?.title)),
      data: ([told]) => this.take(told, fresh),
    });
    this.call.done.then(
      (last) => this.finish(last === null, before),
      (error) => this.fail(error, before),
    );
    return this.call.done.catch(() => null);
  }

  take(told, fresh) {
    if (told.result) return this.takeResult(told.result);
    const moved = (note) => ({
      ...note,
      start: note.start + this.seedSeconds,
      end: note.end + this.seedSeconds,
      isNew: true,
    });
    fresh.ended.push(...told.notes.map(moved));
    fresh.held = told.sounding.map((note) => ({ ...moved(note), held: true }));
    fresh.seconds = told.seconds;
    // A take that grows longer is shown as it was until there is more of it.
    if (fresh.seconds < this.seconds) return;
    this.ended = [...fresh.ended];
    this.held = fresh.held;
    this.seconds = fresh.seconds;
    this.say(`Playing: ${Math.round(this.seconds)} of ${this.settings.seconds} seconds`);
    this.dispatchEvent(new Event("grow"));
  }

  /** What is known when all has been played. */
  takeResult(result) {
    const [told] = result.takes;
    this.seedNotes = told.seed_notes;
    this.seedSeconds = told.seed_seconds;
    this.ended = told.notes.map((note) => ({ ...note, isNew: true }));
    this.held = [];
    this.seconds = told.settings.seconds;
    this.facts = {
      revision: result.model.revision,
      remarks: [...result.remarks, ...told.remarks],
      composer: told.composer,
      returns: told.rescues.map(({ seconds }) => told.seed_seconds + seconds),
      speed: told.real_time_factor,
      // With the tempo, metre and marker of the seed; the same bytes as from API and shell.
      midi: told.midi.url,
      words: told.measures.in_words,
    };
  }

  finish(stopped, before) {
    this.running = false;
    this.stopped = stopped;
    if (stopped) {
      this.keepWhatIsThere(before);
      this.say(this.seconds
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
    this.settings.seconds = Math.max(1, Math.round(this.seconds));
    if (this.seconds === before.seconds) this.facts = before.facts;
    else this.measure().catch((error) => console.warn(error));
  }

  /** Has the server measure what there is. */
  async measure() {
    const notes = this.notes.map(({ pitch, start, end, velocity }) => ({ pitch, start, end, velocity }));
    const [told] = await call("evaluate", { notes, skip: this.seedSeconds });
    // It may have been made longer meanwhile.
    if (this.running) return;
    const { revision } = this.model;
    this.facts = { revision, remarks: told.remarks, speed: null, words: told.measures.in_words };
    this.dispatchEvent(new Event("measured"));
  }

  /** Really stops the work: the server lets its worker go. */
  stop() { this.call?.cancel(); }

  say(words) {
    this.words = words;
    this.dispatchEvent(new Event("state"));
  }
}
