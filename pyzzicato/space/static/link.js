// Links that hold a seed and settings, so that whoever opens one gets the same notes.

import { seeds } from "./data.js";
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

/** The seed and settings of a link; null where it holds none. */
export async function readLink(hash) {
  const told = new URLSearchParams(hash.slice(hash.indexOf("?") + 1));
  const number = (name, otherwise) => (told.has(name) ? Number(told.get(name)) : otherwise);
  let seed = null;
  const part = { start: number("start", 0), length: number("length", 10) };
  if (told.has("notes")) {
    const notes = await unpackNotes(told.get("notes"));
    seed = new Seed({ kind: "file", title: told.get("title") ?? "A seed", notes, ...part });
  } else if (told.get("seed") === "none") {
    seed = Seed.none();
  } else if (seeds.some((one) => one.name === told.get("seed"))) {
    seed = Object.assign(Seed.preset(told.get("seed")), part);
  }
  if (!seed) return null;
  const settings = {
    model: told.get("model"),
    seconds: number("seconds", 30),
    temperature: number("temperature", 1),
    threshold: number("threshold", null),
    rng: number("rng", 0),
    density: number("density", 1),
  };
  if (told.has("composer")) {
    Object.assign(settings, { composer: told.get("composer"), guidance: number("guidance", 1) });
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
  const packed = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(packed, (sign) => sign.charCodeAt(0));
  const view = new DataView(await through(new DecompressionStream("deflate-raw"), bytes));
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
  return notes;
}

function through(stream, data) {
  return new Response(new Blob([data]).stream().pipeThrough(stream)).arrayBuffer();
}
