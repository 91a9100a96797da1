// Draws a roll on its canvas: ground, notes, keys, ruler, and what is marked on it.

import { HIGHEST, LOWEST, clock, isBlack } from "./pitch.js";

export const KEYS_WIDTH = 40;
export const RULER_HEIGHT = 20;
const LABEL_HEIGHT = 12;
const LEAST_PITCHES = 26;
// Below so many pixels a key, black keys are but noise.
const LEAST_ROW = 3.5;
// A stroke is seen however short it is.
const LEAST_WIDTH = 2.2;
const STEPS_S = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300];

/** Paints all of a roll. */
export function paintRoll(roll) {
  const { width, height, canvas } = roll;
  if (!width || !height) return;
  const dots = Math.min(devicePixelRatio || 1, 2);
  canvas.width = Math.round(width * dots);
  canvas.height = Math.round(height * dots);
  const pen = canvas.getContext("2d");
  pen.scale(dots, dots);
  const colours = coloursOf(roll.holder);
  pen.fillStyle = colours.paper;
  pen.fillRect(0, 0, width, height);
  paintGround(pen, colours, roll);
  paintNotes(pen, colours, roll);
  if (roll.frame) paintFrame(pen, colours, roll);
  if (roll.region) paintRegion(pen, colours, roll);
  if (roll.plain) return;
  paintMarks(pen, colours, roll);
  paintKeys(pen, colours, roll);
  paintRuler(pen, colours, roll);
}

function paintGround(pen, colours, roll) {
  const { bottom, rowHeight: row } = roll;
  const [lowest, highest] = roll.range;
  if (roll.seedSeconds > 0 && !roll.frame) {
    pen.fillStyle = colours.seedGround;
    pen.fillRect(0, 0, roll.x(roll.seedSeconds), bottom);
  }
  if (roll.plain) return;
  for (let pitch = lowest; pitch <= highest; pitch++) {
    if (isBlack(pitch) && row >= LEAST_ROW) {
      pen.fillStyle = colours.blackRow;
      pen.fillRect(0, roll.y(pitch), roll.width, row);
    }
    if (pitch % 12 === 0) {
      pen.fillStyle = colours.line;
      pen.fillRect(0, Math.round(roll.y(pitch) + row), roll.width, 1);
    }
  }
}

function paintNotes(pen, colours, roll) {
  const { left: first, rowHeight: row } = roll;
  const last = first + roll.inSight;
  const thick = Math.max(row * 0.84, 1.8);
  for (const note of roll.notes) {
    if (note.end < first || note.start > last) continue;
    const x = roll.x(note.start);
    const wide = Math.max(roll.x(note.end) - x - 0.6, LEAST_WIDTH);
    const top = roll.y(note.pitch) + (row - thick) / 2;
    const inFrame = !roll.frame || isInFrame(note, roll.frame);
    pen.globalAlpha = (0.4 + 0.6 * (note.velocity / 127)) * (inFrame ? 1 : 0.4);
    pen.fillStyle = note.isNew ? colours.accent : colours.ink;
    pen.beginPath();
    pen.roundRect(x, top, wide, thick, Math.min(2, thick / 3));
    pen.fill();
    pen.globalAlpha = 1;
    if (roll.chosen?.has(note)) {
      pen.strokeStyle = colours.ink;
      pen.lineWidth = 2;
      pen.strokeRect(x - 1.5, top - 1.5, wide + 3, thick + 3);
    } else if (note.isNew && thick >= 3 && wide >= 3 && !roll.plain) {
      // An outline tells the continuation from the seed where colour does not.
      pen.strokeStyle = colours.accentEdge;
      pen.lineWidth = 1;
      pen.stroke();
    }
  }
}

const isInFrame = (note, { start, seconds }) => note.start >= start && note.start < start + seconds;

function paintFrame(pen, colours, roll) {
  const { frame, bottom } = roll;
  const from = roll.x(frame.start);
  const to = roll.x(Math.min(frame.start + frame.seconds, roll.end));
  pen.fillStyle = colours.seedGround;
  pen.globalCompositeOperation = "destination-over";
  pen.fillRect(from, 0, to - from, bottom);
  pen.globalCompositeOperation = "source-over";
  pen.strokeStyle = colours.accent;
  pen.lineWidth = 2;
  pen.strokeRect(from + 1, 1, Math.max(to - from - 2, 4), bottom - 2);
}

function paintRegion(pen, colours, roll) {
  const from = roll.x(roll.region.start);
  const to = roll.x(roll.region.end);
  pen.fillStyle = colours.accent;
  pen.globalAlpha = 0.14;
  pen.fillRect(from, 0, to - from, roll.bottom);
  pen.globalAlpha = 1;
  for (const x of [from, to]) pen.fillRect(x - 0.5, 0, 1.5, roll.bottom);
}

/** Where the seed ends, where playing went on, and where it was brought back to the seed. */
function paintMarks(pen, colours, roll) {
  pen.strokeStyle = colours.muted;
  if (roll.seedSeconds > 0 && roll.seedSeconds < roll.end && !roll.frame) {
    paintBorder(pen, roll, roll.seedSeconds, [4, 3]);
  }
  for (const seconds of roll.returns) paintBorder(pen, roll, seconds, [1, 4]);
  pen.strokeStyle = pen.fillStyle = colours.accentEdge;
  for (const seconds of roll.marks) {
    paintBorder(pen, roll, seconds, [2, 2]);
    const x = roll.x(seconds);
    pen.beginPath();
    pen.moveTo(x - 5, 0);
    pen.lineTo(x + 5, 0);
    pen.lineTo(x, 7);
    pen.fill();
  }
}

function paintBorder(pen, roll, seconds, dashes) {
  const x = Math.round(roll.x(seconds)) + 0.5;
  pen.lineWidth = 1;
  pen.setLineDash(dashes);
  pen.beginPath();
  pen.moveTo(x, 0);
  pen.lineTo(x, roll.bottom);
  pen.stroke();
  pen.setLineDash([]);
}

function paintKeys(pen, colours, roll) {
  const { bottom, rowHeight: row } = roll;
  const [lowest, highest] = roll.range;
  pen.fillStyle = colours.paper;
  pen.fillRect(0, 0, KEYS_WIDTH, roll.height);
  pen.font = `11px ${colours.font}`;
  pen.textBaseline = "middle";
  for (let pitch = lowest; pitch <= highest; pitch++) {
    const top = roll.y(pitch);
    if (isBlack(pitch) && row >= LEAST_ROW) {
      pen.fillStyle = colours.muted;
      pen.fillRect(KEYS_WIDTH - 14, top + row * 0.1, 13, row * 0.8);
    }
    if (pitch % 12 === 0) {
      pen.fillStyle = colours.muted;
      pen.textAlign = "right";
      const middle = Math.max(top + row / 2, LABEL_HEIGHT / 2 + 2);
      pen.fillText(`C${pitch / 12 - 1}`, KEYS_WIDTH - 18, Math.min(middle, bottom - LABEL_HEIGHT / 2));
      pen.fillStyle = colours.line;
      pen.fillRect(KEYS_WIDTH - 14, Math.round(top + row), 13, 1);
    }
  }
  pen.fillStyle = colours.line;
  pen.fillRect(KEYS_WIDTH - 1, 0, 1, bottom);
}

function paintRuler(pen, colours, roll) {
  const { bottom } = roll;
  pen.fillStyle = colours.line;
  pen.fillRect(KEYS_WIDTH, bottom, roll.width, 1);
  pen.fillStyle = colours.muted;
  pen.font = `11px ${colours.font}`;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  const step = STEPS_S.find((seconds) => seconds * roll.pixels >= 56) ?? 600;
  const last = Math.min(roll.end, roll.left + roll.inSight);
  for (let at = Math.ceil(roll.left / step) * step; at <= last; at += step) {
    const x = roll.x(at);
    if (x > roll.width - 24) break;
    pen.fillRect(x, bottom, 1, 5);
    pen.fillText(step < 1 ? at.toFixed(1) : clock(at), x + 4, bottom + RULER_HEIGHT / 2 + 1);
  }
}

/** The lowest and the highest pitch to show, so that all notes fit with some room. */
export function pitchRange(notes) {
  let lowest = HIGHEST;
  let highest = LOWEST;
  for (const note of notes) {
    lowest = Math.min(lowest, note.pitch);
    highest = Math.max(highest, note.pitch);
  }
  if (!notes.length) [lowest, highest] = [55, 65];
  lowest -= 2;
  highest += 2;
  const missing = Math.max(0, LEAST_PITCHES - (highest - lowest + 1));
  lowest -= Math.floor(missing / 2);
  highest += Math.ceil(missing / 2);
  return [Math.max(LOWEST, lowest), Math.min(HIGHEST, highest)];
}

function coloursOf(element) {
  const style = getComputedStyle(element);
  const names = {
    paper: "--roll", ink: "--ink", accent: "--accent", accentEdge: "--accent-edge",
    muted: "--muted", line: "--line", seedGround: "--seed-ground", blackRow: "--black-row",
  };
  const colours = { font: style.fontFamily };
  for (const [name, variable] of Object.entries(names)) {
    colours[name] = style.getPropertyValue(variable).trim();
  }
  return colours;
}
