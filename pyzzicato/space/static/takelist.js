// The takes of a seed, as small rolls to play, star, choose and throw away.

import { saveStarred } from "./save.js";
import { byId, make } from "./elements.js";
import { setIcon, showPlaying } from "./icons.js";
import { clock } from "./pitch.js";
import { Roll } from "./roll.js";

export class TakeList {
  constructor(view) {
    this.view = view;
    this.cards = new Map(); // take -> its card
    this.heading = make("h2", { id: "title-takes" });
    this.undo = make("button", { class: "quiet", id: "bring-back", onclick: () => this.bringBack() });
    this.zip = make("button", { class: "quiet", id: "save-starred", onclick: () => this.saveStarred() },
      "Save the starred ones (zip)");
    this.clear = make("button", { class: "quiet", id: "forget-takes", onclick: () => this.forget() },
      "Forget all takes");
    this.strip = make("div", { class: "takes", id: "takes-list", role: "group", "aria-labelledby": "title-takes" });
    byId("takes-panel").replaceChildren(
      make("div", { class: "row step-head" }, this.heading, make("span", { class: "grow" }),
        this.undo, this.zip, this.clear),
      this.strip,
      make("p", { class: "hint" }, "Takes stay in this browser, for your next visit too; they are not sent anywhere."),
    );
    view.shelf.addEventListener("change", () => this.show());
    for (const name of ["take", "seed"]) view.addEventListener(name, () => this.show());
    view.player.addEventListener("change", () => this.showPlaying());
    this.show();
  }

  show() {
    const { view } = this;
    const takes = view.takeList;
    const thrown = view.shelf.lastThrown(view.seed);
    byId("takes-panel").hidden = !takes.length && !thrown;
    this.heading.textContent = takes.length === 1 ? "One take" : `${takes.length} takes`;
    this.undo.hidden = !thrown;
    this.undo.textContent = thrown ? `Undo: bring take ${thrown.take.number} back` : "";
    this.zip.hidden = !takes.some((take) => take.starred);
    for (const [take, card] of this.cards) {
      if (takes.includes(take)) continue;
      card.roll.dispose();
      this.cards.delete(take);
    }
    const elements = takes.map((take) => {
      if (!this.cards.has(take)) this.cards.set(take, this.makeCard(take));
      const card = this.cards.get(take);
      card.show();
      return card.element;
    });
    // What is there already stays in its place, and keeps the focus.
    const isSame = elements.length === this.strip.children.length
      && elements.every((element, i) => element === this.strip.children[i]);
    if (!isSame) this.strip.replaceChildren(...elements);
    this.showPlaying();
  }

  makeCard(take) {
    const { view } = this;
    const name = `take ${take.number}`;
    const what = make("span", { class: "what" });
    const choose = make("button", { class: "choose", onclick: () => view.chooseTake(take) },
      make("span", { class: "who" }, `Take ${take.number}`), what);
    const mini = make("div", { class: "mini" });
    const play = make("button", { class: "icon", "data-act": "play", onclick: () => this.play(take) });
    const star = make("button", { class: "icon", "data-act": "star", onclick: () => this.star(take) });
    const bin = make("button", {
      class: "icon", "data-act": "throw", "aria-label": `Throw ${name} away`, onclick: () => this.throwAway(take),
    });
    setIcon(bin, "cross");
    const roll = new Roll(mini, { plain: true, label: `Roll of ${name}` });
    const element = make("div", { class: "take-card", "data-take": take.number }, choose, mini,
      make("div", { class: "acts" }, play, star, bin));
    const drawSoon = () => roll.setPiece({ notes: take.notes, seedSeconds: take.seedSeconds, end: take.wholeEnd });
    for (const event of ["grow", "end", "change"]) take.addEventListener(event, drawSoon);
    const show = () => {
      what.textContent = [take.how, clock(take.seconds), take.model?.title ?? take.settings.model]
        .filter(Boolean).join(" · ");
      // A narrow card cuts its words.
      choose.title = what.textContent;
      choose.setAttribute("aria-pressed", String(take === view.take));
      setIcon(star, take.starred ? "starred" : "star");
      star.setAttribute("aria-label", `Star for ${name}`);
      star.setAttribute("aria-pressed", String(take.starred));
      bin.disabled = take.running;
      drawSoon();
    };
    return { element, roll, play, show, name };
  }

  showPlaying() {
    const { player } = this.view;
    for (const [take, { play, name }] of this.cards) {
      showPlaying(play, player.playing && this.view.stage.owner === this.view && this.view.take === take, name);
    }
  }

  play(take) {
    const { view } = this;
    const { player } = view;
    if (view.take === take && player.playing) return player.pause();
    player.pause();
    if (view.take !== take) view.chooseTake(take);
    view.stage.own(view);
    // What is new in a take is what one wants to hear; a little of what leads to it comes first.
    player.play(Math.max(0, take.seedSeconds - 2));
  }

  star(take) {
    take.starred = !take.starred;
    this.view.shelf.changed(take);
  }

  throwAway(take) {
    const { view } = this;
    const place = view.takeList.indexOf(take);
    const { nextElementSibling: next, previousElementSibling: before } = this.cards.get(take).element;
    view.shelf.throwAway(take);
    (next ?? before)?.querySelector("[data-act='throw']")?.focus();
    if (view.take !== take) return;
    view.player.pause();
    view.showTake(view.takeList[Math.min(place, view.takeList.length - 1)] ?? null);
  }

  bringBack() {
    const take = this.view.shelf.bringBack(this.view.seed);
    if (take) this.view.chooseTake(take);
  }

  async forget() {
    const { view } = this;
    view.stop();
    view.player.pause();
    await view.shelf.clear();
    view.showTake(null);
    view.picker.showOwnCards();
    view.say("All takes are forgotten, those of earlier visits too.");
  }

  async saveStarred() {
    const { view } = this;
    try {
      view.say("Writing the files");
      view.say(await saveStarred(view.seed, view.takeList.filter((take) => take.starred)));
    } catch (error) {
      view.say(error.message, true);
    }
  }
}
