// The keys under the roll: play, zoom, loop and loudness.

import { byId } from "./elements.js";
import { setIcon, showPlaying } from "./icons.js";
import { clock } from "./pitch.js";

const KEPT = "pyzzicato-loudness";

export class Transport {
  constructor(view) {
    this.view = view;
    const { player, roll, stage } = view;
    byId("play").addEventListener("click", () => this.toggle());
    setIcon(byId("zoom-in"), "plus");
    setIcon(byId("zoom-out"), "minus");
    byId("zoom-in").addEventListener("click", () => roll.zoom(1.6));
    byId("zoom-out").addEventListener("click", () => roll.zoom(1 / 1.6));
    showPlaying(byId("play"), false);
    player.addEventListener("change", () => {
      showPlaying(byId("play"), stage.owner === view && player.playing);
    });
    this.setUpLoudness();
  }

  setUpLoudness() {
    const loudness = byId("loudness");
    loudness.value = localStorage.getItem(KEPT) ?? "1";
    const put = () => {
      this.view.player.piano.setLoudness(Number(loudness.value));
      loudness.setAttribute("aria-valuetext", `${Math.round(100 * loudness.value)} %`);
    };
    loudness.addEventListener("input", () => {
      put();
      localStorage.setItem(KEPT, loudness.value);
    });
    setIcon(byId("loudness-sign"), "loud");
    put();
  }

  toggle() {
    this.view.stage.own(this.view);
    this.view.player.toggle();
  }

  showTime(time) { byId("now").textContent = clock(time); }
}
