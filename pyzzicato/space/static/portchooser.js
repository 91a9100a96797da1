// Chooses a MIDI port that is sent what the page plays, for another program to sound or record.

import { fillSelect, make } from "./elements.js";
import { MidiOut, midiAccess } from "./midiports.js";

export class PortChooser {
  constructor(piano) {
    this.out = new MidiOut();
    piano.out = this.out;
    this.select = make("select", { id: "midi-out" });
    this.field = make("label", { class: "inline", id: "midi-out-field" }, "Send to a MIDI port", this.select);
    fillSelect(this.select, [["", "none"]], "");
    this.field.hidden = !navigator.requestMIDIAccess;
    // The browser asks the visitor first, so it is asked only when the list is wanted.
    this.select.addEventListener("focus", () => this.fill(), { once: true });
    this.select.addEventListener("change", () => this.choose());
  }

  async fill() {
    this.access = await midiAccess();
    if (!this.access) return fillSelect(this.select, [["", "not allowed in this browser"]], "");
    const show = () => {
      const ports = [...this.access.outputs.values()];
      const kept = ports.some(({ id }) => id === this.select.value) ? this.select.value : "";
      fillSelect(this.select, [["", ports.length ? "none" : "none is there"],
        ...ports.map(({ id, name }) => [id, name])], kept);
      this.choose();
    };
    this.access.addEventListener("statechange", show);
    show();
  }

  choose() {
    const port = this.access?.outputs.get(this.select.value) ?? null;
    if (port !== this.out.port) this.out.choose(port);
  }
}
