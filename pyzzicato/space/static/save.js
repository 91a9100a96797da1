// Taking takes along: files are written by the server, from the notes that are on the page.

import { addressOf, call } from "./client.js";
import { byId, download, make } from "./elements.js";
import { plain } from "./take.js";
import { zipOf } from "./zip.js";

const ENDINGS = { musicxml: "musicxml", midi: "mid", "midi-new": "mid", wav: "wav", mp3: "mp3", png: "png" };

/** The menu "Save" of a view with a `take`. */
export class SaveMenu {
  constructor(view) {
    view.addEventListener("take", () => { byId("score").hidden = true; });
    const menu = byId("save");
    menu.addEventListener("click", async (event) => {
      const form = event.target.dataset?.save;
      if (!form) return;
      menu.open = false;
      try {
        view.say(form === "link" ? "" : "Writing the file");
        if (form === "link") view.say(await view.copyLink());
        else if (form === "score") view.say(await showScore(view));
        else view.say(await saveTake(view.take, form));
      } catch (error) {
        view.say(error.message, true);
      }
    });
    // It opens upwards, where there is room for it.
    menu.addEventListener("toggle", () => {
      const { offsetHeight } = menu.querySelector(".items");
      if (menu.open) menu.classList.toggle("down", menu.getBoundingClientRect().top < offsetHeight + 8);
    });
    document.addEventListener("click", (event) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  }
}

/** The file that came with a take which was played to its end, while the server keeps it. */
async function fileOf(take) {
  const url = take.facts?.midi;
  const answer = url ? await fetch(url).catch(() => null) : null;
  return answer?.ok ? answer.blob() : null;
}

/** A take as sheet music, what /score answers. Throws, with the reason, where it is none. */
async function scoreOf(take) {
  const file = await fileOf(take);
  if (!file) throw new Error("A take that was changed is no score. Save it as MIDI.");
  const bytes = new Uint8Array(await file.arrayBuffer());
  const midi = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  const [score] = await call("score", { midi });
  return score;
}

/** Draws the take below the roll; returns what to say. */
async function showScore(view) {
  const { take } = view;
  const { svg } = await scoreOf(take);
  if (take !== view.take) return "";
  if (!svg) return "This server draws no scores. Save it as MusicXML.";
  // As an image a drawing can do nothing but be seen.
  const src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  const alt = `Sheet music of ${take.seed.fullTitle}`;
  byId("score").replaceChildren(make("img", { src, alt }));
  byId("score").hidden = false;
  return "";
}

async function writtenFile(take, form) {
  // Where a span of the seed was redone, what is new begins there.
  const begins = take.newNotes.reduce((first, note) => Math.min(first, note.start), take.seedSeconds);
  const [file] = await call("save_take", {
    form,
    title: take.seed.fullTitle,
    seed_notes: take.seedNotes.map(plain),
    new_notes: take.newNotes.map(plain),
    seed_seconds: begins,
    seconds: Math.max(0, take.end - begins),
  });
  return addressOf(file);
}

const nameOf = (seed) => seed.title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60);

/** Fetches what is to be downloaded: a file from an address would be called what the server calls it. */
async function blobOf(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error("The file is no longer there. Please try once more.");
  return answer.blob();
}

/**
 * Has a file written and hands it over; returns what to say. Its name has that of the piece and
 * `which`, by which takes of it are told apart.
 */
export async function saveTake(take, form, which = `take-${take.number}`) {
  const made = form === "midi" ? await fileOf(take) : null;
  const part = form === "midi-new" ? "continuation-only" : "continued";
  const address = async () => (
    form === "musicxml" ? addressOf((await scoreOf(take)).musicxml) : writtenFile(take, form));
  handOver(made ?? await blobOf(await address()), `${nameOf(take.seed)}-${part}-${which}.${ENDINGS[form]}`);
  return "The file is in your downloads.";
}

/** Hands all starred takes of a seed over, as MIDI files in one zip; returns what to say. */
export async function saveStarred(seed, takes) {
  const files = [];
  for (const take of takes) {
    const blob = await fileOf(take) ?? await blobOf(await writtenFile(take, "midi"));
    files.push([`${nameOf(seed)}-take-${take.number}.mid`, new Uint8Array(await blob.arrayBuffer())]);
  }
  handOver(new Blob([zipOf(files)], { type: "application/zip" }), `${nameOf(seed)}-takes.zip`);
  return `${takes.length} ${takes.length === 1 ? "take is" : "takes are"} in your downloads.`;
}

function handOver(blob, name) {
  const url = URL.createObjectURL(blob);
  download(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
