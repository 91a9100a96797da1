// Choosing a seed: cards of presets, a MIDI file and its ten seconds, or the keyboard.

import { call } from "./client.js";
import { limits, seeds } from "./data.js";
import { byId, make } from "./elements.js";
import { showPlaying } from "./icons.js";
import { Keyboard } from "./keyboard.js";
import { clock } from "./pitch.js";
import { Roll } from "./roll.js";
import { oneTabStop } from "./roving.js";
import { cueScrolling, stepButtons } from "./scrollcue.js";
import { Seed } from "./seed.js";

const SHORT_S = 2;
const MOST_OWN_CARDS = 6;
// Beside the chosen card some of the next one is seen.
const BESIDE_PX = 48;

/** A title without the collection that it is from. */
const shortTitle = (title) => title.replace(/ \(.*\)$/, "");

export class SeedPicker {
  constructor(stage, onSeed, shelf) {
    this.stage = stage;
    this.onSeed = onSeed;
    this.shelf = shelf;
    this.cards = new Map();
    this.ownCards = [];
    this.makeCards();
    this.setUpFiles();
    this.setUpFrame();
    this.keyboard = new Keyboard(byId("keyboard-panel"), stage.piano, (notes) => this.takePlayed(notes));
    byId("open-keyboard").addEventListener("click", () => this.openKeyboard());
    stage.player.addEventListener("change", () => this.showPlaying());
  }

  // --- Presets --------------------------------------------------------------------------------

  makeCards() {
    for (const { name } of seeds) {
      const seed = Seed.preset(name);
      const told = { who: seed.composer.split(" ").at(-1), title: seed.title, notes: seed.part, seconds: seed.seconds };
      byId("cards").append(this.makeCard(name, told, () => this.choosePreset(name)));
    }
    const choose = make("button", {
      class: "choose", "aria-pressed": "false", onclick: () => this.chooseNone(),
    },
    make("span", { class: "who" }, "No seed"),
    make("span", { class: "what" }, "The network begins by itself"));
    byId("cards").append(make("div", { class: "card", "data-seed": "none" }, choose));
    this.cards.set("none", { choose });
    cueScrolling(byId("cards"));
    oneTabStop(byId("cards"), ".card");
    byId("cards-steps").replaceChildren(...stepButtons(byId("cards"), "openings"));
  }

  makeCard(name, { who, title, notes, seconds }, onChoose) {
    const choose = make("button", { class: "choose", "aria-pressed": "false", onclick: onChoose },
      make("span", { class: "who" }, who),
      make("span", { class: "what", title }, shortTitle(title)));
    const mini = make("div", { class: "mini" });
    const play = make("button", { class: "icon", onclick: () => this.playCard(name, onChoose) });
    const roll = new Roll(mini, { plain: true, label: `Roll of ${title}` });
    roll.setPiece({ notes, end: seconds });
    showPlaying(play, false, title);
    this.cards.set(name, { choose, play, title, roll });
    return make("div", { class: "card", "data-seed": name }, choose, mini, play);
  }

  /** Shows cards of the visitor's own seeds, so that each can be chosen again. */
  showOwnCards() {
    const own = this.shelf.ownSeeds.slice(0, MOST_OWN_CARDS);
    if (own.map(({ key }) => key).join() === this.ownCards.map(({ name }) => name).join()) return;
    const focused = document.activeElement?.closest?.(".card")?.dataset.seed;
    for (const { name, element } of this.ownCards) {
      this.cards.get(name)?.roll.dispose();
      this.cards.delete(name);
      element.remove();
    }
    this.ownCards = own.map((seed) => ({
      name: seed.key,
      element: this.makeCard(seed.key, {
        who: seed.kind === "played" ? "You" : "Your file", title: seed.title,
        notes: seed.part, seconds: seed.seconds || 1,
      }, () => this.choose(seed)),
    }));
    byId("cards").prepend(...this.ownCards.map(({ element }) => element));
    this.mark(this.chosen);
    this.showPlaying();
    if (!document.activeElement?.closest?.(".card")) this.cards.get(focused)?.choose.focus();
  }

  /** Chooses a seed, whatever it is. */
  choose(seed) {
    if (seed.kind === "none") this.chooseNone();
    else if (seed.kind === "preset" && seed.key === seed.name) this.choosePreset(seed.name);
    else this.showOwn(new Seed(seed.record));
  }

  chooseNone() {
    this.say("");
    byId("seed-panel").hidden = true;
    this.mark("none");
    this.onSeed(Seed.none());
  }

  choosePreset(name = seeds[0].name) {
    this.say("");
    byId("seed-panel").hidden = true;
    this.mark(name);
    this.onSeed(Seed.preset(name));
  }

  /** Chooses a seed that was chosen before, by its key. */
  chooseKey(key) {
    const seed = this.shelf.seedOf(key);
    if (seed) this.choose(seed);
    else if (key === "none") this.chooseNone();
    else this.choosePreset(seeds.find((one) => one.name === key)?.name);
  }

  mark(name) {
    this.chosen = name;
    for (const [own, card] of this.cards) {
      card.choose.setAttribute("aria-pressed", String(own === name));
      card.choose.tabIndex = own === name ? 0 : -1;
      if (card.play) card.play.tabIndex = -1;
    }
    this.reveal();
  }

  /** Brings the chosen card into sight in its row; the page stays where it is. */
  reveal() {
    const card = this.cards.get(this.chosen)?.choose.parentElement;
    if (!card?.offsetWidth) return;
    const [row, its] = [byId("cards").getBoundingClientRect(), card.getBoundingClientRect()];
    const room = Math.min(BESIDE_PX, (row.width - its.width) / 2);
    const by = Math.min(0, its.left - room - row.left) || Math.max(0, its.right + room - row.right);
    if (by) byId("cards").scrollBy({ left: by });
  }

  playCard(name, choose) {
    const { player } = this.stage;
    if (this.chosen === name && player.playing) return player.pause();
    if (this.chosen !== name) choose();
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
      this.showOwn(new Seed({ kind: "file", title, midi, ...told }));
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
      this.later = setTimeout(() => {
        this.isDragging = true;
        this.tell();
        this.isDragging = false;
      }, 200);
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
    const notes = `${count} ${count === 1 ? "note" : "notes"}`;
    const words = seed.pieceEnd <= seed.length && seed.start === 0
      ? `The whole piece, ${seed.pieceEnd.toFixed(1)} s, is the seed: ${notes}`
      : `The seed: ${clock(seed.start)} to ${clock(seed.start + seed.seconds)}, ${notes}`;
    byId("seed-frame-words").textContent = count
      ? words : "There is no note in this part: the network begins by itself.";
  }

  tell() {
    const seed = new Seed(this.seed.record);
    this.mark(seed.key);
    this.onSeed(seed);
    this.showOwnCards();
  }

  // --- The keyboard -----------------------------------------------------------------------------

  openKeyboard() {
    const panel = byId("keyboard-panel");
    panel.hidden = !panel.hidden;
    byId("open-keyboard").setAttribute("aria-expanded", String(!panel.hidden));
    if (!panel.hidden) {
      this.stage.player.pause();
      this.keyboard.open();
    } else {
      this.keyboard.close();
      this.keyboard.dispatchEvent(new Event("close"));
    }
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
