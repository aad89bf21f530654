import { describe, expect, it } from "vitest";
import { resample } from "../../drivers/speaker/resample.ts";
import { levelAt, tone } from "../support/wav.ts";

describe("resample", () => {
  it("leaves samples of the right rate alone", () => {
    const pcm = tone(700, 50, 22_050);
    expect(resample(pcm, 22_050, 22_050)).toBe(pcm);
  });

  it.each([
    // from, to, tone in Hz, level expected of 0.4
    [16_000, 22_050, 700, 0.4],
    [22_050, 48_000, 3_000, 0.4],
    [22_050, 16_000, 3_000, 0.4],
    [48_000, 8_000, 1_000, 0.4],
    // A tone that the new rate cannot carry is removed instead of coming back at another pitch.
    [48_000, 8_000, 6_000, 0],
  ])("from %d to %d keeps a tone of %d Hz at %d", (fromRate, toRate, frequencyHz, level) => {
    const out = resample(tone(frequencyHz, 500, fromRate), fromRate, toRate);
    expect(out.length).toBe(toRate / 2);
    const alias = frequencyHz > toRate / 2 ? toRate - frequencyHz : frequencyHz;
    expect(levelAt(alias, out.subarray(200, -200), toRate)).toBeCloseTo(level, 1);
  });

  it("does not run over at full scale", () => {
    const square = Int16Array.from({ length: 2_000 }, (_, i) => (i % 40 < 20 ? 32_767 : -32_768));
    const out = resample(square, 16_000, 22_050);
    expect(Math.max(...out)).toBeGreaterThan(30_000);
    expect(Math.min(...out)).toBeLessThan(-30_000);
  });
});
