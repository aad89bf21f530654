/**
 * The power spectrum of one 400-sample frame, for the log-mel front end.
 *
 * A real transform of 400 is a complex transform of 200 = 5 * 5 * 4 * 2 of the packed samples (Stockham autosort, so no
 * reordering pass) and one step that separates even and odd samples. Everything is allocated once; a frame costs a few
 * microseconds.
 */
export const FRAME_SAMPLES = 400;
export const SPECTRUM_BINS = FRAME_SAMPLES / 2 + 1;

const HALF = FRAME_SAMPLES / 2;
const COS_72 = Math.cos((2 * Math.PI) / 5);
const COS_144 = Math.cos((4 * Math.PI) / 5);
const SIN_72 = Math.sin((2 * Math.PI) / 5);
const SIN_144 = Math.sin((4 * Math.PI) / 5);

/** Indexing that the compiler believes; every index below is in range by construction. */
function at(values: Float64Array, index: number): number {
  return values[index] as number;
}

function cosines(length: number): Float64Array {
  return Float64Array.from({ length }, (_, k) => Math.cos((2 * Math.PI * k) / length));
}

function sines(length: number): Float64Array {
  return Float64Array.from({ length }, (_, k) => -Math.sin((2 * Math.PI * k) / length));
}

export class PowerSpectrum {
  /** The frame to transform; the caller writes it, windowed, before `compute`. */
  readonly frame = new Float64Array(FRAME_SAMPLES);
  /** |X[k]|^2 for k = 0 .. 200, valid until the next `compute`. */
  readonly power = new Float64Array(SPECTRUM_BINS);
  readonly #aRe = new Float64Array(HALF);
  readonly #aIm = new Float64Array(HALF);
  readonly #bRe = new Float64Array(HALF);
  readonly #bIm = new Float64Array(HALF);
  readonly #cos = cosines(HALF);
  readonly #sin = sines(HALF);
  readonly #splitCos = cosines(FRAME_SAMPLES);
  readonly #splitSin = sines(FRAME_SAMPLES);

  compute(): void {
    const { frame } = this;
    const [aRe, aIm, bRe, bIm] = [this.#aRe, this.#aIm, this.#bRe, this.#bIm];
    for (let n = 0; n < HALF; n += 1) {
      aRe[n] = at(frame, 2 * n);
      aIm[n] = at(frame, 2 * n + 1);
    }
    this.#five(aRe, aIm, bRe, bIm, 200, 1);
    this.#five(bRe, bIm, aRe, aIm, 40, 5);
    this.#four(aRe, aIm, bRe, bIm, 8, 25);
    this.#two(bRe, bIm, aRe, aIm, 100);
    this.#separate(aRe, aIm);
  }

  /** One Stockham stage of radix 5: `length` points left to transform, `stride` transforms side by side. */
  #five(
    xr: Float64Array,
    xi: Float64Array,
    yr: Float64Array,
    yi: Float64Array,
    length: number,
    stride: number,
  ): void {
    const m = length / 5;
    const step = HALF / length;
    for (let p = 0; p < m; p += 1) {
      const w = p * step;
      const [c1, s1] = [at(this.#cos, w), at(this.#sin, w)];
      const [c2, s2] = [at(this.#cos, 2 * w), at(this.#sin, 2 * w)];
      const [c3, s3] = [at(this.#cos, 3 * w), at(this.#sin, 3 * w)];
      const [c4, s4] = [at(this.#cos, 4 * w), at(this.#sin, 4 * w)];
      for (let q = 0; q < stride; q += 1) {
        const i = q + stride * p;
        const hop = stride * m;
        const r0 = at(xr, i);
        const i0 = at(xi, i);
        const r1 = at(xr, i + hop);
        const i1 = at(xi, i + hop);
        const r2 = at(xr, i + 2 * hop);
        const i2 = at(xi, i + 2 * hop);
        const r3 = at(xr, i + 3 * hop);
        const i3 = at(xi, i + 3 * hop);
        const r4 = at(xr, i + 4 * hop);
        const i4 = at(xi, i + 4 * hop);
        const ar = r1 + r4;
        const ai = i1 + i4;
        const br = r2 + r3;
        const bi = i2 + i3;
        const cr = r1 - r4;
        const ci = i1 - i4;
        const dr = r2 - r3;
        const di = i2 - i3;
        const er = r0 + COS_72 * ar + COS_144 * br;
        const ei = i0 + COS_72 * ai + COS_144 * bi;
        const fr = r0 + COS_144 * ar + COS_72 * br;
        const fi = i0 + COS_144 * ai + COS_72 * bi;
        const gr = SIN_72 * cr + SIN_144 * dr;
        const gi = SIN_72 * ci + SIN_144 * di;
        const hr = SIN_144 * cr - SIN_72 * dr;
        const hi = SIN_144 * ci - SIN_72 * di;
        const o = q + stride * 5 * p;
        yr[o] = r0 + ar + br;
        yi[o] = i0 + ai + bi;
        const t1r = er + gi;
        const t1i = ei - gr;
        yr[o + stride] = t1r * c1 - t1i * s1;
        yi[o + stride] = t1r * s1 + t1i * c1;
        const t2r = fr + hi;
        const t2i = fi - hr;
        yr[o + 2 * stride] = t2r * c2 - t2i * s2;
        yi[o + 2 * stride] = t2r * s2 + t2i * c2;
        const t3r = fr - hi;
        const t3i = fi + hr;
        yr[o + 3 * stride] = t3r * c3 - t3i * s3;
        yi[o + 3 * stride] = t3r * s3 + t3i * c3;
        const t4r = er - gi;
        const t4i = ei + gr;
        yr[o + 4 * stride] = t4r * c4 - t4i * s4;
        yi[o + 4 * stride] = t4r * s4 + t4i * c4;
      }
    }
  }

  #four(
    xr: Float64Array,
    xi: Float64Array,
    yr: Float64Array,
    yi: Float64Array,
    length: number,
    stride: number,
  ): void {
    const m = length / 4;
    const step = HALF / length;
    const hop = stride * m;
    for (let p = 0; p < m; p += 1) {
      const w = p * step;
      const [c1, s1] = [at(this.#cos, w), at(this.#sin, w)];
      const [c2, s2] = [at(this.#cos, 2 * w), at(this.#sin, 2 * w)];
      const [c3, s3] = [at(this.#cos, 3 * w), at(this.#sin, 3 * w)];
      for (let q = 0; q < stride; q += 1) {
        const i = q + stride * p;
        const ar = at(xr, i) + at(xr, i + 2 * hop);
        const ai = at(xi, i) + at(xi, i + 2 * hop);
        const br = at(xr, i) - at(xr, i + 2 * hop);
        const bi = at(xi, i) - at(xi, i + 2 * hop);
        const cr = at(xr, i + hop) + at(xr, i + 3 * hop);
        const ci = at(xi, i + hop) + at(xi, i + 3 * hop);
        const dr = at(xr, i + hop) - at(xr, i + 3 * hop);
        const di = at(xi, i + hop) - at(xi, i + 3 * hop);
        const o = q + stride * 4 * p;
        yr[o] = ar + cr;
        yi[o] = ai + ci;
        yr[o + stride] = (br + di) * c1 - (bi - dr) * s1;
        yi[o + stride] = (br + di) * s1 + (bi - dr) * c1;
        yr[o + 2 * stride] = (ar - cr) * c2 - (ai - ci) * s2;
        yi[o + 2 * stride] = (ar - cr) * s2 + (ai - ci) * c2;
        yr[o + 3 * stride] = (br - di) * c3 - (bi + dr) * s3;
        yi[o + 3 * stride] = (br - di) * s3 + (bi + dr) * c3;
      }
    }
  }

  /** The last stage, length 2: no twiddle factors are left. */
  #two(xr: Float64Array, xi: Float64Array, yr: Float64Array, yi: Float64Array, stride: number): void {
    for (let q = 0; q < stride; q += 1) {
      yr[q] = at(xr, q) + at(xr, q + stride);
      yi[q] = at(xi, q) + at(xi, q + stride);
      yr[q + stride] = at(xr, q) - at(xr, q + stride);
      yi[q + stride] = at(xi, q) - at(xi, q + stride);
    }
  }

  /** X[k] = E[k] + w^k O[k], with E and O the transforms of the even and odd samples, both inside Z. */
  #separate(zr: Float64Array, zi: Float64Array): void {
    for (let k = 0; k <= HALF; k += 1) {
      const here = k === HALF ? 0 : k;
      const there = k === 0 ? 0 : HALF - k;
      const er = (at(zr, here) + at(zr, there)) / 2;
      const ei = (at(zi, here) - at(zi, there)) / 2;
      const or = (at(zi, here) + at(zi, there)) / 2;
      const oi = (at(zr, there) - at(zr, here)) / 2;
      const c = k === HALF ? -1 : at(this.#splitCos, k);
      const s = k === HALF ? 0 : at(this.#splitSin, k);
      const re = er + or * c - oi * s;
      const im = ei + or * s + oi * c;
      this.power[k] = re * re + im * im;
    }
  }
}
