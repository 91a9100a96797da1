// The piano: plays single notes from recorded tones, or from a plain tone until those have come.

const RELEASE_S = 0.08;
const SOFTEST = 0.02;
const LOUDEST = 0.9;

/** A sounding note. Times are the audio clock's. */
class Voice {
  constructor(gain, sources) {
    this.gain = gain;
    this.sources = sources;
  }

  /** Lets the key go. */
  release(at, seconds = RELEASE_S) {
    const parameter = this.gain.gain;
    if (parameter.cancelAndHoldAtTime) parameter.cancelAndHoldAtTime(at);
    else parameter.cancelScheduledValues(at);
    parameter.setTargetAtTime(0, at, seconds);
    for (const source of this.sources) source.stop(at + 8 * seconds);
  }
}

export class Piano {
  constructor() {
    this.context = null;
    this.tones = [];
    this.buffer = null;
    this.credit = "";
    this.curve = 1.4;
    this.loudness = 1;
    this.out = null; // a MIDI port that is played too, see midiports.js
  }

  /** Whether what is played is sent to a MIDI port. */
  get isSending() { return Boolean(this.out?.port); }

  /** Sets how loud the page plays, 0 to 1; the ear hears the square. */
  setLoudness(value) {
    this.loudness = value;
    this.volume?.gain.setTargetAtTime(LOUDEST * value ** 2, this.context.currentTime, 0.02);
  }

  /** Makes the audio context; browsers want a click before it may sound. */
  wake() {
    if (!this.context) {
      this.context = new AudioContext({ latencyHint: "interactive" });
      this.volume = new GainNode(this.context, { gain: LOUDEST * this.loudness ** 2 });
      const limiter = new DynamicsCompressorNode(this.context, {
        threshold: -9, knee: 6, ratio: 8, attack: 0.003, release: 0.2,
      });
      this.meter = new AnalyserNode(this.context, { fftSize: 2048 });
      this.volume.connect(limiter).connect(this.meter).connect(this.context.destination);
      if (this.recorded) this.decode();
    }
    if (this.context.state !== "running") this.context.resume();
    return this.context;
  }

  /** Fetches the recorded tones; the piano plays plain tones until they are here. */
  async load() {
    const told = await (await fetch("piano/tones.json")).json();
    if (!told) return;
    const answer = await fetch("piano/tones.mp3");
    if (!answer.ok) return;
    this.recorded = { told, data: await answer.arrayBuffer() };
    if (this.context) await this.decode();
  }

  async decode() {
    const { told, data } = this.recorded;
    this.recorded = null;
    const buffer = await this.context.decodeAudioData(data);
    const samples = buffer.getChannelData(0);
    const tones = told.tones.map((tone) => ({
      ...tone,
      onset: findOnset(samples, buffer.sampleRate, tone.start),
    }));
    this.curve = loudnessCurve(samples, buffer.sampleRate, tones);
    this.buffer = buffer;
    this.tones = tones;
    this.credit = told.soundfont.replace(/\.sf[23]$/i, "").replaceAll("_", " ");
  }

  /** The loudest sample of the last moments, 0 to 1. */
  peak() {
    if (!this.context) return 0;
    const samples = new Float32Array(this.meter.fftSize);
    this.meter.getFloatTimeDomainData(samples);
    return samples.reduce((loudest, sample) => Math.max(loudest, Math.abs(sample)), 0);
  }

  /**
   * Strikes a key at a time of the audio clock; `from` skips so many seconds of its sound, and
   * `isOurs` is false for what came from a port itself.
   */
  strike(pitch, velocity, at, from = 0, isOurs = true) {
    const gain = new GainNode(this.context);
    const pan = new StereoPannerNode(this.context, { pan: (pitch - 64) / 110 });
    gain.connect(pan).connect(this.volume);
    const voice = this.tones.length
      ? this.strikeRecorded(gain, pitch, velocity, at, from)
      : this.strikePlain(gain, pitch, velocity, at);
    return this.isSending && isOurs ? this.out.strike(voice, pitch, velocity, at, this.context) : voice;
  }

  strikeRecorded(gain, pitch, velocity, at, from) {
    const far = (tone) => Math.abs(tone.pitch - pitch) * 1000 + Math.abs(tone.velocity - velocity);
    const tone = this.tones.reduce((best, one) => (far(one) < far(best) ? one : best));
    const level = Math.max(SOFTEST, (velocity / tone.velocity) ** this.curve);
    gain.gain.setValueAtTime(from > 0 ? 0 : level, at);
    if (from > 0) gain.gain.linearRampToValueAtTime(level, at + 0.02);
    const rate = 2 ** ((pitch - tone.pitch) / 12);
    const source = new AudioBufferSourceNode(this.context, {
      buffer: this.buffer, playbackRate: rate,
    });
    source.connect(gain);
    const begin = from * rate;
    const lasts = tone.seconds - 0.05 - begin;
    if (lasts <= 0) return new Voice(gain, []);
    source.start(at, tone.onset + begin, lasts);
    // Recorded tones are cut where they are still faintly heard.
    gain.gain.setTargetAtTime(0, at + lasts / rate - 0.3, 0.07);
    return new Voice(gain, [source]);
  }

  strikePlain(gain, pitch, velocity, at) {
    const frequency = 440 * 2 ** ((pitch - 69) / 12);
    const level = 0.22 * (velocity / 127) ** 1.4;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(level, at + 0.004);
    gain.gain.setTargetAtTime(0, at + 0.004, 1.6 - pitch / 90);
    const source = new OscillatorNode(this.context, { type: "triangle", frequency });
    source.connect(gain);
    source.start(at);
    source.stop(at + 6);
    return new Voice(gain, [source]);
  }
}

/** Where a tone really begins: decoders add some milliseconds. */
function findOnset(samples, rate, start) {
  const first = Math.max(0, Math.floor((start - 0.06) * rate));
  const last = Math.min(samples.length, Math.floor((start + 0.25) * rate));
  let loudest = 0;
  for (let i = first; i < last; i++) loudest = Math.max(loudest, Math.abs(samples[i]));
  for (let i = first; i < last; i++) {
    if (Math.abs(samples[i]) > loudest * 0.03) return Math.max(0, i / rate - 0.001);
  }
  return start;
}

/** The exponent that makes soft and hard tones meet: loudness goes with velocity to its power. */
function loudnessCurve(samples, rate, tones) {
  const power = new Map();
  for (const tone of tones) {
    const first = Math.floor(tone.onset * rate);
    let sum = 0;
    for (let i = first; i < first + rate * 0.5; i++) sum += samples[i] ** 2;
    const before = power.get(tone.velocity) ?? [];
    power.set(tone.velocity, [...before, sum]);
  }
  const [[soft, quiet], [hard, loud]] = [...power].sort((a, b) => a[0] - b[0]);
  const mean = (sums) => sums.reduce((all, sum) => all + Math.log(sum), 0) / sums.length;
  return (mean(loud) - mean(quiet)) / 2 / Math.log(hard / soft);
}
