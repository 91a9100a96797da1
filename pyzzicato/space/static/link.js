// Links that hold a seed and settings, so that whoever opens one gets the same notes.

import { defaults, limits, seeds } from "./data.js";
import { Seed } from "./seed.js";

const BYTES_A_NOTE = 18;

/** The address, from its `#` on, that brings a seed and settings back. */
export async function writeLink(seed, settings) {
  const told = new URLSearchParams();
  if (["preset", "none"].includes(seed.kind)) told.set("seed", seed.name);
  else {
    told.set("title", seed.title.slice(0, 80));
    told.set("notes", await packNotes(seed.neededNotes));
  }
  if (seed.start) told.set("start", seed.start);
  if (seed.length !== 10) told.set("length", seed.length);
  for (const [name, value] of Object.entries(settings)) {
    if (value !== null && value !== undefined) told.set(name, value);
  }
  return `#continue?${told}`;
}

/**
 * The seed and settings of a link; null where it holds none.
 *
 * Nothing of a link is believed: whoever wrote it, all is within the bounds of an upload before
 * anything is drawn. Throws where it is not.
 */
export async function readLink(hash) {
  const told = new URLSearchParams(hash.slice(hash.indexOf("?") + 1));
  const number = (name, otherwise, [low, high] = [0, limits.music_seconds]) => {
    if (!told.has(name)) return otherwise;
    const value = Number(told.get(name));
    if (!(value >= low && value <= high)) throw new Error(`a link with a wrong ${name}`);
    return value;
  };
  let seed = null;
  const part = { start: number("start", 0), length: number("length", 10, limits.seed_seconds) };
  if (told.has("notes")) {
    const notes = await unpackNotes(told.get("notes"));
    const title = (told.get("title") ?? "A seed").slice(0, 80);
    seed = new Seed({ kind: "file", title, notes, ...part });
  } else if (told.get("seed") === "none") {
    seed = Seed.none();
  } else if (seeds.some((one) => one.name === told.get("seed"))) {
    seed = Object.assign(Seed.preset(told.get("seed")), part);
  }
  if (!seed) return null;
  const settings = {
    model: told.get("model") ?? defaults.model,
    seconds: number("seconds", 30, [1, limits.seconds[1]]),
    // Links from before the floor was raised ask for less.
    temperature: Math.max(0.1, number("temperature", 1, [0.01, 4])),
    threshold: number("threshold", null, [0.001, 0.999]),
    rng: number("rng", 0, [0, 2 ** 32 - 1]),
    density: number("density", 1, [0.5, 2]),
  };
  if (told.has("composer")) {
    Object.assign(settings, { composer: told.get("composer"), guidance: number("guidance", 1, [0, 4]) });
  }
  return { seed, settings };
}

// Times are kept as they are, to the last bit: a rounded one could fall into another frame.
async function packNotes(notes) {
  const view = new DataView(new ArrayBuffer(notes.length * BYTES_A_NOTE));
  for (const [i, note] of notes.entries()) {
    view.setUint8(i * BYTES_A_NOTE, note.pitch);
    view.setUint8(i * BYTES_A_NOTE + 1, note.velocity);
    view.setFloat64(i * BYTES_A_NOTE + 2, note.start);
    view.setFloat64(i * BYTES_A_NOTE + 10, note.end);
  }
  const packed = await through(new CompressionStream("deflate-raw"), view.buffer);
  const text = btoa(Array.from(new Uint8Array(packed), (byte) => String.fromCharCode(byte)).join(""));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function unpackNotes(text) {
  if (text.length > 2 * limits.upload_bytes) throw new Error("a link that is too long");
  const packed = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(packed, (sign) => sign.charCodeAt(0));
  const view = new DataView(await unpack(bytes, limits.notes * BYTES_A_NOTE));
  const notes = [];
  for (let i = 0; i + BYTES_A_NOTE <= view.byteLength; i += BYTES_A_NOTE) {
    notes.push({
      pitch: view.getUint8(i),
      velocity: view.getUint8(i + 1),
      start: view.getFloat64(i + 2),
      end: view.getFloat64(i + 10),
    });
  }
  if (!notes.length) throw new Error("a link without notes");
  if (!notes.every(isPlayable)) throw new Error("a link with notes that nobody could play");
  return notes;
}

function isPlayable({ pitch, velocity, start, end }) {
  return pitch >= 21 && pitch <= 108 && velocity >= 1 && velocity <= 127
    && start >= 0 && end > start && end <= limits.music_seconds;
}

/** The bytes that are packed; a few can unpack to millions, so it ends where there are too many. */
async function unpack(bytes, most) {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const parts = [];
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > most) {
      reader.cancel().catch(() => {});
      throw new Error("a link with too many notes");
    }
    parts.push(part.value);
  }
  return new Blob(parts).arrayBuffer();
}

function through(stream, data) {
  return new Response(new Blob([data]).stream().pipeThrough(stream)).arrayBuffer();
}
