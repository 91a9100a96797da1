// The browser's MIDI ports: keyboards that are listened to, and a port that is played.

let access = null;

/** Asks the visitor's browser for its MIDI ports; null where it has none or may not. */
export async function midiAccess() {
  if (!navigator.requestMIDIAccess) return null;
  access ??= navigator.requestMIDIAccess().catch(() => null);
  return access;
}

/** A note that sounds on the page and at a port. */
class SentVoice {
  constructor(voice, out, pitch, on) {
    Object.assign(this, { voice, out, pitch, on });
  }

  release(at, seconds) {
    this.voice.release(at, seconds);
    this.out.letGo(this, at);
  }
}

/** A port that is sent what the piano plays, so that another program can sound or record it. */
export class MidiOut {
  constructor() {
    this.port = null;
  }

  /** Plays at a port from now on; null for none. */
  choose(port) {
    this.silence();
    this.port = port;
    this.held = new Set();
  }

  strike(voice, pitch, velocity, at, context) {
    this.context = context;
    const sent = new SentVoice(voice, this, pitch, this.clockOf(at));
    this.port.send([0x90, pitch, velocity], sent.on);
    this.held.add(sent);
    return sent;
  }

  letGo(sent, at) {
    if (!this.held?.delete(sent)) return;
    // Never before its stroke, for then it would sound for ever.
    this.port.send([0x80, sent.pitch, 0], Math.max(this.clockOf(at), sent.on + 1));
  }

  /** A moment of the audio clock on the clock of MIDI messages, milliseconds. */
  clockOf(at) {
    return performance.now() + 1000 * Math.max(0, at - this.context.currentTime);
  }

  silence() {
    for (const sent of this.held ?? []) {
      this.port.send([0x80, sent.pitch, 0], Math.max(performance.now(), sent.on + 1));
    }
    this.held?.clear();
  }
}
