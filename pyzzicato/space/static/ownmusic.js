// The part "Your own music" of the view "Learn", on one's own machine: files, a curve, a model.

import { composers, models } from "./data.js";
import { byId, make } from "./elements.js";
import { Piano } from "./piano.js";
import { Player } from "./player.js";
import { scrollTable } from "./scrollcue.js";

const ASK_MS = 2000;
const SHOWN_LINES = 8;
const CURVE = { width: 480, height: 120 };

async function ask(path = "", told = null) {
  const answer = await fetch(`own-music${path}`, told ?? {});
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error ?? "That did not work.");
  return found;
}

/** Puts models that were learnt here among those that can be chosen. */
function addModels(found) {
  for (const model of found) {
    if (models.some((known) => known.name === model.name)) continue;
    models.push(model);
    byId("model")?.append(make("option", { value: model.name }, model.title));
    for (const name of model.composers) {
      if (name in composers) continue;
      composers[name] = name;
      byId("composer")?.append(make("option", { value: name }, name));
    }
  }
}

class OwnMusic {
  constructor() {
    this.files = make("input", {
      type: "file", multiple: true, accept: ".mid,.midi,.rmi,.kar", id: "own-files", hidden: true,
      "aria-label": "MIDI files to learn from",
    });
    this.files.addEventListener("change", () => {
      const chosen = [...this.files.files];
      this.files.value = "";
      this.add(chosen);
    });
    this.choose = make("button", { class: "quiet", onclick: () => this.files.click() }, "Choose MIDI files");
    this.name = make("input", { type: "text", id: "own-name", value: "my-music", maxlength: 40 });
    this.go = make("button", { class: "main", id: "own-go", onclick: () => this.do("/start") }, "Learn");
    this.halt = make("button", { class: "quiet", onclick: () => this.do("/stop") }, "Stop");
    this.anew = make("button", { class: "quiet", onclick: () => this.do("/clear") }, "Begin anew");
    this.words = make("p", { class: "words", role: "status", id: "own-words" });
    this.leftOut = make("ul", { class: "remarks", id: "own-left-out" });
    this.more = make("div", {});
    this.place = make("section", { id: "own-music", class: "panel", "aria-labelledby": "title-own" },
      make("h2", { id: "title-own" }, "Your own music"),
      make("p", { class: "prose" }, "A network that plays note by note goes on learning from your own MIDI files of piano music, twenty "
        + "or so, on this computer: about ten minutes where it has nothing else to do. No file leaves it."),
      make("div", { class: "own-drop" }, this.choose, this.files,
        make("span", { class: "hint drop-hint" }, "or drop them here"), this.words),
      // A list that were itself the status would be no list to a screen reader.
      make("div", { role: "status" }, this.leftOut),
      make("div", { class: "own-form" },
        make("label", { class: "field" }, "Name of the model", this.name),
        make("div", { class: "own-acts" }, this.go, this.halt, this.anew)),
      this.more);
    this.place.addEventListener("dragover", (event) => event.preventDefault());
    this.place.addEventListener("drop", (event) => {
      // Anywhere else on the page a file becomes a seed.
      event.preventDefault();
      event.stopPropagation();
      if (byId("drop")) byId("drop").hidden = true;
      this.add([...event.dataTransfer.files]);
    });
    this.refresh();
  }

  say(words, wrong = false) {
    this.words.textContent = words;
    this.words.classList.toggle("wrong", wrong);
  }

  async add(files) {
    const leftOut = new Set(); // reasons: what is said of one file may hold for all that follow
    for (const [i, file] of files.entries()) {
      this.say(`Taking ${i + 1} of ${files.length}`);
      try {
        await ask(`/add?title=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
      } catch (error) {
        leftOut.add(error.message);
      }
    }
    this.leftOut.replaceChildren(...[...leftOut].map((reason) => make("li", {}, reason)));
    await this.refresh();
  }

  async do(path) {
    this.leftOut.replaceChildren();
    try {
      const name = encodeURIComponent(this.name.value);
      this.show(await ask(`${path}?name=${name}`, { method: "POST" }));
    } catch (error) {
      this.say(error.message, true);
    }
  }

  async refresh() {
    try {
      this.show(await ask());
    } catch (error) {
      this.say(error.message, true);
    }
  }

  show(told) {
    clearTimeout(this.timer);
    this.go.disabled = told.running || !told.files;
    this.choose.disabled = told.running;
    this.halt.hidden = !told.running;
    this.anew.hidden = told.running || !told.files;
    addModels(told.models);
    const done = told.lines.some((line) => line.done);
    const files = `${told.files} ${told.files === 1 ? "file" : "files"}`;
    if (told.error) this.say(told.error, true);
    else if (told.running) this.say(`Learning from ${files}`);
    else if (done) this.say("Done: the model can be chosen under Continue.");
    else this.say(told.files ? `${files} to learn from` : "No files yet");
    const table = told.lines.findLast((line) => line.table)?.table;
    const takes = told.lines.findLast((line) => line.takes)?.takes;
    this.more.replaceChildren(
      ...curve(told.lines.filter((line) => "held_out" in line)),
      make("ul", { class: "remarks" }, ...told.lines.slice(-SHOWN_LINES).map((line) => make("li", {}, line.words))),
      ...(table ? [tableOf(table)] : []),
      ...(takes ? [this.listen(takes)] : []),
    );
    if (told.running) this.timer = setTimeout(() => this.refresh(), ASK_MS);
  }

  listen(takes) {
    return make("div", { class: "row", role: "group", "aria-label": "To hear" }, ...takes.map((name) => make("button", {
      class: "chip", onclick: () => this.hear(name),
    }, name.replace(".mid", "").replace("piece", "the music itself").replace("-", ", take "))));
  }

  async hear(name) {
    this.player ??= new Player(new Piano());
    try {
      await this.player.piano.load();
      const notes = await ask(`/take/${name}`);
      this.player.halt();
      this.player.position = 0;
      this.player.setNotes(notes, Math.max(...notes.map((note) => note.end)));
      this.player.play(0);
    } catch (error) {
      this.say(error.message, true);
    }
  }
}

/** The held-out loss over the looks, as a line; nothing before there are two. */
function curve(looks) {
  if (looks.length < 2) return [];
  const losses = looks.map((look) => look.held_out);
  const [low, high] = [Math.min(...losses), Math.max(...losses)];
  const points = losses.map((loss, i) => [
    (CURVE.width * i) / (losses.length - 1),
    4 + ((CURVE.height - 8) * (high - loss)) / (high - low || 1),
  ].map((number) => number.toFixed(1)).join(",")).join(" ");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${CURVE.width} ${CURVE.height}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Held-out loss, from ${losses[0].toFixed(2)} to ${losses.at(-1).toFixed(2)}`);
  svg.style.maxWidth = `${CURVE.width}px`;
  const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  for (const [name, value] of Object.entries({ points, fill: "none", stroke: "currentColor", "stroke-width": 2 })) {
    line.setAttribute(name, String(value));
  }
  svg.append(line);
  return [svg, make("p", { class: "hint" }, `How much the pieces kept apart surprise it: ${losses[0].toFixed(3)} `
    + `before, ${low.toFixed(3)} at best.`)];
}

function tableOf([head, ...rows]) {
  return scrollTable("What it learnt", head, rows.map((row) => (
    make("tr", {}, ...row.map((cell) => make("td", {}, cell))))));
}

const told = JSON.parse(byId("pyzzicato-data").textContent);
if (told.own_music) {
  // Models that were learnt since the app was started.
  ask().then((found) => addModels(found.models)).catch(() => {});
}

/** What the view "Learn" shows of it: nothing on a Space. */
export function ownMusic() {
  return told.own_music ? [new OwnMusic().place] : [];
}
