// What hands do on a roll: mouse, touch, wheel and keys, told as seconds and spans.

import { KEYS_WIDTH } from "./rollpaint.js";

const STILL_PX = 5;
const STEPS_S = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };

/**
 * A click seeks; a drag selects a span where the roll lets, and else moves along. On a phone a drag
 * moves along, and selects where the roll says so. Two fingers, and the wheel with Ctrl, zoom.
 */
export class RollHands {
  constructor(roll) {
    this.roll = roll;
    this.pointers = new Map();
    this.dragged = false;
    const { holder } = roll;
    holder.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    holder.addEventListener("pointerdown", (event) => this.onPress(event));
    holder.addEventListener("pointermove", (event) => this.onMove(event));
    for (const name of ["pointerup", "pointercancel"]) {
      holder.addEventListener(name, (event) => this.onRelease(event));
    }
    holder.addEventListener("pointerleave", () => roll.showHover(null));
    holder.addEventListener("keydown", (event) => this.onKey(event));
  }

  onWheel(event) {
    const { roll } = this;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      roll.zoom(Math.exp(-event.deltaY / 200), this.place(event).x);
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
      event.preventDefault();
      roll.left += (event.deltaX || event.deltaY) / roll.pixels;
      roll.draw();
    }
  }

  place(event) {
    const box = this.roll.holder.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  onPress(event) {
    if (event.button > 0) return;
    const { roll } = this;
    const place = this.place(event);
    this.pointers.set(event.pointerId, event.clientX);
    roll.holder.setPointerCapture(event.pointerId);
    const at = roll.secondsAt(place.x);
    this.dragged = false;
    this.pressed = { x: event.clientX, left: roll.left, at };
    if (roll.frame) this.grip = at - roll.frame.start;
    const onRuler = place.y > roll.bottom;
    this.selects = roll.selectable && !onRuler && (event.pointerType === "mouse" || roll.selecting);
    this.edits = Boolean(roll.editor) && this.pointers.size === 1 && place.x > KEYS_WIDTH && !onRuler
      && roll.editor.press(at, roll.pitchAt(place.y), event);
  }

  onMove(event) {
    const { roll } = this;
    const place = this.place(event);
    if (!this.pointers.has(event.pointerId)) return roll.showHover(place);
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId);
    if (others.length === 1) {
      const before = Math.abs(this.pointers.get(event.pointerId) - others[0][1]);
      const now = Math.abs(event.clientX - others[0][1]);
      this.dragged = true;
      if (before > 8 && now > 8) roll.zoom(now / before, place.x);
    } else if (this.edits) {
      roll.editor.move(roll.secondsAt(place.x), roll.pitchAt(place.y));
    } else if (Math.abs(event.clientX - this.pressed.x) > STILL_PX || this.dragged) {
      this.dragged = true;
      if (roll.frame) roll.moveFrame(roll.secondsAt(place.x) - this.grip);
      else if (this.selects) roll.setRegion(this.pressed.at, roll.secondsAt(place.x));
      else {
        roll.left = this.pressed.left - (event.clientX - this.pressed.x) / roll.pixels;
        roll.draw();
      }
    }
    this.pointers.set(event.pointerId, event.clientX);
  }

  onRelease(event) {
    const { roll } = this;
    if (!this.pointers.delete(event.pointerId)) return;
    const wasDragged = this.dragged;
    if (!this.pointers.size) this.dragged = false;
    if (this.edits) {
      this.edits = false;
      return roll.editor.release();
    }
    if (event.type !== "pointerup") return;
    if (wasDragged) return this.selects && roll.tell("region", roll.region);
    if (roll.frame) roll.moveFrame(this.pressed.at - roll.frame.seconds / 2);
    else roll.tell("seek", Math.min(Math.max(0, this.pressed.at), roll.end));
  }

  onKey(event) {
    const { roll } = this;
    const { key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (roll.editor?.key(event)) {
      // The editor has taken it.
    } else if (key in STEPS_S) {
      const by = STEPS_S[key];
      if (roll.frame) roll.moveFrame(roll.frame.start + (by * (event.shiftKey ? 5 : 1)) / 2);
      else if (event.shiftKey && roll.selectable) this.stretch(by / 2);
      else roll.tell("seek", roll.time + by);
    } else if (key === "Home" || key === "End") {
      const to = key === "Home" ? 0 : roll.end;
      if (roll.frame) roll.moveFrame(to);
      else roll.tell("seek", to);
    } else if (key === "+" || key === "=") roll.zoom(1.5);
    else if (key === "-") roll.zoom(1 / 1.5);
    else if (key === "0") roll.zoom(1e-6);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Selects from the playhead on, or moves the end of what is selected. */
  stretch(by) {
    const { roll } = this;
    const { start, end } = roll.region ?? { start: roll.time, end: roll.time };
    roll.setRegion(start, Math.max(start, end + by));
    roll.tell("region", roll.region);
  }
}
