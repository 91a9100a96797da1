// Choosing a seed: cards of presets, a MIDI file and its ten seconds, or the keyboard.

import { call } from "./client.js";
import { limits, seeds } from "./data.js";
import { byId, make } from "./elements.js";
import { showPlaying } from "./icons.js";
import { Keyboard } from "./keyboard.js";
import { clock, Roll } from "./roll.js";
import { Seed } from "./seed.js";

const SHORT_S = 2;

/** A title without the collection that it is from. */
const shortTitle = (title) => title.replace(/ \(.*\)$/, "");

export class SeedPicker {
  constructor(stage, onSeed) {
    this.stage = stage;
    this.onSeed = onSeed;
    this.cards = new Map();
    this.makeCards();
    this.setUpFiles();
    this.setUpFrame();
    this.keyboard = new Keyboard(byId("keyboard-panel"), stage.piano, (notes) => this.takePlayed(notes));
    byId("open-keyboard").addEventListener("click", () => this.openKeyboard());
    stage.player.addEventListener("change", () => this.showPlaying());
  }

  // --- Presets --------------------------------------------------------------------------------

  makeCards() {
    for (const told of seeds) {
      const choose = make("button", {
        class: "choose", "aria-pressed": "false", onclick: () => this.choosePreset(told.name),
      },
      make("span", { class: "who" }, told.composer.split(" ").at(-1)),
      make("span", { class: "what", title: told.title }, shortTitle(told.title)));
      const mini = make("div", { class: "mini" });
      const play = make("button", { class: "icon", onclick: () => this.playPreset(told.name) });
      const card = make("div", { class: "card", "data-seed": told.name }, choose, mini, play);
      byId("cards").append(card);
      const roll = new Roll(mini, { plain: true, label: `Roll of ${told.title}` });
      roll.setPiece({ notes: told.notes, end: told.seconds });
      showPlaying(play, false, told.title);
      this.cards.set(told.name, { choose, play, title: told.title });
    }
    const choose = make("button", {
      class: "choose", "aria-pressed": "false", onclick: () => this.chooseNone(),
    },
    make("span", { class: "who" }, "No seed"),
    make("span", { class: "what" }, "The network begins by itself"));
    byId("cards").append(make("div", { class: "card", "data-seed": "none" }, choose));
    this.cards.set("none", { choose });
  }

  chooseNone() {
    this.say("");
    byId("seed-panel").hidden = true;
    this.mark("none");
    this.chosen = "none";
    this.onSeed(Seed.none());
  }

  choosePreset(name = seeds[0].name) {
    this.say("");
    byId("seed-panel").hidden = true;
    this.mark(name);
    this.onSeed(Seed.preset(name));
    this.chosen = name;
  }

  mark(name) {
    for (const [own, card] of this.cards) {
      card.choose.setAttribute("aria-pressed", String(own === name));
    }
  }

  playPreset(name) {
    const { player } = this.stage;
    if (this.chosen === name && player.playing) return player.pause();
    if (this.chosen !== name) this.choosePreset(name);
    player.play(0);
  }

  showPlaying() {
    const { player } = this.stage;
    for (const [name, card] of this.cards) {
      if (card.play) showPlaying(card.play, player.playing && this.chosen === name, card.title);
    }
  }

  // --- Files ----------------------------------------------------------------------------------

  setUpFiles() {
    byId("open-file").addEventListener("click", () => byId("file").click());
    byId("file").addEventListener("change", () => {
      const [file] = byId("file").files;
      byId("file").value = "";
      if (file) this.takeFile(file);
    });
    // The page's own frame catches files before the browser opens them.
    let depth = 0;
    const holdsFile = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    addEventListener("dragenter", (event) => {
      if (holdsFile(event)) byId("drop").hidden = ++depth < 1;
    });
    addEventListener("dragleave", (event) => {
      if (holdsFile(event)) byId("drop").hidden = --depth < 1;
    });
    addEventListener("dragover", (event) => holdsFile(event) && event.preventDefault());
    addEventListener("drop", (event) => {
      if (!holdsFile(event)) return;
      event.preventDefault();
      depth = 0;
      byId("drop").hidden = true;
      const [file] = event.dataTransfer.files;
      if (file) this.takeFile(file);
    });
  }

  async takeFile(file) {
    this.say(`Reading ${file.name}`);
    try {
      if (file.size > limits.upload_bytes) {
        throw new Error(`${file.name} has ${(file.size / 1e6).toFixed(1)} MB, and 1 MB is the most. `
          + "Cut it, or choose another file.");
      }
      const bytes = new Uint8Array(await file.arrayBuffer());
      const midi = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
      const [told] = await call("read_midi", { midi });
      const title = file.name.replace(/\.(midi?|rmi|kar)$/i, "");
      this.say("");
      this.showOwn(new Seed({ kind: "file", title, notes: told.notes, remarks: told.remarks }));
    } catch (error) {
      this.say(error.message.replace(/^MIDI data/, file.name), true);
    }
  }

  // --- The part of an own piece that is the seed ------------------------------------------------

  setUpFrame() {
    this.frameRoll = new Roll(byId("seed-roll"), {
      label: "Where the seed begins", frame: { start: 0, seconds: 10 }, plain: false,
    });
    this.frameRoll.head.hidden = true;
    this.frameRoll.addEventListener("frame", (event) => {
      this.seed.start = event.detail;
      this.showFrame();
      clearTimeout(this.later);
      this.later = setTimeout(() => this.tell(), 200);
    });
    byId("seed-seconds").addEventListener("change", () => {
      const [least, most] = limits.seed_seconds;
      const wanted = Number(byId("seed-seconds").value) || 10;
      this.seed.length = Math.min(Math.max(least, wanted), most);
      byId("seed-seconds").value = this.seed.length;
      this.frameRoll.frame.seconds = this.seed.length;
      this.frameRoll.moveFrame(this.seed.start);
    });
  }

  /** Shows a visitor's own piece, and which part of it is the seed. */
  showOwn(seed) {
    this.seed = seed;
    this.mark(null);
    this.chosen = null;
    byId("seed-panel").hidden = false;
    byId("seed-name").textContent = seed.title;
    byId("seed-seconds").value = seed.length;
    this.frameRoll.frame = { start: seed.start, seconds: seed.length };
    this.frameRoll.setPiece({ notes: seed.notes, end: seed.pieceEnd });
    byId("seed-remarks").replaceChildren(...this.remarks(seed).map((words) => make("li", {}, words)));
    this.showFrame();
    this.tell();
  }

  remarks(seed) {
    const told = [...seed.remarks];
    if (seed.pieceEnd < SHORT_S) told.push("This is a very short seed: the network has little to go by.");
    return told;
  }

  showFrame() {
    const { seed } = this;
    const count = seed.part.length;
    const words = seed.pieceEnd <= seed.length && seed.start === 0
      ? `The whole piece, ${seed.pieceEnd.toFixed(1)} s, is the seed: ${count} notes`
      : `The seed: ${clock(seed.start)} to ${clock(seed.start + seed.seconds)}, ${count} notes`;
    byId("seed-frame-words").textContent = count
      ? words : "There is no note in this part: the network begins by itself.";
  }

  tell() { this.onSeed(new Seed(this.seed)); }

  // --- The keyboard -----------------------------------------------------------------------------

  openKeyboard() {
    const panel = byId("keyboard-panel");
    panel.hidden = !panel.hidden;
    byId("open-keyboard").setAttribute("aria-expanded", String(!panel.hidden));
    if (!panel.hidden) {
      this.stage.player.pause();
      this.keyboard.open();
    } else this.keyboard.close();
  }

  takePlayed(notes) {
    if (!notes.length) return;
    this.playedCount = (this.playedCount ?? 0) + 1;
    this.showOwn(new Seed({ kind: "played", name: `${this.playedCount}`, title: "What you played", notes }));
  }

  say(words, wrong = false) {
    byId("seed-words").textContent = words;
    byId("seed-words").classList.toggle("wrong", wrong);
  }
}
