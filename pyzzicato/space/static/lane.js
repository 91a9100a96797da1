// A lane: one take on a small roll, with its own play button.

import { make } from "./elements.js";
import { showPlaying } from "./icons.js";
import { Roll } from "./roll.js";

/** Events: `play` when it begins to play. */
export class Lane extends EventTarget {
  constructor(stage, title) {
    super();
    this.stage = stage;
    this.title = title;
    this.notes = [];
    this.end = 1;
    this.from = 0; // where it begins to play
    this.complete = true;
    this.button = make("button", { class: "icon play small", onclick: () => this.toggle() });
    this.holder = make("div");
    this.roll = new Roll(this.holder, { label: `Piano roll of ${title}: time` });
    this.roll.addEventListener("seek", (event) => {
      this.stage.own(this);
      this.stage.player.seek(event.detail);
    });
    this.showPlaying();
    this.onChange = () => {
      this.showPlaying();
      if (this.playing) this.dispatchEvent(new Event("play"));
    };
    stage.player.addEventListener("change", this.onChange);
  }

  /** Lets go of the player; for lanes that are taken off the page. */
  dispose() {
    this.stage.player.removeEventListener("change", this.onChange);
    this.roll.dispose();
  }

  get playing() { return this.stage.owner === this && this.stage.player.playing; }

  showPlaying() {
    showPlaying(this.button, this.playing, this.title);
    this.roll.head.hidden = this.stage.owner !== this;
  }

  /**
   * Takes notes from 0; `range` keeps lanes under one another on one scale of pitches, and `from` is
   * where playing begins.
   */
  setNotes(notes, end, { complete = true, whole = end, range = null, seedSeconds = 0, from = 0 } = {}) {
    Object.assign(this, { notes, end, complete, from });
    this.roll.setPiece({ notes, seedSeconds, end: whole });
    if (range) {
      this.roll.range = range;
      this.roll.draw();
    }
    if (this.stage.owner === this) this.takeOver();
  }

  takeOver() { this.stage.player.setNotes(this.notes, this.end, this.complete); }

  toggle() {
    const { owner, player } = this.stage;
    this.stage.own(this);
    if (owner !== this) player.seek(this.from);
    player.toggle();
  }

  frame(time, playing) { this.roll.setTime(time, playing); }
}
