// The view "Continue": a seed, a button, and what the network plays from there.

import { limits } from "./data.js";
import { byId, make } from "./elements.js";
import { setIcon, showPlaying } from "./icons.js";
import { readLink, writeLink } from "./link.js";
import { clock, Roll } from "./roll.js";
import { saveTake } from "./save.js";
import { endOf } from "./seed.js";
import { SeedPicker } from "./seedpicker.js";
import { BIGGEST_RNG, SettingsForm } from "./settings.js";
import { Take } from "./take.js";
import { factWords } from "./words.js";

const MORE_S = 30;

export class ContinueView {
  constructor(stage) {
    this.stage = stage;
    this.player = stage.player;
    this.takes = new Map(); // seed key -> takes
    this.take = null;
    this.roll = new Roll(byId("roll"), { label: "Piano roll: time" });
    this.roll.addEventListener("seek", (event) => {
      this.stage.own(this);
      this.player.seek(event.detail);
      this.roll.setTime(this.player.time);
    });
    this.form = new SettingsForm();
    this.setUpButtons();
    this.picker = new SeedPicker(stage, (seed) => this.chooseSeed(seed));
    this.picker.choosePreset();
  }

  // --- Buttons --------------------------------------------------------------------------------

  setUpButtons() {
    byId("go").addEventListener("click", () => this.goOrStop());
    byId("play").addEventListener("click", () => this.toggle());
    setIcon(byId("zoom-in"), "plus");
    setIcon(byId("zoom-out"), "minus");
    byId("zoom-in").addEventListener("click", () => this.roll.zoom(1.6));
    byId("zoom-out").addEventListener("click", () => this.roll.zoom(1 / 1.6));
    byId("keep-going").addEventListener("click", () => this.keepGoing());
    byId("another").addEventListener("click", () => this.continueSeed(1));
    byId("save").addEventListener("click", (event) => this.save(event));
    document.addEventListener("click", (event) => {
      if (!byId("save").contains(event.target)) byId("save").open = false;
    });
    showPlaying(byId("play"), false);
    this.player.addEventListener("change", () => {
      showPlaying(byId("play"), this.stage.owner === this && this.player.playing);
    });
  }

  get making() { return this.takeList.some((take) => take.running); }

  get takeList() { return this.takes.get(this.seed?.key) ?? []; }

  goOrStop() {
    if (this.making) this.stop();
    else this.continueSeed(Number(byId("takes").value));
  }

  stop() {
    this.wanted = 0;
    for (const take of this.takeList) if (take.running) take.stop();
  }

  toggle() {
    this.stage.own(this);
    this.player.toggle();
  }

  // --- Seeds and takes ------------------------------------------------------------------------

  chooseSeed(seed) {
    if (this.seed && this.making) this.stop();
    this.seed = seed;
    this.stage.own(this);
    this.player.pause();
    this.say("");
    this.showTake(this.takeList.at(-1) ?? null);
    this.player.seek(0);
    this.roll.left = 0;
    this.roll.scale = null;
  }

  /** Makes takes one after the other; the first one is heard while it is made. */
  async continueSeed(count) {
    if (!this.seed) return this.say("Choose a seed first.", true);
    this.player.piano.wake();
    this.clickedAt = performance.now();
    this.player.firstSound = null;
    this.player.timesDry = 0;
    this.wanted = count;
    this.lookAtRoll();
    const first = this.freshSettings();
    for (let i = 0; i < count && this.wanted; i++) {
      const take = new Take(this.seed, { ...first, rng: (first.rng + i) % (BIGGEST_RNG + 1) });
      byId("rng").value = take.settings.rng;
      this.takes.set(this.seed.key, [...this.takeList, take]);
      await this.makeTake(take, i === 0);
      if (take.error || take.stopped) break;
    }
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
    while (this.takeList.some((take) => same(take.settings, told) && longEnough(take))) told.rng += 1;
    return told;
  }

  makeTake(take, heard) {
    take.addEventListener("state", () => this.sayState(take));
    take.addEventListener("grow", () => this.onGrow(take));
    take.addEventListener("end", () => this.onEnd(take));
    take.addEventListener("measured", () => take === this.take && this.showFacts());
    if (heard) {
      this.showTake(take);
      this.startsAt = take.seedSeconds;
    }
    const made = take.make();
    this.showButtons();
    return made;
  }

  /** Words of the take that is shown; of another one only while that one is made. */
  sayState(take) {
    if (take === this.take) this.say(take.words, take.error);
    else if (take.running && !this.take?.running) {
      this.say(`Take ${this.takeList.indexOf(take) + 1}. ${take.words}`);
    }
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
    if (take === this.take) {
      this.startsAt = null;
      this.showTake(take);
      if (take.error) this.say(take.error.message, true);
      else if (take.words) this.say(take.words);
      else if (!take.newNotes.length) {
        // By a threshold nothing is drawn: another number would be silent, too.
        this.say(`The network stayed silent. Try ${
          take.settings.threshold ? "a lower threshold" : "another random number"}.`);
      }
    } else if (!this.making) this.say(take.error?.message, take.error);
    if (take.error && !take.newNotes.length) {
      this.takes.set(take.seed.key, (this.takes.get(take.seed.key) ?? []).filter((t) => t !== take));
    }
    this.showButtons();
  }

  /** The same take, longer: what has been heard stays as it is. */
  keepGoing() {
    const { take } = this;
    if (!take || take.running) return;
    this.player.piano.wake();
    const seconds = Math.min(limits.seconds[1], Math.round(take.settings.seconds) + MORE_S);
    take.settings.seconds = seconds;
    const from = this.player.playing ? null : Math.max(0, take.end - 2);
    take.make();
    this.showTake(take);
    this.startsAt = from;
    this.lookAtRoll();
  }

  showTake(take) {
    this.take = take;
    byId("take-title").textContent = this.seed.fullTitle;
    this.showNotes();
    this.showButtons();
    this.showFacts();
  }

  showFacts() {
    const { take } = this;
    const known = take?.facts && !take.running;
    byId("facts").replaceChildren(...(known ? factWords(take, this.player.piano.credit) : []));
  }

  showNotes() {
    const { take, seed } = this;
    const notes = take ? take.notes : seed.part;
    const seedSeconds = take ? take.seedSeconds : seed.seconds;
    const end = take ? take.wholeEnd : Math.max(seedSeconds, endOf(notes));
    const returns = take?.facts?.returns ?? [];
    const piece = { notes, seedSeconds, end, returns, growing: Boolean(take?.running) };
    this.roll.setPiece(piece);
    if (this.stage.owner === this) {
      this.player.setNotes(notes, take ? Math.max(take.end, take.running ? 0 : endOf(notes)) : end,
        !take?.running);
    }
    byId("length").textContent = clock(end);
  }

  showButtons() {
    const { making, take } = this;
    const go = byId("go");
    go.textContent = making ? "Stop" : "Continue";
    go.classList.toggle("stop", making);
    const made = Boolean(take?.newNotes.length) && !take.running;
    byId("keep-going").hidden = !made || take.settings.seconds >= limits.seconds[1];
    byId("another").hidden = !made || making;
    byId("save").hidden = !made;
    const list = this.takeList;
    byId("takes-list").replaceChildren(...(list.length < 2 ? [] : list.map((one, i) =>
      make("button", {
        class: "chip",
        "aria-pressed": String(one === take),
        title: `${one.model?.title ?? one.settings.model}, number ${one.settings.rng}`,
        onclick: () => this.chooseTake(one),
      }, `Take ${i + 1}`))));
  }

  chooseTake(take) {
    this.stage.own(this);
    const { playing, time } = this.player;
    this.player.pause();
    this.showTake(take);
    this.say(take.words, take.error);
    this.form.settings = take.settings;
    if (playing) this.player.play(Math.min(time, take.end));
  }

  async save(event) {
    const form = event.target.dataset?.save;
    if (!form) return;
    byId("save").open = false;
    try {
      this.say(form === "link" ? "" : "Writing the file");
      this.say(form === "link" ? await this.copyLink() : await saveTake(this.take, form));
    } catch (error) {
      this.say(error.message, true);
    }
  }

  async copyLink() {
    const link = await writeLink(this.take.seed, this.take.settings);
    history.replaceState(null, "", link);
    try {
      await navigator.clipboard.writeText(location.href);
      return "The link is copied. It opens this page with the same seed, settings and notes.";
    } catch {
      return "The address of this page is now the link: copy it from the address bar.";
    }
  }

  /** Restores what a link holds, and has the same notes made. */
  async restore(hash) {
    const told = await readLink(hash);
    if (!told) return false;
    // A link may be opened while something plays: nothing new sounds before a click.
    this.player.pause();
    this.form.settings = told.settings;
    if (told.seed.kind === "preset" && told.seed.length === 10 && told.seed.start === 0) {
      this.picker.choosePreset(told.seed.name);
    } else if (told.seed.kind === "none") this.picker.chooseNone();
    else this.picker.showOwn(told.seed);
    const take = new Take(this.seed, told.settings);
    this.takes.set(this.seed.key, [...this.takeList, take]);
    this.makeTake(take, true);
    // Browsers want a click before anything may sound.
    this.startsAt = null;
    return true;
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
    byId("now").textContent = clock(time);
  }
}
