// The view "Listen blind": two takes without names, a judgement, and the leaderboard.

import { call, startCall, waitingWords } from "./client.js";
import { seeds, systemTitle } from "./data.js";
import { byId, make, skeleton } from "./elements.js";
import { Lane } from "./lane.js";
import { pitchRange } from "./rollpaint.js";
import { scrollTable } from "./scrollcue.js";
import { byOnset } from "./seed.js";

const CRITERIA = [
  ["musicality", "Musicality"],
  ["fidelity", "Fidelity to the seed"],
  ["expressiveness", "Expressiveness"],
];
const SIDES = ["First", "Second"];
const LOOK_MS = 100;
const BEFORE_JOIN_S = 2; // the seed is the same in both

export class ListenView {
  constructor(stage) {
    this.stage = stage;
    this.lanes = [];
    this.title = make("p", { class: "words", id: "pair-title" });
    this.pair = make("div", { id: "pair" });
    this.board = make("div", { id: "leaderboard" });
    this.words = make("p", { class: "words", role: "status", id: "listen-words" });
    this.voteButton = make("button", { class: "main", id: "vote", hidden: true, onclick: () => this.vote() }, "Vote");
    this.next = make("button", { class: "main", id: "listen-go", onclick: () => this.goOrStop() });
    byId("view-listen").replaceChildren(
      make("p", { class: "lead" }, "Two continuations of one opening, without names. Which one do you like better?"),
      this.title,
      this.pair,
      make("div", { class: "row" }, this.voteButton, this.next, this.words),
      make("h2", {}, "Leaderboard"),
      this.board,
    );
    this.showNext("Play me two");
  }

  async appear() {
    if (!this.board.childElementCount) this.board.replaceChildren(skeleton("Counting the votes"));
    try {
      const [told] = await call("leaderboard");
      this.showBoard(told);
    } catch (error) {
      this.board.replaceChildren(make("p", { class: "hint" }, error.message));
    }
  }

  stop() { this.making?.cancel(); }

  goOrStop() {
    if (this.making) this.stop();
    else this.begin();
  }

  // --- A pair -----------------------------------------------------------------------------------

  /** Has the server play a pair; who plays, it keeps to itself until the vote. */
  async begin() {
    this.stage.piano.wake();
    this.stage.player.pause();
    this.clear();
    this.pair.replaceChildren(skeleton("Two takes are being made"));
    this.say(waitingWords());
    this.making = startCall("listen", {}, {
      data: ([told]) => {
        this.say(`Playing: ${Math.round(100 * told.made)} %`);
        if (told.pair) this.told = told.pair;
      },
    });
    this.showNext("Stop", true);
    try {
      await this.making.done;
      this.say(this.told ? "" : "Stopped.");
      if (this.told) this.showPair();
    } catch (error) {
      this.say(error.message, true);
    }
    if (!this.told) this.pair.replaceChildren();
    this.making = null;
    this.showNext(this.told ? "Another pair" : "Play me two");
  }

  clear() {
    for (const lane of this.lanes) lane.dispose();
    clearInterval(this.timer);
    this.lanes = [];
    this.told = null;
    this.heard = [null, null];
    this.played = [0, 0]; // seconds that each was heard
    this.title.textContent = "";
    this.pair.replaceChildren();
    this.voteButton.hidden = true;
  }

  showNext(words, stops = false) {
    this.next.textContent = words;
    this.next.className = `main${stops ? " stop" : ""}${this.voteButton.hidden ? "" : " second"}`;
  }

  showPair() {
    const { seed, seed_seconds: seedSeconds, seconds, takes } = this.told;
    const { composer, title } = seeds.find((one) => one.name === seed);
    this.title.textContent = `${composer}: ${title}`;
    const pieces = takes.map(({ seed_notes: before, notes }) => (
      [...before, ...notes.map((note) => ({ ...note, isNew: true }))].sort(byOnset)));
    const range = pitchRange(pieces.flat());
    this.lanes = pieces.map((notes, i) => {
      const lane = new Lane(this.stage, `the ${SIDES[i].toLowerCase()} one`);
      const from = Math.max(0, seedSeconds - BEFORE_JOIN_S);
      lane.setNotes(notes, seedSeconds + seconds, { seedSeconds, range, from });
      lane.addEventListener("play", () => this.hear(i));
      return lane;
    });
    const sides = this.lanes.map((lane, i) => make("div", { class: "side", "data-side": i },
      make("div", { class: "row tight" }, lane.button, make("strong", { class: "side-name" }, SIDES[i])),
      lane.holder,
      make("div", { class: "marks" }, ...CRITERIA.flatMap(([name, title]) => marksRow(i, name, title)))));
    const verdicts = [...SIDES.map((side, i) => [String(i), side]), ["", "Neither"]];
    const verdict = make("fieldset", { class: "verdict" },
      make("legend", {}, "Which one do you like better?"),
      ...verdicts.map(([value, words]) => make("label", { class: "chip" },
        make("input", { type: "radio", name: "verdict", value }), words)));
    verdict.addEventListener("change", () => this.showVote());
    this.pair.replaceChildren(make("div", { class: "pair" }, ...sides), verdict);
    this.voteButton.hidden = false;
    let before = performance.now();
    this.timer = setInterval(() => {
      const now = performance.now();
      this.count((now - before) / 1000);
      before = now;
    }, LOOK_MS);
    this.showVote();
  }

  /** Counts how long each has been heard after its seed, since the server knows that it is. */
  count(seconds) {
    if (this.stage.player.time < this.told.seed_seconds) return;
    const side = this.lanes.findIndex((lane) => lane.playing);
    if (side < 0 || !this.heard[side] || !this.missing.includes(side)) return;
    this.played[side] += seconds;
    this.showVote();
  }

  /** Those that have not been heard for so long as a vote needs. */
  get missing() { return [0, 1].filter((side) => this.played[side] < this.told.listen_seconds); }

  /** Has the server note that a take began to be played: without that it takes no vote. */
  async hear(side) {
    const { told } = this;
    if (this.heard[side] || !told) return;
    try {
      const [receipt] = await call("hear", { ticket: told.ticket, side });
      if (this.told === told) this.heard[side] = receipt;
    } catch (error) {
      this.say(error.message, true);
    }
  }

  showVote() {
    const isChosen = Boolean(this.pair.querySelector('[name="verdict"]:checked'));
    const { missing, told } = this;
    this.voteButton.disabled = !isChosen || missing.length > 0;
    const which = missing.map((side) => `${told.listen_seconds} s of the ${SIDES[side].toLowerCase()}`);
    const words = which.length ? `Before you vote, listen past the seed: to ${which.join(" and ")}.`
      : isChosen ? "" : "Now say which one you prefer.";
    // A screen reader says it once.
    if (words !== this.words.textContent) this.say(words);
  }

  // --- The vote ---------------------------------------------------------------------------------

  async vote() {
    const chosen = this.pair.querySelector('[name="verdict"]:checked')?.value;
    if (chosen === undefined) return;
    this.voteButton.disabled = true;
    const marks = SIDES.map((_, i) => Object.fromEntries(CRITERIA
      .map(([name]) => [name, this.pair.querySelector(`[name="${name}-${i}"]:checked`)?.value])
      .filter(([, value]) => value)
      .map(([name, value]) => [name, Number(value)])));
    try {
      const winner = chosen === "" ? null : Number(chosen);
      const { ticket } = this.told;
      const [told] = await call("judge", { ticket, winner, marks, heard: this.heard });
      this.showBoard(told);
      this.reveal(told.systems);
    } catch (error) {
      this.say(error.message, true);
      this.voteButton.disabled = false;
    }
  }

  reveal(systems) {
    for (const [i, name] of [...this.pair.querySelectorAll(".side-name")].entries()) {
      name.textContent = `${SIDES[i]}: ${systemTitle(systems[i])}`;
    }
    for (const input of this.pair.querySelectorAll("input")) input.disabled = true;
    clearInterval(this.timer);
    this.voteButton.hidden = true;
    this.showNext("Another pair");
    const [first, second] = systems.map(systemTitle);
    const thanks = this.open ? "Thank you. Your vote is counted." : "Votes are off here, so yours is not counted.";
    this.say(`${thanks} First: ${first}. Second: ${second}.`);
  }

  say(words, wrong = false) {
    this.words.textContent = words;
    this.words.classList.toggle("wrong", wrong);
  }

  showBoard({ votes, leaderboard, open }) {
    this.open = open;
    if (!votes) {
      const words = open ? "Nobody has voted yet." : "Votes are off: this server cannot keep them.";
      this.board.replaceChildren(make("p", { class: "hint" }, words));
      return;
    }
    const mean = (value) => (value === null || value === undefined ? "–" : value.toFixed(1));
    const rows = leaderboard.map((row) => make("tr", { "data-system": row.system },
      make("td", {}, systemTitle(row.system)),
      make("td", {}, `${percent(row.strength)} %`),
      make("td", {}, interval(row)),
      make("td", {}, `${percent(row.low)} to ${percent(row.high)} %`),
      make("td", { class: "votes" }, String(row.n_votes)),
      ...CRITERIA.map(([name]) => make("td", {}, mean(row.marks[name])))));
    const heads = ["System", "Preferred", "Interval, drawn", "95 % interval", "Votes", ...CRITERIA.map(([, title]) => title)];
    this.board.replaceChildren(
      make("p", { class: "hint" }, `${votes} ${votes === 1 ? "vote" : "votes"}. "Preferred" is the chance `
        + "that a listener prefers it to an average one; a few votes say little, as the range shows."),
      scrollTable("Leaderboard", heads, rows),
    );
  }
}

const percent = (share) => Math.round(share * 100);

function interval({ low, high, strength }) {
  return make("span", { class: "interval", "aria-hidden": "true" },
    make("i", { style: `left:${low * 100}%;width:${(high - low) * 100}%` }),
    make("b", { style: `left:${strength * 100}%` }));
}

function marksRow(side, name, title) {
  const marks = [1, 2, 3, 4, 5].map((mark) => make("label", { class: "mark" },
    make("input", {
      type: "radio", name: `${name}-${side}`, value: mark, "aria-label": `${title}, ${SIDES[side]}: ${mark} of 5`,
    }), String(mark)));
  return [make("span", {}, title), make("div", { class: "five", role: "radiogroup", "aria-label": title }, ...marks)];
}
