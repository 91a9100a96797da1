// A short name for notes, so that the same music is known again and other music is not.

const hashes = new WeakMap();

/** A hash of pitch, onset, end and velocity of each note, as text. */
export function hashNotes(notes) {
  if (!hashes.has(notes)) hashes.set(notes, hashOf(notes));
  return hashes.get(notes);
}

function hashOf(notes) {
  const view = new DataView(new ArrayBuffer(notes.length * 18));
  for (const [i, note] of notes.entries()) {
    view.setUint8(i * 18, note.pitch);
    view.setUint8(i * 18 + 1, note.velocity);
    view.setFloat64(i * 18 + 2, note.start);
    view.setFloat64(i * 18 + 10, note.end);
  }
  // Two 32-bit hashes of the kind of Fowler, Noll and Vo, with different starts.
  let [one, two] = [0x811c9dc5, 0x01000193];
  for (let i = 0; i < view.byteLength; i++) {
    const byte = view.getUint8(i);
    one = Math.imul(one ^ byte, 0x01000193);
    two = Math.imul(two ^ byte, 0x85ebca6b) ^ (two >>> 15);
  }
  return (one >>> 0).toString(16).padStart(8, "0") + (two >>> 0).toString(16).padStart(8, "0");
}
