// Taking a take along: files are written by the server, from the notes that are on the page.

import { call } from "./client.js";
import { download } from "./elements.js";

const ENDINGS = { midi: "mid", "midi-new": "mid", wav: "wav", mp3: "mp3", png: "png" };

const plain = ({ pitch, start, end, velocity }) => ({ pitch, start, end, velocity });

/** The file that came with a take which was played to its end, while the server keeps it. */
async function fileOf(take) {
  const url = take.facts?.midi;
  const answer = url ? await fetch(url).catch(() => null) : null;
  return answer?.ok ? { url } : null;
}

/** Has a file written and hands it over; returns what to say. */
export async function saveTake(take, form) {
  const made = form === "midi" ? await fileOf(take) : null;
  const [file] = made ? [made] : await call("save_take", {
    form,
    title: take.seed.fullTitle,
    seed_notes: take.seedNotes.map(plain),
    new_notes: take.newNotes.map(plain),
    seed_seconds: take.seedSeconds,
    seconds: take.seconds,
  });
  const name = take.seed.title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60);
  const part = form === "midi-new" ? "continuation-only" : "continued";
  download(file.url, `${name}-${part}.${ENDINGS[form]}`);
  return "The file is in your downloads.";
}
