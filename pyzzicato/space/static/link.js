// Links that hold a seed and settings, so that whoever opens one gets the same notes.

import { call } from "./client.js";
import { composers, defaults, limits, modelOf, seeds } from "./data.js";
import { Seed } from "./seed.js";

const BYTES_A_NOTE = 18;
// A longer address is cut by some programs: of a larger file the notes travel.
const LONGEST_FILE = 40_000;
// Velocities end at 127: the bit above tells a new note from one of the seed.
const NEW = 0x80;

/** A link that cannot be opened; the message says why, for people. */
export class WrongLink extends Error {}

/** The address, from its `#` on, that brings a take back. */
export async function writeLink(take) {
  const { seed, settings } = take;
  const told = new URLSearchParams();
  let isWhole = true;
  if (["preset", "none"].includes(seed.kind)) told.set("seed", seed.name);
  else {
    told.set("title", seed.title.slice(0, 80));
    const file = seed.midi ? await pack(bytesOf(seed.midi).buffer) : "";
    isWhole = file.length < LONGEST_FILE;
    if (file && isWhole) told.set("midi", file);
    else told.set("notes", await packNotes(seed.neededNotes));
  }
  if (seed.start) told.set("start", seed.start);
  if (seed.length !== 10) told.set("length", seed.length);
  for (const [name, value] of Object.entries(settings)) {
    if (value !== null && value !== undefined) told.set(name, value);
  }
  // What was changed by hand, or played on from a moment, is not made again: it travels itself.
  if (!take.isRepeatable || !isWhole) {
    told.set("take", await packNotes(take.notes));
    told.set("played", take.seconds);
  }
  return `#continue?${told}`;
}

/**
 * What a link holds: `seed` and `settings`, and for a take that travels itself `notes` and `seconds`.
 *
 * Nothing of a link is believed: whoever wrote it, all is within the bounds of an upload before
 * anything is drawn. Throws a `WrongLink` where it is not, or where what it names is not here.
 */
export async function readLink(hash) {
  const told = new URLSearchParams(hash.slice(hash.indexOf("?") + 1));
  const number = (name, otherwise, [low, high] = [0, limits.music_seconds]) => {
    if (!told.has(name)) return otherwise;
    const value = Number(told.get(name));
    if (!(value >= low && value <= high)) throw new WrongLink(`its ${name} is not from ${low} to ${high}`);
    return value;
  };
  const known = (name, names, otherwise) => {
    const value = told.get(name) ?? otherwise;
    if (!names.includes(value)) throw new WrongLink(`there is no ${name} called "${value.slice(0, 60)}" here`);
    return value;
  };
  const part = { start: number("start", 0), length: number("length", 10, limits.seed_seconds) };
  let seed;
  const title = (told.get("title") ?? "A seed").slice(0, 80);
  if (told.has("midi")) {
    const file = await unpack(unpackText(told.get("midi")), limits.upload_bytes);
    const midi = textOf(new Uint8Array(file));
    const [read] = await call("read_midi", { midi });
    seed = new Seed({ kind: "file", title, midi, ...read, ...part });
  } else if (told.has("notes")) {
    const notes = await unpackNotes(told.get("notes"));
    seed = new Seed({ kind: "file", title, notes, ...part });
  } else if (!told.has("seed")) {
    throw new WrongLink("it names no seed");
  } else if (told.get("seed") === "none") {
    seed = Seed.none();
  } else {
    const name = known("seed", seeds.map((one) => one.name));
    seed = Object.assign(Seed.preset(name), part);
  }
  const settings = {
    model: modelName(told.get("model") ?? defaults.model),
    seconds: number("seconds", 30, [1, limits.longest]),
    // Links from before the floor was raised ask for less.
    temperature: Math.max(0.1, number("temperature", 1, [0.01, 4])),
    threshold: number("threshold", null, [0.001, 0.999]),
    rng: number("rng", 0, [0, 2 ** 32 - 1]),
    density: number("density", 1, [0.5, 2]),
    quantise: number("quantise", null, [0, 1]),
  };
  if (told.has("composer")) {
    const composer = known("composer", ["any", ...Object.keys(composers)]);
    Object.assign(settings, { composer, guidance: number("guidance", 1, [0, 4]) });
  }
  if (told.get("ending") === "true") settings.ending = true;
  if (!told.has("take")) return { seed, settings };
  return { seed, settings, notes: await unpackNotes(told.get("take")), seconds: number("played", 0) };
}

/** The name a model has today, whichever it had when the link was made. */
function modelName(told) {
  const model = modelOf(told);
  if (!model) throw new WrongLink(`there is no model called "${told.slice(0, 60)}" here`);
  return model.name;
}

// Times are kept as they are, to the last bit: a rounded one could fall into another frame.
async function packNotes(notes) {
  const view = new DataView(new ArrayBuffer(notes.length * BYTES_A_NOTE));
  for (const [i, note] of notes.entries()) {
    view.setUint8(i * BYTES_A_NOTE, note.pitch);
    view.setUint8(i * BYTES_A_NOTE + 1, note.velocity | (note.isNew ? NEW : 0));
    view.setFloat64(i * BYTES_A_NOTE + 2, note.start);
    view.setFloat64(i * BYTES_A_NOTE + 10, note.end);
  }
  return pack(view.buffer);
}

/** Bytes as text that an address can hold. */
async function pack(data) {
  const packed = await through(new CompressionStream("deflate-raw"), data);
  const text = textOf(new Uint8Array(packed));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const textOf = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

const bytesOf = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));

const unpackText = (text) => bytesOf(text.replaceAll("-", "+").replaceAll("_", "/"));

async function unpackNotes(text) {
  if (text.length > 2 * limits.upload_bytes) throw new WrongLink("it is too long");
  const view = new DataView(await unpack(unpackText(text), limits.notes * BYTES_A_NOTE));
  const notes = [];
  for (let i = 0; i + BYTES_A_NOTE <= view.byteLength; i += BYTES_A_NOTE) {
    notes.push({
      pitch: view.getUint8(i),
      velocity: view.getUint8(i + 1) & ~NEW,
      start: view.getFloat64(i + 2),
      end: view.getFloat64(i + 10),
      ...(view.getUint8(i + 1) & NEW && { isNew: true }),
    });
  }
  if (!notes.length) throw new WrongLink("it holds no notes");
  if (!notes.every(isPlayable)) throw new WrongLink("it holds notes that nobody could play");
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
      throw new WrongLink("it holds too much");
    }
    parts.push(part.value);
  }
  return new Blob(parts).arrayBuffer();
}

function through(stream, data) {
  return new Response(new Blob([data]).stream().pipeThrough(stream)).arrayBuffer();
}
