// The view "Continue": a seed, a button, and what the network plays from there.

import { Along } from "./along.js";
import { Bench } from "./bench.js";
import { limits, takes } from "./data.js";
import { byId } from "./elements.js";
import { showPlaying } from "./icons.js";
import { readLink, writeLink } from "./link.js";
import { clock } from "./pitch.js";
import { Roll } from "./roll.js";
import { SaveMenu } from "./save.js";
import { Seed, endOf } from "./seed.js";
import { SeedPicker } from "./seedpicker.js";
import { BIGGEST_RNG, SettingsForm } from "./settings.js";
import { Shelf } from "./shelf.js";
import { Take } from "./take.js";
import { TakeList } from "./takelist.js";
import { Transport } from "./transport.js";
import { factWords } from "./words.js";

const LEAST_CLOSE_S = 5;
const BEFORE_JOIN_S = 2;
// The second half of a double click stops nothing.
const DOUBLE_MS = 500;

export class ContinueView extends EventTarget {
  constructor(stage) {
    super();
    this.stage = stage;
    this.player = stage.player;
    this.shelf = new Shelf();
    this.take = null;
    this.roll = new Roll(byId("roll"), { label: "Piano roll: time", selectable: true });
    this.roll.addEventListener("seek", (event) => {
      this.stage.own(this);
      this.player.seek(event.detail);
      this.roll.setTime(this.player.time);
      this.dispatchEvent(new Event("moment"));
    });
    this.form = new SettingsForm();
    this.form.addEventListener("change", () => this.showButtons());
    this.transport = new Transport(this);
    this.list = new TakeList(this);
    this.saveMenu = new SaveMenu(this);
    this.seed = Seed.preset();
    this.bench = new Bench(this);
    byId("go").addEventListener("click", () => this.goOrStop());
    byId("keep-going").addEventListener("click", () => this.keepGoing());
    byId("close").addEventListener("click", () => this.close());
    this.picker = new SeedPicker(stage, (seed) => this.chooseSeed(seed), this.shelf);
    this.along = new Along(this.picker.keyboard, this.player.piano, this.form, (notes) => (
      this.picker.takePlayed(notes)));
    this.picker.choosePreset();
    this.shelf.addEventListener("elsewhere", ({ detail }) => this.showElsewhere(detail));
    this.shelf.keeper.load().then(() => this.arrive());
  }

  /** Shows what was kept at an earlier visit, unless the visitor was quicker. */
  arrive() {
    if (!this.take && !this.making) this.showTake(this.shelf.lastOf(this.seed));
    this.hasArrived = true;
  }

  /** Shows what another tab has done with the takes; what is heard and chosen here stays. */
  showElsewhere({ renewed, gone }) {
    const { take } = this;
    if (renewed.includes(take)) {
      // The notes that a hand holds are others now.
      this.bench.editor.letGo();
      this.showTake(take);
    }
    if (gone.includes(take)) this.say("This take was thrown away in another tab. It is here until you choose another one.");
    this.picker.showOwnCards();
  }

  appear() { this.picker.reveal(); }

  get making() { return this.takeList.some((take) => take.running); }

  get takeList() { return this.shelf.of(this.seed); }

  /** Whether the server works for this view. */
  get busy() { return this.making || Boolean(this.bench?.working); }

  goOrStop() {
    if (this.busy && performance.now() - this.clickedAt < DOUBLE_MS) return;
    if (this.busy) this.stop();
    else this.continueSeed(Number(byId("takes").value));
  }

  stop() {
    this.wanted = 0;
    this.bench?.stop();
    for (const take of this.takeList) if (take.running) take.stop();
  }

  toggle() { this.transport.toggle(); }

  // --- Seeds and takes ------------------------------------------------------------------------

  chooseSeed(seed) {
    if (this.busy) this.stop();
    this.seed = seed;
    this.stage.own(this);
    this.player.pause();
    this.player.loop = null;
    this.roll.clearRegion();
    this.say("");
    if (seed.kind !== "preset") this.shelf.remember(seed);
    this.player.position = 0;
    this.showTake(this.shelf.lastOf(seed));
    this.player.seek(0);
    this.roll.left = 0;
    this.roll.scale = null;
    this.dispatchEvent(new Event("seed"));
  }

  /** Makes takes one after the other; the first one is heard while it is made. */
  async continueSeed(count) {
    if (!this.seed) return this.say("Choose a seed first.", true);
    this.prepareToPlay();
    this.wanted = count;
    const first = this.freshSettings();
    const { seed } = this;
    const edited = this.take?.editedSeed ?? null;
    for (let i = 0; i < count && this.wanted && seed === this.seed; i++) {
      const take = new Take(seed, { ...first, rng: (first.rng + i) % (BIGGEST_RNG + 1) }, null, edited);
      if (edited) take.how = "seed changed by hand";
      byId("rng").value = take.settings.rng;
      this.shelf.add(take);
      await this.makeTake(take, i === 0);
      if (take.error || take.stopped) break;
    }
  }

  /** Makes a take that plays on from a moment of the piece; what is before stays. */
  async playFrom(seconds, { ending = false } = {}) {
    const { take, seed } = this;
    if (this.busy) return;
    this.prepareToPlay();
    const notes = take ? take.notes : seed.part;
    const settings = { ...this.freshSettings(), ...this.style };
    if (ending) Object.assign(settings, { ending: true, seconds: Math.max(LEAST_CLOSE_S, settings.seconds) });
    // Where nothing sounds at the moment, it goes on from the end of what did.
    const from = Math.min(seconds, endOf(notes.filter((note) => note.start < seconds)));
    const base = { notes, from, marks: take?.marks ?? [] };
    const next = new Take(seed, settings, base, take?.editedSeed);
    next.how = ending ? "brought to a close" : `on from ${clock(seconds)}`;
    this.shelf.add(next);
    byId("rng").value = settings.rng;
    await this.makeTake(next, true);
  }

  /** Brings what is there to a close. */
  close() {
    const { take, seed } = this;
    return this.playFrom(take ? take.end : seed.seconds, { ending: true });
  }

  /** Whose style notes that were made already are played on in: the one asked for, else theirs. */
  get style() {
    const { settings, model } = this.form;
    const composer = settings.composer ?? this.take?.facts?.composer ?? this.seed.shortComposer;
    return model.composers.includes(composer) ? { composer } : {};
  }

  prepareToPlay() {
    this.player.piano.wake();
    this.clickedAt = performance.now();
    this.player.firstSound = null;
    this.player.timesDry = 0;
    this.player.loop = null;
    this.lookAtRoll();
  }

  /** Brings what is about to happen into sight, and the keys to it. */
  lookAtRoll() {
    byId("roll").focus({ preventScroll: true });
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    byId("take").scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  }

  /** The settings, with a number that no take of these settings has yet: each click plays anew. */
  freshSettings() {
    const told = this.form.settings;
    const same = (a, b) => JSON.stringify({ ...a, seconds: 0 }) === JSON.stringify({ ...b, seconds: 0 });
    const longEnough = (take) => take.settings.seconds >= told.seconds || take.stopped;
    const known = [...this.takeList, ...this.shelf.thrown.map(({ take }) => take)];
    while (known.some((take) => same(take.settings, told) && longEnough(take))) told.rng += 1;
    return told;
  }

  makeTake(take, isHeard) {
    this.listenTo(take);
    if (isHeard) {
      this.showTake(take);
      // The join is to be heard.
      this.startsAt = Math.max(0, take.from - BEFORE_JOIN_S);
    }
    const made = take.make();
    this.showButtons();
    return made;
  }

  listenTo(take) {
    if (take.isListenedTo) return;
    take.isListenedTo = true;
    take.addEventListener("state", () => this.sayState(take));
    take.addEventListener("grow", () => this.onGrow(take));
    take.addEventListener("end", () => this.onEnd(take));
    take.addEventListener("measured", () => {
      this.shelf.changed(take);
      if (take === this.take) this.showFacts();
    });
    take.addEventListener("change", () => {
      this.shelf.replace(take);
      if (take === this.take) this.showTake(take);
    });
  }

  /** Words of the take that is shown; of another one only while that one is made. */
  sayState(take) {
    if (take === this.take) this.say(take.words, take.error);
    else if (take.running && !this.take?.running) this.say(`Take ${take.number}. ${take.words}`);
  }

  onGrow(take) {
    if (take !== this.take) return;
    this.showNotes();
    if (this.startsAt !== null && this.stage.owner === this) {
      // A seed that is being played goes over into its continuation without a break.
      if (!this.player.playing) this.player.play(Math.min(this.startsAt, take.end));
      this.startsAt = null;
    }
  }

  onEnd(take) {
    const isNothing = !take.newNotes.length;
    if (isNothing) this.shelf.drop(take);
    else this.shelf.changed(take);
    if (take === this.take) {
      this.startsAt = null;
      this.showTake(isNothing ? this.shelf.lastOf(this.seed) : take);
      if (take.error) this.say(take.error.message, true);
      else if (take.words) this.say(take.words);
      else if (isNothing) {
        // By a threshold nothing is drawn: another number would be silent, too. The server has
        // looked for a threshold that plays.
        const why = take.facts?.remarks.find((remark) => remark.startsWith("by the threshold"));
        this.say(`The network stayed silent${why ? `: ${why}` : ". Try another random number"}.`);
      }
    } else if (!this.making) this.say(take.error?.message, take.error);
    this.showButtons();
  }

  /** The same take, longer by as much as is asked for: what is there stays as it is. */
  keepGoing() {
    const { take } = this;
    if (!take || take.running) return;
    this.prepareToPlay();
    const from = this.player.playing ? null : Math.max(0, take.end - 2);
    // One that another tab has thrown away is wanted here.
    if (!this.takeList.includes(take)) this.shelf.add(take);
    this.listenTo(take);
    take.makeLonger(this.longer);
    this.showTake(take);
    this.startsAt = from;
  }

  /** By how much a take can grow: the length asked for, to the longest the server makes. */
  get longer() {
    const { take } = this;
    return Math.min(this.form.settings.seconds, limits.longest - Math.round(take?.seconds ?? 0));
  }

  /** Puts a take that something else has made on the shelf, and shows it. */
  addTake(take) {
    this.listenTo(take);
    this.shelf.add(take);
    if (take.seed.key !== this.seed.key) this.picker.choose(take.seed);
    // Another take of it is then by the same model.
    this.setAs(take);
    this.showTake(take);
  }

  /** Shows the seed as it is being changed by hand; null when all changes are undone. */
  showSketch(take) {
    if (take) {
      this.listenTo(take);
      this.shelf.sketch(take);
    } else this.shelf.unsketch(this.seed);
    this.showTake(take);
  }

  chooseTake(take) {
    this.stage.own(this);
    const { playing, time } = this.player;
    this.player.pause();
    this.showTake(take);
    this.say(take.words, take.error);
    this.setAs(take);
    if (playing) this.player.play(Math.min(time, take.end));
  }

  /** Sets the form as it was for a take; how long the next one is to be stays as the visitor set it. */
  setAs(take) { this.form.settings = { ...take.settings, seconds: undefined }; }

  // --- What is shown ----------------------------------------------------------------------------

  showTake(take) {
    const isAnother = take !== this.take;
    if (isAnother) this.roll.chosen = null;
    this.take = take;
    if (take) {
      this.listenTo(take);
      this.shelf.show(take);
    }
    byId("take-title").textContent = this.seed.fullTitle;
    this.showNotes();
    if (isAnother && this.player.loop) this.player.loop = this.roll.region;
    this.showButtons();
    this.showFacts();
    this.dispatchEvent(new Event("take"));
  }

  showFacts() {
    const { take } = this;
    const known = take?.facts?.words && !take.running;
    byId("facts").replaceChildren(...(known ? factWords(take, this.player.piano.credit) : []));
  }

  showNotes() {
    const { take, seed } = this;
    const notes = take ? take.notes : seed.part;
    const seedSeconds = take ? take.seedSeconds : seed.seconds;
    this.shown = notes;
    const end = take ? take.wholeEnd : Math.max(seedSeconds, endOf(notes));
    const returns = take?.facts?.returns ?? [];
    const growing = Boolean(take?.running);
    this.roll.setPiece({ notes, seedSeconds, end, returns, marks: take?.marks ?? [], growing });
    if (this.stage.owner === this) {
      this.player.setNotes(notes, take ? Math.max(take.end, growing ? 0 : endOf(notes)) : end, !growing);
    }
    byId("length").textContent = clock(end);
  }

  showButtons() {
    const { busy, take } = this;
    const go = byId("go");
    const count = Number(byId("takes").value);
    const hasNew = Boolean(take?.newNotes.length);
    const many = count > 1 ? `${count} ${hasNew ? "more takes" : "takes"}` : "";
    go.textContent = busy ? "Stop" : many || (hasNew ? "Another take" : "Continue");
    go.classList.toggle("stop", busy);
    const isMade = hasNew && !take.running;
    const { longer } = this;
    byId("keep-going").hidden = !isMade || longer < 1 || Boolean(take.isClosed);
    byId("keep-going").textContent = `Keep going, ${longer < 60 ? `${longer} s` : `${clock(longer)} min`} longer`;
    byId("keep-going").disabled = busy;
    byId("close").hidden = !isMade || Boolean(take.isClosed) || !takes("continue_stream", "ending");
    byId("close").disabled = busy;
    byId("save").hidden = !isMade;
    byId("made").hidden = !isMade;
    this.bench?.show();
  }

  // --- Links --------------------------------------------------------------------------------------

  async copyLink() {
    history.replaceState(history.state, "", await writeLink(this.take));
    try {
      await navigator.clipboard.writeText(location.href);
      return "The link is copied. It opens this page with the same seed, settings and notes.";
    } catch {
      return "The address of this page is now the link: copy it from the address bar.";
    }
  }

  /** Restores what a link holds, and has the same notes made. */
  async restore(hash) {
    const { seed, settings, notes, seconds } = await readLink(hash);
    // A link may be opened while something plays: nothing new sounds before a click.
    this.player.pause();
    this.form.settings = settings;
    this.picker.choose(seed);
    if (notes) {
      const take = Take.ofNotes(seed, settings, notes, { seconds, how: "from a link" });
      this.addTake(take);
      return take.measure();
    }
    const same = this.takeList.find((take) => take.isRepeatable && sameSettings(take.settings, settings));
    if (same) return this.showTake(same);
    this.makeTake(this.shelf.add(new Take(seed, settings)), true);
    // Browsers want a click before anything may sound.
    this.startsAt = null;
  }

  say(words, wrong = false) {
    byId("words").textContent = words ?? "";
    byId("words").classList.toggle("wrong", Boolean(wrong));
  }

  // --- The stage ------------------------------------------------------------------------------

  /** Called when this view gets the player back. */
  takeOver() { this.showNotes(); }

  frame(time, playing) {
    this.roll.setTime(time, playing);
    this.transport.showTime(time);
    this.bench.follow();
  }
}

function sameSettings(a, b) {
  const names = ["model", "seconds", "temperature", "threshold", "density", "rng", "composer", "guidance",
    "quantise"];
  return names.every((name) => (a[name] ?? null) === (b[name] ?? null)) && !a.ending === !b.ending;
}
