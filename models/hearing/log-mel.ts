/**
 * The front end of the recogniser: 16 kHz samples to 80 log-mel features every 10 ms, computed as the sound arrives, so
 * that nothing is left to do when the speaker stops.
 *
 * The short-time transform is Whisper's (Radford et al. 2022; n_fft 400, hop 160, periodic Hann, centred, reflect
 * padding, last frame dropped, power, 80 Slaney mels from 0 to 8 kHz). The compression is ours: a fixed floor and scale,
 * feature = (max(log10(max(mel, 1e-10)), floor) + shift) / scale, because Whisper's own takes the maximum of the whole
 * window and cannot be computed on a stream. Frame k is centred on sample 160 k and needs 200 samples after it.
 */
import { FRAME_SAMPLES, PowerSpectrum, SPECTRUM_BINS } from "./fourier.ts";

export const SAMPLE_RATE = 16_000;
export const HOP_SAMPLES = 160;
export const MELS = 80;

const REACH = FRAME_SAMPLES / 2;
const SMALLEST_POWER = 1e-10;
/** Features of this many frames are kept: 20.48 s, more than the longest turn and its pre-roll. A power of two. */
export const KEPT_FRAMES = 2_048;
/** Samples kept for frames that are not finished; at least one frame and one push. */
const KEPT_SAMPLES = 4_096;

export type Compression = { readonly floor: number; readonly shift: number; readonly scale: number };

export const DEFAULT_COMPRESSION: Compression = { floor: -7, shift: 3, scale: 3 };

function hertzToMel(hertz: number): number {
  return hertz < 1_000 ? (hertz * 3) / 200 : 15 + (27 * Math.log(hertz / 1_000)) / Math.log(6.4);
}

function melToHertz(mel: number): number {
  return mel < 15 ? (mel * 200) / 3 : 1_000 * Math.exp((Math.log(6.4) / 27) * (mel - 15));
}

/** One triangle: its weights on the bins from `first`. */
type MelFilter = { readonly first: number; readonly weights: Float64Array };

/** Slaney's filters with Slaney's area norm (Auditory Toolbox, 1998), only the weights that are not zero. */
export function melFilters(): readonly MelFilter[] {
  const top = hertzToMel(SAMPLE_RATE / 2);
  const edges = Array.from({ length: MELS + 2 }, (_, i) => melToHertz((top * i) / (MELS + 1)));
  return Array.from({ length: MELS }, (_, mel) => {
    const [left, peak, right] = edges.slice(mel, mel + 3) as [number, number, number];
    const norm = 2 / (right - left);
    const dense = Array.from({ length: SPECTRUM_BINS }, (_, bin) => {
      const hertz = (bin * SAMPLE_RATE) / FRAME_SAMPLES;
      return Math.max(0, Math.min((hertz - left) / (peak - left), (right - hertz) / (right - peak))) * norm;
    });
    const first = Math.max(
      0,
      dense.findIndex((weight) => weight > 0),
    );
    const last = dense.findLastIndex((weight) => weight > 0);
    return { first, weights: Float64Array.from(dense.slice(first, last + 1)) };
  });
}

/** Periodic Hann: the window of length 401 without its last sample. */
function hann(): Float64Array {
  return Float64Array.from(
    { length: FRAME_SAMPLES },
    (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / FRAME_SAMPLES),
  );
}

/**
 * A stream of features. `push` takes samples in [-1, 1]; frames get absolute numbers from 0 on, and the last
 * KEPT_FRAMES of them can be read.
 */
export class LogMel {
  readonly #compression: Compression;
  readonly #spectrum = new PowerSpectrum();
  readonly #window = hann();
  readonly #filterStarts: Int32Array;
  readonly #filterOffsets: Int32Array;
  readonly #filterWeights: Float64Array;
  /** Ring of samples by absolute index. */
  readonly #samples = new Float32Array(KEPT_SAMPLES);
  readonly #features = new Float32Array(KEPT_FRAMES * MELS);
  #sampleCount = 0;
  #frameCount = 0;

  constructor(compression: Compression = DEFAULT_COMPRESSION) {
    this.#compression = compression;
    const filters = melFilters();
    this.#filterStarts = Int32Array.from(filters, (filter) => filter.first);
    this.#filterOffsets = new Int32Array(MELS + 1);
    for (const [mel, filter] of filters.entries()) {
      this.#filterOffsets[mel + 1] = (this.#filterOffsets[mel] as number) + filter.weights.length;
    }
    this.#filterWeights = Float64Array.from(filters.flatMap((filter) => [...filter.weights]));
  }

  /** Frames that are complete so far. */
  get frameCount(): number {
    return this.#frameCount;
  }

  get sampleCount(): number {
    return this.#sampleCount;
  }

  /** Takes any number of samples in [-1, 1] and computes every frame that they complete. */
  push(samples: Float32Array): void {
    const step = KEPT_SAMPLES - 2 * FRAME_SAMPLES;
    for (let from = 0; from < samples.length; from += step) {
      this.#take(samples.subarray(from, from + step));
    }
  }

  /** The same for signed 16-bit samples, as the microphone delivers them. */
  pushPcm(pcm: Int16Array): void {
    this.push(Float32Array.from(pcm, (sample) => sample / 32_768));
  }

  /**
   * Ends the stream: frames up to floor(n / 160) whose right half is not there are made by reflecting the end, as the
   * reference does. Nothing may be pushed afterwards.
   */
  finish(): void {
    const end = this.#sampleCount;
    const frames = Math.floor(end / HOP_SAMPLES);
    while (this.#frameCount < frames) {
      const needed = this.#frameCount * HOP_SAMPLES + REACH;
      while (this.#sampleCount < needed) {
        const mirror = Math.max(0, end - 2 - (this.#sampleCount - end));
        this.#store(this.#samples[mirror % KEPT_SAMPLES] as number);
      }
      this.#frame();
    }
  }

  /** A copy of the features of frames [from, to), row after row. Throws when they are no longer or not yet there. */
  read(from: number, to: number): Float32Array {
    if (from < 0 || from < this.#frameCount - KEPT_FRAMES || to > this.#frameCount || from > to) {
      throw new RangeError(`frames ${from} to ${to} of ${this.#frameCount} are not kept`);
    }
    const out = new Float32Array((to - from) * MELS);
    for (let frame = from; frame < to; frame += 1) {
      const row = (frame % KEPT_FRAMES) * MELS;
      out.set(this.#features.subarray(row, row + MELS), (frame - from) * MELS);
    }
    return out;
  }

  #take(samples: Float32Array): void {
    for (let i = 0; i < samples.length; i += 1) {
      this.#store(samples[i] as number);
    }
    while (this.#frameCount * HOP_SAMPLES + REACH <= this.#sampleCount) this.#frame();
  }

  #store(sample: number): void {
    this.#samples[this.#sampleCount % KEPT_SAMPLES] = sample;
    this.#sampleCount += 1;
  }

  /** Computes the next frame; its samples are there, those before the stream began are mirrored. */
  #frame(): void {
    const start = this.#frameCount * HOP_SAMPLES - REACH;
    const { frame, power } = this.#spectrum;
    const [samples, window] = [this.#samples, this.#window];
    for (let n = 0; n < FRAME_SAMPLES; n += 1) {
      frame[n] = (samples[Math.abs(start + n) % KEPT_SAMPLES] as number) * (window[n] as number);
    }
    this.#spectrum.compute();
    const { floor, shift, scale } = this.#compression;
    const row = (this.#frameCount % KEPT_FRAMES) * MELS;
    for (let mel = 0; mel < MELS; mel += 1) {
      const first = this.#filterStarts[mel] as number;
      const begin = this.#filterOffsets[mel] as number;
      const end = this.#filterOffsets[mel + 1] as number;
      let sum = 0;
      for (let i = begin; i < end; i += 1)
        sum += (this.#filterWeights[i] as number) * (power[first + i - begin] as number);
      this.#features[row + mel] =
        (Math.max(Math.log10(Math.max(sum, SMALLEST_POWER)), floor) + shift) / scale;
    }
    this.#frameCount += 1;
  }
}

/** All features of a whole recording of up to KEPT_FRAMES frames: [floor(n / 160), 80], row after row. */
export function logMel(samples: Float32Array, compression: Compression = DEFAULT_COMPRESSION): Float32Array {
  const stream = new LogMel(compression);
  stream.push(samples);
  stream.finish();
  return stream.read(0, stream.frameCount);
}
