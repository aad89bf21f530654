/**
 * Sound with a time for every sample, taken from a program that writes raw PCM to a pipe.
 *
 * A chunk arrives some milliseconds after its samples were sounded and sometimes later, never earlier; so the time of sample 0
 * is the smallest "arrival minus position" that was seen. Assumes that the source runs on the machine's own clock, as
 * PulseAudio's null sinks do. Times are milliseconds since 1970 with fractions.
 */
import type { Sound } from "./wav.ts";

const MAXIMUM_RECORDING_S = 600;
/** Levels are judged in windows of this length. */
const WINDOW_MS = 2;

export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** A stretch of sound; `startMs` is the time and `endMs` the end of its last loud window. */
export type Stretch = { readonly startMs: number; readonly endMs: number };

export class Tap {
  readonly sampleRate: number;
  readonly #recordings = new Set<Recording>();
  #samples = 0;
  #originMs = Number.POSITIVE_INFINITY;
  #odd: Buffer = Buffer.alloc(0);

  constructor(sampleRate: number) {
    this.sampleRate = sampleRate;
  }

  get isFlowing(): boolean {
    return this.#samples > 0;
  }

  /** Time of the tap's first sample. */
  get originMs(): number {
    return this.#originMs;
  }

  take(chunk: Buffer): void {
    const bytes = Buffer.concat([this.#odd, chunk]);
    const whole = bytes.length - (bytes.length % 2);
    this.#odd = bytes.subarray(whole);
    const pcm = new Int16Array(Uint8Array.from(bytes.subarray(0, whole)).buffer);
    const first = this.#samples;
    this.#samples += pcm.length;
    this.#originMs = Math.min(this.#originMs, nowMs() - (this.#samples * 1000) / this.sampleRate);
    for (const recording of this.#recordings) recording.take(first, pcm);
  }

  /** `ended` is called when the recording is stopped. */
  record(ended: () => void = () => {}): Recording {
    const recording: Recording = new Recording(this, () => {
      if (this.#recordings.delete(recording)) ended();
    });
    this.#recordings.add(recording);
    return recording;
  }
}

export class Recording {
  readonly #tap: Tap;
  readonly #end: () => void;
  readonly #chunks: Int16Array[] = [];
  #firstSample = 0;
  #length = 0;

  constructor(tap: Tap, end: () => void) {
    this.#tap = tap;
    this.#end = end;
  }

  take(firstSample: number, pcm: Int16Array): void {
    if (this.#length === 0) this.#firstSample = firstSample;
    if (this.#length > MAXIMUM_RECORDING_S * this.#tap.sampleRate)
      throw new Error("the recording is too long");
    this.#chunks.push(pcm);
    this.#length += pcm.length;
  }

  /** Ends the recording; what was recorded stays readable. */
  stop(): void {
    this.#end();
  }

  get sound(): Sound {
    const pcm = new Int16Array(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      pcm.set(chunk, at);
      at += chunk.length;
    }
    return { pcm, sampleRate: this.#tap.sampleRate };
  }

  /** Time of a sample of `sound`. */
  timeOf(sample: number): number {
    return this.#tap.originMs + ((this.#firstSample + sample) * 1000) / this.#tap.sampleRate;
  }

  /** The part of `sound` between two times. */
  between(fromMs: number, toMs: number): Int16Array {
    const sampleAt = (timeMs: number) =>
      Math.round(((timeMs - this.timeOf(0)) * this.#tap.sampleRate) / 1000);
    return this.sound.pcm.subarray(Math.max(0, sampleAt(fromMs)), Math.max(0, sampleAt(toMs)));
  }

  /**
   * Where there is sound: windows whose peak exceeds `level` (part of full scale), joined over pauses shorter than
   * `pauseMs`. In time order.
   */
  stretches(level = 0.01, pauseMs = 300): readonly Stretch[] {
    const { pcm, sampleRate } = this.sound;
    const window = Math.round((WINDOW_MS * sampleRate) / 1000);
    const found: { startMs: number; endMs: number }[] = [];
    for (let from = 0; from < pcm.length; from += window) {
      if (!pcm.subarray(from, from + window).some((sample) => Math.abs(sample) > level * 32768)) continue;
      const startMs = this.timeOf(from);
      const endMs = this.timeOf(Math.min(pcm.length, from + window));
      const last = found.at(-1);
      if (last !== undefined && startMs - last.endMs < pauseMs) last.endMs = endMs;
      else found.push({ startMs, endMs });
    }
    return found;
  }
}
