// Taking takes along: files are written by the server, from the notes that are on the page.

import { addressOf, call } from "./client.js";
import { byId, download } from "./elements.js";
import { plain } from "./take.js";
import { zipOf } from "./zip.js";

const ENDINGS = { midi: "mid", "midi-new": "mid", wav: "wav", mp3: "mp3", png: "png" };

/** The menu "Save" of a view with a `take`. */
export class SaveMenu {
  constructor(view) {
    const menu = byId("save");
    menu.addEventListener("click", async (event) => {
      const form = event.target.dataset?.save;
      if (!form) return;
      menu.open = false;
      try {
        view.say(form === "link" ? "" : "Writing the file");
        view.say(form === "link" ? await view.copyLink() : await saveTake(view.take, form));
      } catch (error) {
        view.say(error.message, true);
      }
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

/** Has a file written and hands it over; returns what to say. */
export async function saveTake(take, form) {
  const made = form === "midi" ? await fileOf(take) : null;
  const part = form === "midi-new" ? "continuation-only" : "continued";
  const name = `${nameOf(take.seed)}-${part}.${ENDINGS[form]}`;
  if (made) handOver(made, name);
  else download(await writtenFile(take, form), name);
  return "The file is in your downloads.";
}

/** Hands all starred takes of a seed over, as MIDI files in one zip; returns what to say. */
export async function saveStarred(seed, takes) {
  const files = [];
  for (const take of takes) {
    const blob = await fileOf(take) ?? await (await fetch(await writtenFile(take, "midi"))).blob();
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
