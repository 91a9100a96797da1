// Names of keys, and how times are written.

const NAMES = ["C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B"];
const BLACK = new Set([1, 3, 6, 8, 10]);

export const LOWEST = 21;
export const HIGHEST = 108;

export const isBlack = (pitch) => BLACK.has(pitch % 12);

/** "E flat 4"; middle C is C 4. */
export const pitchName = (pitch) => `${NAMES[pitch % 12]} ${Math.floor(pitch / 12) - 1}`;

/** "1:05" */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds + 1e-6));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** "1:05.2" */
export function fineClock(seconds) {
  const tenths = Math.max(0, Math.floor(seconds * 10 + 1e-6));
  return `${clock(tenths / 10)}.${tenths % 10}`;
}
