/** The speaking unit with the real espeak-ng: sound, cache, faults. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Prompt } from "../../daemon/core/prompt.ts";
import type { SpeakingEvent } from "../../models/model.ts";
import { openEspeak } from "../../models/speaking/espeak.ts";
import { openSpeaking } from "../../models/speaking/speaking.ts";
import { CAFE_MENU } from "../support/cafe-menu.ts";

const READ_BACK: Prompt = {
  kind: "read-back",
  lines: [
    { itemId: "americano", quantity: 2, options: { temperature: "iced" } },
    { itemId: "cafe-latte", quantity: 1, options: {} },
  ],
  total: { minor: 13_500n, currency: "KRW" },
};

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "saypay-speaking-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function open(cacheDirectory: string | null = null) {
  const events: SpeakingEvent[] = [];
  const settings = { menu: CAFE_MENU, rate: 160, volume: 100, cacheDirectory };
  const speaking = await openSpeaking(settings, (event) => events.push(event));
  const speech = (index: number) => {
    const event = events[index];
    if (event?.kind !== "speech")
      throw new Error(`no speech: ${JSON.stringify({ ...event, pcm: undefined })}`);
    return event;
  };
  return { ...speaking, events, speech };
}

async function program(lines: string): Promise<string> {
  const path = join(directory, "voice");
  await writeFile(path, `#!/bin/sh\n${lines}\n`);
  await chmod(path, 0o755);
  return path;
}

describe("saying a prompt", () => {
  test.each(["ko", "en"] as const)(
    "gives sound that starts at once, with the caption (%s)",
    async (language) => {
      const { command, close, speech } = await open();
      await command({ kind: "say", id: "1", prompt: READ_BACK, language });
      const { id, pcm, sampleRate, text, cached } = speech(0);
      expect({ id, sampleRate, cached }).toEqual({ id: "1", sampleRate: 22_050, cached: false });
      expect(text).toContain(language === "ko" ? "13,500원" : "13,500 won");
      const seconds = pcm.length / sampleRate;
      expect(seconds).toBeGreaterThan(2);
      expect(seconds).toBeLessThan(15);
      const first = pcm.findIndex((sample) => Math.abs(sample) > 100);
      expect(first / sampleRate).toBeLessThan(0.02);
      await close();
    },
  );

  test("a second time comes from the cache, faster and the same", async () => {
    const { command, close, speech } = await open();
    for (const id of ["1", "2"]) await command({ kind: "say", id, prompt: READ_BACK, language: "ko" });
    expect(speech(1).cached).toBe(true);
    expect(speech(1).pcm).toEqual(speech(0).pcm);
    expect(speech(1).synthesisMs).toBeLessThan(speech(0).synthesisMs);
    await close();
  });

  test("after a restart it comes from the disk", async () => {
    const before = await open(directory);
    await before.command({ kind: "say", id: "1", prompt: READ_BACK, language: "ko" });
    await before.close();
    const after = await open(directory);
    await after.command({ kind: "say", id: "2", prompt: READ_BACK, language: "ko" });
    expect(after.speech(0)).toMatchObject({ id: "2", cached: true });
    await after.close();
  });

  test("prepare is silent and makes the next say a cached one", async () => {
    const { command, close, speech, events } = await open();
    await command({ kind: "prepare", prompt: { kind: "welcome" }, language: "ko" });
    expect(events).toEqual([]);
    await command({ kind: "say", id: "1", prompt: { kind: "welcome" }, language: "ko" });
    expect(speech(0).cached).toBe(true);
    await close();
  });

  test("many prompts at once are all said", async () => {
    const { command, close, events } = await open();
    const prompts: Prompt[] = [
      { kind: "welcome" },
      { kind: "no-match" },
      { kind: "help" },
      { kind: "authorising" },
      { kind: "staff-called" },
      READ_BACK,
    ];
    await Promise.all(
      prompts.map((prompt, index) => command({ kind: "say", id: String(index), prompt, language: "ko" })),
    );
    expect(events.map((event) => `${event.kind} ${event.id}`).sort()).toEqual(
      prompts.map((_, index) => `speech ${index}`),
    );
    await close();
  });
});

describe("when the voice fails", () => {
  test("a missing program says how to install it", async () => {
    const opening = openEspeak({ rate: 160, volume: 100, program: "espeak-ng-that-is-not-installed" });
    await expect(opening).rejects.toMatchObject({
      code: "audio.program-missing",
      detail: expect.stringContaining("apt-get install espeak-ng"),
    });
  });

  test.each([
    ["hangs", 'case "$1" in --version) echo 1.0;; *) sleep 30;; esac', "time-out"],
    [
      "ends with an error",
      'case "$1" in --version) echo 1.0;; *) echo no voice >&2; exit 3;; esac',
      "model.failed",
    ],
    ["writes nonsense", 'case "$1" in --version) echo 1.0;; *) echo la la la;; esac', "model.failed"],
  ])(
    "a program that %s is a speech-failed with the caption, and the unit goes on",
    async (_what, lines, code) => {
      const events: SpeakingEvent[] = [];
      const engine = await openEspeak({ rate: 160, volume: 100, program: await program(lines) });
      const settings = { menu: CAFE_MENU, rate: 160, volume: 100, cacheDirectory: null };
      const { command, close } = await openSpeaking(settings, (event) => events.push(event), engine);
      await command({ kind: "prepare", prompt: { kind: "cancelled" }, language: "ko" });
      await command({ kind: "say", id: "1", prompt: { kind: "cancelled" }, language: "ko" });
      expect(events).toMatchObject([{ kind: "speech-failed", id: "1", text: "주문을 취소했습니다.", code }]);
      await close();
    },
  );

  test("text never becomes an option of the program", async () => {
    const engine = await openEspeak({ rate: 160, volume: 100 });
    const { pcm } = await engine.synthesise("--version", "en");
    expect(pcm.length).toBeGreaterThan(0);
    engine.close();
  });
});
