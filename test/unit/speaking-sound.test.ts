/** WAV from a pipe, silence, sentences, and the file format of the phrase cache. */
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cacheKey, decode, encode, openPhraseCache } from "../../models/speaking/phrase-cache.ts";
import { concatenated, parseWav, sentencesOf, trimmed } from "../../models/speaking/sound.ts";
import { encodeWav } from "../support/wav.ts";

const RATE = 22_050;
const sound = (...samples: number[]) => ({ pcm: Int16Array.from(samples), sampleRate: RATE });
const samples = fc
  .array(fc.integer({ min: -32_768, max: 32_767 }), { maxLength: 400 })
  .map((all) => Int16Array.from(all));

describe("WAV", () => {
  test("a file with its length unknown ends where the bytes end", () => {
    const file = encodeWav(sound(1, -2, 300));
    file.writeUInt32LE(0x7ffff000, 40);
    expect(parseWav(file)).toEqual(sound(1, -2, 300));
  });

  test("any samples survive", () => {
    fc.assert(
      fc.property(samples, (pcm) => {
        expect(parseWav(encodeWav({ pcm, sampleRate: RATE }))).toEqual({ pcm, sampleRate: RATE });
      }),
    );
  });

  test("any other bytes are a fault and nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, headed) => {
        const head = headed ? Buffer.from("RIFF\0\0\0\0WAVE", "latin1") : Buffer.alloc(0);
        const file = Buffer.concat([head, Buffer.from(bytes)]);
        expect(() => parseWav(file)).toThrow(expect.objectContaining({ code: "model.failed" }));
      }),
    );
  });
});

describe("silence", () => {
  test("at most 8 ms stay before the first sound and 160 ms after the last", () => {
    const quiet = Array.from({ length: RATE }, () => 20);
    const { pcm } = trimmed(sound(...quiet, 5_000, -5_000, ...quiet));
    expect(pcm.findIndex((sample) => Math.abs(sample) === 5_000)).toBe(Math.round(RATE * 0.008));
    expect(pcm.length).toBe(Math.round(RATE * 0.008) + 2 + Math.round(RATE * 0.16));
  });

  test("silence alone is nothing", () => {
    expect(trimmed(sound(0, 3, -9)).pcm.length).toBe(0);
  });

  test("loud samples are never cut", () => {
    const loud = (pcm: Int16Array) => pcm.filter((sample) => Math.abs(sample) > 100);
    fc.assert(
      fc.property(samples, (pcm) => {
        expect(loud(trimmed({ pcm, sampleRate: RATE }).pcm)).toEqual(loud(pcm));
      }),
    );
  });
});

describe("sentences", () => {
  test.each([
    [
      "결제되었습니다. 영수증을 받아 주세요. 감사합니다.",
      ["결제되었습니다.", "영수증을 받아 주세요.", "감사합니다."],
    ],
    ["That's $1.50 now. Shall I?", ["That's $1.50 now.", "Shall I?"]],
    ["안녕하세요", ["안녕하세요"]],
    ["", []],
  ])("%s", (text, sentences) => {
    expect(sentencesOf(text)).toEqual(sentences);
  });

  test("follow each other", () => {
    expect(concatenated([sound(1, 2), sound(3)])).toEqual(sound(1, 2, 3));
  });
});

describe("the phrase cache", () => {
  let directory = "";
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "saypay-phrases-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const limits = { memoryBytes: 1_000, diskBytes: 10_000 };
  const tone = (value: number) => sound(...Array.from({ length: 100 }, () => value));

  test("a file is read back as it was written, and any changed byte makes it none", () => {
    fc.assert(
      fc.property(samples, fc.nat(), fc.integer({ min: 1, max: 255 }), (pcm, at, flip) => {
        const bytes = encode({ pcm, sampleRate: RATE });
        expect(decode(bytes)).toEqual({ pcm, sampleRate: RATE });
        const index = at % bytes.length;
        // The sample rate is not under the digest, but the key is of one voice with one rate.
        if (index >= 4 && index < 8) return;
        bytes[index] = (bytes[index] ?? 0) ^ flip;
        expect(decode(bytes)).toBeNull();
      }),
    );
  });

  test("remembers over a restart", async () => {
    const key = cacheKey("voice", "감사합니다.");
    await (await openPhraseCache(directory, limits)).put(key, tone(7));
    expect(await (await openPhraseCache(directory, limits)).get(key)).toEqual(tone(7));
  });

  test("the voice is part of the key", () => {
    expect(cacheKey("voice", "네")).not.toBe(cacheKey("other voice", "네"));
  });

  test("a damaged file is ignored and replaced", async () => {
    const key = cacheKey("voice", "네");
    await (await openPhraseCache(directory, limits)).put(key, tone(7));
    const [file] = await readdir(directory);
    await writeFile(join(directory, file ?? ""), "SAY1 but not really");
    const cache = await openPhraseCache(directory, limits);
    expect(await cache.get(key)).toBeNull();
    await cache.put(key, tone(8));
    expect(await (await openPhraseCache(directory, limits)).get(key)).toEqual(tone(8));
  });

  test("disk and memory keep to their limits, the least recently used goes first", async () => {
    const cache = await openPhraseCache(directory, { memoryBytes: 450, diskBytes: 1_000 });
    for (const index of [0, 1, 2, 3]) await cache.put(`key${index}`, tone(index));
    expect(await cache.get("key0")).toEqual(tone(0));
    for (const index of [4, 5]) await cache.put(`key${index}`, tone(index));
    const files = await readdir(directory);
    const sizes = await Promise.all(files.map(async (file) => (await stat(join(directory, file))).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(1_000);
    expect(files).toContain("key0.speech");
    expect(files).not.toContain("key1.speech");
  });

  test("what a killed process left half written is cleared away", async () => {
    await writeFile(join(directory, "key.1234.draft"), "half");
    await openPhraseCache(directory, limits);
    expect(await readdir(directory)).toEqual([]);
  });

  test("a folder that cannot be made costs the disk cache only", async () => {
    await writeFile(join(directory, "file"), "");
    const cache = await openPhraseCache(join(directory, "file", "below"), limits);
    await cache.put("key", tone(1));
    expect(await cache.get("key")).toEqual(tone(1));
  });
});
