// A zip of some small files, stored as they are (PKWARE's APPNOTE, method 0).

const CRCS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crcOf(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRCS[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Fields of 2 or 4 bytes, the lowest byte first. */
function fields(...values) {
  return values.flatMap(([value, size]) => (
    Array.from({ length: size }, (_, i) => (value >>> (8 * i)) & 0xff)));
}

/** The bytes of a zip that holds `[name, bytes]` pairs. */
export function zipOf(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const [name, bytes] of files) {
    const told = new TextEncoder().encode(name);
    // Version 2.0, names in UTF-8, stored, 1 January 1980.
    const about = fields([20, 2], [0x0800, 2], [0, 2], [0, 2], [0x21, 2], [crcOf(bytes), 4],
      [bytes.length, 4], [bytes.length, 4], [told.length, 2], [0, 2]);
    const head = [...fields([0x04034b50, 4]), ...about, ...told];
    parts.push(Uint8Array.from(head), bytes);
    directory.push(...fields([0x02014b50, 4], [20, 2]), ...about,
      ...fields([0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]), ...told);
    offset += head.length + bytes.length;
  }
  const end = fields([0x06054b50, 4], [0, 2], [0, 2], [files.length, 2], [files.length, 2],
    [directory.length, 4], [offset, 4], [0, 2]);
  const all = [...parts, Uint8Array.from(directory), Uint8Array.from(end)];
  const whole = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of all) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
