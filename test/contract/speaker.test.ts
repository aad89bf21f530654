/**
 * What every speaker driver promises, in the process that production runs it in. Assumes a sound world (software by
 * default, hardware with SAYPAY_REAL_SOUND=1: see test/support/sound-world.ts).
 */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type DriverProcess, driverProcess } from "../support/driver-process.ts";
import { isAlive } from "../support/processes.ts";
import { nowMs, type Recording } from "../support/recording.ts";
import { type SoundEnvironment, VirtualSound } from "../support/sound.ts";
import { isRealSound, soundWorld } from "../support/sound-world.ts";
import { levelAt, tone } from "../support/wav.ts";

type Speaker = DriverProcess<"speaker">;

const RATE = 22_050;
/** The recording reaches the test this much later than it sounds, with room to spare. */
const RECORDING_DELAY_MS = 300;
const LOUD = isRealSound ? 0.003 : 0.01;

const world = soundWorld();
const opened: Speaker[] = [];
let sound: SoundEnvironment;

beforeAll(async () => {
  sound = await world.start();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ child }) => child.stop()));
});

afterAll(() => world.stop());

function speaker(settings: object = {}): Speaker {
  const made = driverProcess<"speaker">(
    "speaker/alsa",
    { device: sound.speakerDevice, ...settings },
    sound.env,
  );
  opened.push(made);
  made.child.start();
  return made;
}

async function ready(settings: object = {}): Promise<Speaker> {
  const made = speaker(settings);
  await made.child.whenRunning(8_000);
  return made;
}

async function recordWhile(sounding: () => Promise<void>): Promise<Recording> {
  const recording = world.recordSpeaker();
  await delay(isRealSound ? 500 : 20);
  await sounding();
  await delay(RECORDING_DELAY_MS);
  recording.stop();
  return recording;
}

async function finished(made: Speaker, id: string): Promise<void> {
  await made.next((event) => event.kind === "finished" && event.id === id, 5_000);
}

function toneIn(recording: Recording, frequencyHz: number): number {
  const [first] = recording.stretches(LOUD);
  if (first === undefined) return 0;
  return levelAt(frequencyHz, recording.between(first.startMs, first.endMs), recording.sound.sampleRate);
}

describe("a speaker", () => {
  it("sounds what it is given, and tells when it starts and when it has finished", async () => {
    const made = await ready();
    const recording = await recordWhile(async () => {
      await made.child.command({ kind: "play", id: "a", pcm: tone(700, 600, RATE), sampleRate: RATE });
      await finished(made, "a");
    });
    expect(made.events).toEqual([
      { kind: "started", id: "a" },
      { kind: "finished", id: "a", outcome: "played" },
    ]);
    expect(toneIn(recording, 700)).toBeGreaterThan(isRealSound ? 0.005 : 0.38);
    expect(toneIn(recording, 700)).toBeGreaterThan(10 * toneIn(recording, 1_100));
    const [only, ...others] = recording.stretches(LOUD, 50);
    expect(others).toEqual([]);
    expect((only?.endMs ?? 0) - (only?.startMs ?? 0)).toBeGreaterThan(580);
  });

  it("falls silent within 100 ms of stop", async () => {
    const made = await ready();
    for (const id of ["a", "b", "c"]) {
      let stopAt = 0;
      const recording = await recordWhile(async () => {
        await made.child.command({ kind: "play", id, pcm: tone(700, 5_000, RATE), sampleRate: RATE });
        await delay(400);
        stopAt = nowMs();
        await made.child.command({ kind: "stop" });
        await finished(made, id);
      });
      const last = recording.stretches(LOUD).at(-1);
      expect(last?.endMs ?? Number.POSITIVE_INFINITY).toBeLessThan(stopAt + 100);
      expect(made.events.at(-1)).toEqual({ kind: "finished", id, outcome: "interrupted" });
    }
  });

  it("starts to sound within 100 ms of the command, again and again", async () => {
    const made = await ready();
    for (const id of ["a", "b", "c"]) {
      let playAt = 0;
      const recording = await recordWhile(async () => {
        playAt = nowMs();
        await made.child.command({ kind: "play", id, pcm: tone(700, 200, RATE), sampleRate: RATE });
        await finished(made, id);
      });
      const first = recording.stretches(LOUD)[0];
      expect(first?.startMs ?? Number.POSITIVE_INFINITY).toBeLessThan(playAt + 100);
    }
  });

  it("lets a new utterance interrupt the one that plays", async () => {
    const made = await ready();
    const recording = await recordWhile(async () => {
      await made.child.command({ kind: "play", id: "long", pcm: tone(700, 5_000, RATE), sampleRate: RATE });
      await delay(200);
      await made.child.command({ kind: "play", id: "short", pcm: tone(1_100, 400, RATE), sampleRate: RATE });
      await finished(made, "short");
    });
    expect(made.events).toEqual([
      { kind: "started", id: "long" },
      { kind: "finished", id: "long", outcome: "interrupted" },
      { kind: "started", id: "short" },
      { kind: "finished", id: "short", outcome: "played" },
    ]);
    const end = recording.stretches(LOUD).at(-1)?.endMs ?? 0;
    const tail = recording.between(end - 300, end);
    const rate = recording.sound.sampleRate;
    expect(levelAt(1_100, tail, rate)).toBeGreaterThan(10 * levelAt(700, tail, rate));
  });

  it("plays speech of another rate at its own pitch", async () => {
    const made = await ready();
    const recording = await recordWhile(async () => {
      await made.child.command({ kind: "play", id: "a", pcm: tone(700, 500, 16_000), sampleRate: 16_000 });
      await finished(made, "a");
    });
    expect(toneIn(recording, 700)).toBeGreaterThan(10 * toneIn(recording, 965));
  });

  it("takes stop when nothing plays, and an utterance without samples", async () => {
    const made = await ready();
    await made.child.command({ kind: "stop" });
    await made.child.command({ kind: "play", id: "empty", pcm: new Int16Array(0), sampleRate: RATE });
    await finished(made, "empty");
    expect(made.events).toContainEqual({ kind: "finished", id: "empty", outcome: "played" });
  });

  it("refuses an utterance that is longer than two minutes", async () => {
    const made = await ready();
    const endless = {
      kind: "play",
      id: "endless",
      pcm: new Int16Array(8_000 * 121),
      sampleRate: 8_000,
    } as const;
    await expect(made.child.command(endless)).rejects.toMatchObject({
      detail: expect.stringMatching(/121 s/),
    });
  });

  it("plays again after its process was killed", async () => {
    const made = await ready();
    const restarted = new Promise<void>((resolve) => made.child.onRestarted(resolve));
    process.kill(made.pid(), "SIGKILL");
    await restarted;
    await made.child.command({ kind: "play", id: "a", pcm: tone(700, 100, RATE), sampleRate: RATE });
    await finished(made, "a");
  });

  it("that is not there is a fault with a way out, and leaves the others alone", async () => {
    const good = await ready();
    const pid = good.pid();
    const missing = speaker({ device: "plughw:CARD=Nowhere" });
    await expect(missing.child.whenRunning(2_000)).rejects.toMatchObject({
      code: "audio.no-device",
      detail: expect.stringMatching(/plughw:CARD=Nowhere.*aplay -L/),
    });
    expect(isAlive(pid)).toBe(true);
    await good.child.command({ kind: "play", id: "a", pcm: tone(700, 100, RATE), sampleRate: RATE });
    await finished(good, "a");
    expect(good.pid()).toBe(pid);
  });
});

describe.runIf(!isRealSound)("a speaker on software sound", () => {
  it("delivers every sample in its place", async () => {
    const made = await ready();
    const pcm = Int16Array.from({ length: RATE }, (_, i) => 1_000 + ((i * 7_919) % 20_000));
    const recording = await recordWhile(async () => {
      await made.child.command({ kind: "play", id: "a", pcm, sampleRate: RATE });
      await finished(made, "a");
    });
    const heard = recording.sound.pcm;
    const start = heard.findIndex((sample) => sample !== 0);
    const firstDifference = pcm.findIndex((sample, i) => sample !== heard[start + i]);
    expect(firstDifference).toBe(-1);
  });

  it("that is unplugged in a sentence fails that sentence and speaks the next when it is back", async () => {
    const card = new VirtualSound();
    try {
      const own = await card.start();
      const made = driverProcess<"speaker">("speaker/alsa", { device: own.speakerDevice }, own.env);
      opened.push(made);
      made.child.start();
      await made.child.whenRunning(8_000);
      const pid = made.pid();
      await made.child.command({ kind: "play", id: "torn", pcm: tone(700, 3_000, RATE), sampleRate: RATE });
      await delay(200);
      await card.unplug();
      await made.next((event) => event.kind === "fault", 3_000);
      await card.plug();
      await made.next((event) => event.kind === "recovered", 6_000);
      await made.child.command({ kind: "play", id: "next", pcm: tone(700, 200, RATE), sampleRate: RATE });
      await finished(made, "next");
      expect(made.events).toEqual([
        { kind: "started", id: "torn" },
        { kind: "finished", id: "torn", outcome: "failed" },
        { kind: "fault", code: "audio.no-device", detail: expect.stringMatching(/aplay -L/) },
        { kind: "recovered" },
        { kind: "started", id: "next" },
        { kind: "finished", id: "next", outcome: "played" },
      ]);
      expect(made.pid()).toBe(pid);
    } finally {
      await card.stop();
    }
  });
});
