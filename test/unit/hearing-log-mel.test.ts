/** The front end against numpy's values, in one piece and in pieces, and its speed. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FRAME_SAMPLES, PowerSpectrum } from "../../models/hearing/fourier.ts";
import { LogMel, logMel, MELS } from "../../models/hearing/log-mel.ts";

type Reference = { samples: number; frames: number; rows: Record<string, number[]> };
const reference = JSON.parse(
  readFileSync(new URL("../fixtures/hearing/log-mel.json", import.meta.url), "utf8"),
) as Reference;

/** The signal that the reference was computed from: a tone, then noise of a linear congruential generator. */
function signal(count: number): Float32Array {
  let state = 12_345n;
  return Float32Array.from({ length: count }, (_, i) => {
    state = (state * 1_103_515_245n + 12_345n) % 2_147_483_648n;
    const tone = i < 5_000 ? 0.3 * Math.sin((2 * Math.PI * 440 * i) / 16_000) : 0;
    return tone + (i > 1_500 ? 0.02 * (Number(state) / 2_147_483_648 - 0.5) : 0);
  });
}

describe("power spectrum", () => {
  it("agrees with the definition of the discrete Fourier transform", () => {
    const spectrum = new PowerSpectrum();
    const input = signal(FRAME_SAMPLES + 1_600).subarray(1_600);
    spectrum.frame.set(input);
    spectrum.compute();
    for (const k of [0, 1, 7, 50, 100, 133, 199, 200]) {
      let [re, im] = [0, 0];
      for (const [n, x] of input.entries()) {
        re += x * Math.cos((2 * Math.PI * k * n) / FRAME_SAMPLES);
        im -= x * Math.sin((2 * Math.PI * k * n) / FRAME_SAMPLES);
      }
      expect(spectrum.power[k]).toBeCloseTo(re * re + im * im, 9);
    }
  });
});

describe("log-mel", () => {
  const samples = signal(reference.samples);
  const whole = logMel(samples);

  it("has floor(n / 160) frames", () => expect(whole.length).toBe(reference.frames * MELS));

  it.each(Object.keys(reference.rows))("frame %s equals numpy's", (row) => {
    const expected = reference.rows[row] ?? [];
    const actual = whole.subarray(Number(row) * MELS, (Number(row) + 1) * MELS);
    const worst = Math.max(...expected.map((value, mel) => Math.abs(value - (actual[mel] ?? Number.NaN))));
    expect(worst).toBeLessThan(2e-3);
  });

  it.each([1, 7, 160, 320, 4_000])("is the same in pieces of %i samples", (size) => {
    const stream = new LogMel();
    for (let from = 0; from < samples.length; from += size) stream.push(samples.subarray(from, from + size));
    stream.finish();
    expect(stream.read(0, stream.frameCount)).toEqual(whole);
  });

  it("keeps the last 20 s of an endless stream and refuses what is gone", () => {
    const stream = new LogMel();
    const second = signal(16_000);
    for (let i = 0; i < 30; i += 1) stream.push(second);
    expect(stream.read(stream.frameCount - 100, stream.frameCount)).toHaveLength(100 * MELS);
    expect(() => stream.read(0, 1)).toThrow(RangeError);
  });

  it("takes under 15 ms for 3 s of sound once warm", () => {
    const sound = signal(48_000);
    for (let i = 0; i < 5; i += 1) logMel(sound);
    const times = Array.from({ length: 9 }, () => {
      const start = performance.now();
      logMel(sound);
      return performance.now() - start;
    });
    expect(Math.min(...times)).toBeLessThan(15);
  });
});
