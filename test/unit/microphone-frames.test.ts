import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameCutter, isDigitalSilence } from "../../drivers/microphone/frames.ts";

describe("FrameCutter", () => {
  it("gives the same samples however the bytes are split", () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 12 });
    fc.assert(
      fc.property(pieces, (chunks) => {
        const cutter = new FrameCutter();
        const frames = chunks.flatMap((chunk) => cutter.cut(chunk));
        const bytes = Buffer.concat(chunks);
        const whole = Math.floor(bytes.length / 640);
        expect(frames).toHaveLength(whole);
        const samples = frames.flatMap((frame) => [...frame]);
        expect(samples).toEqual(Array.from({ length: whole * 320 }, (_, i) => bytes.readInt16LE(2 * i)));
      }),
    );
  });
});

describe("isDigitalSilence", () => {
  it.each([
    ["zeros", Int16Array.from([0, 0, 0]), true],
    ["the faintest noise", Int16Array.from([0, -1, 0]), false],
  ])("%s", (_, pcm, silent) => {
    expect(isDigitalSilence(pcm)).toBe(silent);
  });
});
