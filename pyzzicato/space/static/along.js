// Play along: the page listens to what is played, and when the player pauses the model answers.

import { call, startCall } from "./client.js";
import { defaults, modelOf, takes } from "./data.js";
import { make } from "./elements.js";
import { Answer } from "./answer.js";
import { Phrase } from "./phrase.js";
import { PortChooser } from "./portchooser.js";
import { byOnset } from "./seed.js";

const LOOK_MS = 20;
const HEAR_MS = 400;

export class Along {
  /**
   * @param {Keyboard} keyboard what is listened to
   * @param {Piano} piano what answers
   * @param {SettingsForm} form whose model, style and temperature it plays with
   * @param {function} onMusic takes the notes of both, when the visitor keeps them
   */
  constructor(keyboard, piano, form, onMusic) {
    Object.assign(this, { keyboard, piano, form, onMusic });
    this.session = null;
    this.phrase = new Phrase();
    this.music = [];
    this.button = make("button", { class: "quiet", id: "play-along", onclick: () => this.toggle() }, "Play along");
    this.keepButton = make("button", { class: "quiet", id: "keep-along", hidden: true, onclick: () => this.keep() },
      "Make what was played the seed");
    this.words = make("span", { class: "hint", role: "status", id: "along-words" });
    this.ports = new PortChooser(piano);
    keyboard.more.replaceChildren(
      make("div", { class: "row" }, this.button, this.keepButton, this.words, make("span", { class: "grow" }),
        this.ports.field));
    this.button.hidden = !takes("along_answer");
    keyboard.addEventListener("stroke", ({ detail }) => this.onStroke(detail));
    keyboard.addEventListener("note", ({ detail }) => this.onNote(detail));
    keyboard.addEventListener("close", () => this.isOn && this.end());
    this.say("The model answers whenever you pause, and stops when you play again.");
  }

  get isOn() { return this.session !== null; }

  /** Seconds since the session began. */
  secondsOf(at) { return (at - this.began) / 1000; }

  get now() { return this.secondsOf(performance.now()); }

  toggle() { return this.isOn ? this.end() : this.begin(); }

  async begin() {
    this.piano.wake();
    this.button.disabled = true;
    const { model, composer, temperature, rng } = this.form.settings;
    const isAble = modelOf(model)?.steps_are_notes;
    try {
      const [told] = await call("along_begin", {
        model: isAble ? model : defaults.model, temperature, rng, ...(composer && { composer }),
      });
      this.session = told.session;
      this.began = performance.now();
      this.music = [];
      this.phrase = new Phrase();
      this.sent = Promise.resolve();
      this.timer = setInterval(() => this.look(), LOOK_MS);
      this.say("Listening. Play something, and pause.");
    } catch (error) {
      this.say(error.message, true);
    }
    this.button.disabled = false;
    this.show();
  }

  end() {
    clearInterval(this.timer);
    this.interrupt();
    this.session = null;
    this.say("");
    this.show();
  }

  // --- What is played -----------------------------------------------------------------------------

  onStroke({ at }) {
    if (!this.isOn) return;
    this.interrupt();
    this.phrase.stroke(this.secondsOf(at));
    this.say("Listening");
  }

  onNote({ pitch, velocity, at, end }) {
    if (!this.isOn || at < this.began) return;
    const note = { pitch, velocity, start: this.secondsOf(at), end: Math.max(this.secondsOf(end), this.secondsOf(at) + 0.03) };
    this.phrase.add(note);
    this.music.push(note);
    this.show();
  }

  /** Looks now and then whether the player pauses, and tells the server what it can of his notes. */
  look() {
    const { phrase, now } = this;
    if (this.answer) return this.answer.tick();
    if (this.keyboard.isHeld) return;
    if (phrase.isOver(now)) this.respond();
    else if (phrase.unsent.length && now - (this.lastSent ?? 0) > HEAR_MS / 1000) {
      this.lastSent = now;
      const notes = phrase.take();
      this.sent = call("along_hear", { session: this.session, notes, until: now }).catch((error) => this.fail(error));
    }
  }

  respond() {
    const decided = { at: performance.now(), audio: this.piano.context.currentTime };
    const now = this.secondsOf(decided.at);
    const notes = this.phrase.take();
    this.phrase.begin();
    const answer = new Answer(this.piano, decided);
    this.answer = answer;
    this.say("Answering");
    // Nothing overtakes what was sent before.
    this.sent.then(() => {
      if (this.answer !== answer) return;
      answer.call = startCall("along_answer", { session: this.session, notes, now, seconds: null }, {
        data: ([told]) => answer.add(told),
      });
      answer.call.done.catch((error) => this.fail(error));
    });
    answer.addEventListener("first", () => { this.latencyMs = answer.latencyMs; });
    answer.addEventListener("finish", () => this.finish(answer));
  }

  finish(answer) {
    if (this.answer !== answer) return;
    this.answer = null;
    this.remember(answer);
    this.say("Your turn");
  }

  /** Stops the answer at once. */
  interrupt() {
    const { answer } = this;
    if (!answer) return;
    this.answer = null;
    answer.stop();
    this.remember(answer);
    if (!answer.call) return;
    const { session } = this;
    // On the clock on which the notes were meant, whatever later they sounded.
    const at = this.secondsOf(answer.decided.at) + answer.elapsed;
    this.sent = call("along_stop", { session, at }).catch((error) => this.fail(error));
  }

  /** Keeps what was heard of an answer beside what was played. */
  remember(answer) {
    const shift = this.secondsOf(answer.decided.at) + answer.late;
    this.music.push(...answer.heard.map((note) => ({
      ...note, start: note.start + shift, end: note.end + shift,
    })));
    this.show();
  }

  fail(error) {
    this.say(error.message, true);
    if (/session/.test(error.message)) this.end();
  }

  /** Makes all that was played, by both, the seed. */
  keep() {
    const first = Math.min(...this.music.map((note) => note.start));
    const round = (seconds) => Math.round((seconds - first) * 1000) / 1000;
    const notes = this.music.map(({ pitch, velocity, start, end }) => (
      { pitch, velocity, start: round(start), end: Math.max(round(end), round(start) + 0.01) }));
    if (this.isOn) this.end();
    this.onMusic(notes.sort(byOnset));
  }

  show() {
    this.button.textContent = this.isOn ? "Stop playing along" : "Play along";
    this.button.setAttribute("aria-pressed", String(this.isOn));
    this.keepButton.hidden = this.music.length === 0;
  }

  say(words, wrong = false) {
    this.words.textContent = words;
    this.words.classList.toggle("wrong", wrong);
  }
}
