/** The voice detector with its real weights: short answers one after another, silence between, and noises. */
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openVoiceDetector, type VoiceDetector } from "../../models/hearing/voice-activity.ts";
import { readWav } from "../../models/hearing/wav.ts";
import { seeded } from "../support/spelled-speech.ts";

const FRAME = 320;
const RATE = 16_000;

let detector: VoiceDetector;
beforeAll(async () => {
  detector = await openVoiceDetector();
});
afterAll(() => detector.close());

/** Frames that hold voice. */
async function voiced(samples: Float32Array): Promise<number> {
  let count = 0;
  for (let from = 0; from + FRAME <= samples.length; from += FRAME) {
    if (await detector.tick(samples.subarray(from, from + FRAME))) count += 1;
  }
  return count;
}

function spoken(voice: string, text: string): Float32Array {
  const wav = readWav(execFileSync("espeak-ng", ["-v", voice, "--stdout", text]));
  if (wav.kind !== "sound") throw new Error(wav.reason);
  return wav.samples;
}

const ANSWERS = ["네", "아니요", "예", "취소", "하나", "둘", "카드요", "좋아요"];
const VOICES = ["ko", "ko+f2", "ko+m3", "ko+f5", "ko+klatt2", "ko+croak"];

it("finds short answers however long it has been running", async () => {
  const lost: string[] = [];
  for (const voice of VOICES) {
    for (const text of ANSWERS) {
      await voiced(new Float32Array(1.5 * RATE));
      const frames = await voiced(spoken(voice, text));
      if (frames < 3) lost.push(`${text} (${voice})`);
    }
  }
  expect(lost).toEqual([]);
});

describe("noise is not voice", () => {
  const random = seeded(9);
  const white = () => random() + random() + random() - 1.5;
  it.each([
    ["silence", () => 0],
    ["hiss", () => 0.05 * white()],
    ["loud hiss", () => 0.4 * white()],
    ["hum", (i: number) => 0.3 * Math.sin((2 * Math.PI * 50 * i) / RATE)],
    ["clicks", (i: number) => (i % 11_000 < 40 ? white() : 0)],
  ] as const)("%s", async (_, sample) => {
    const frames = await voiced(Float32Array.from({ length: 5 * RATE }, (__, i) => sample(i)));
    expect(frames / 250).toBeLessThan(0.02);
  });
});
