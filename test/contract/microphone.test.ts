/**
 * What every microphone driver promises, in the process that production runs it in. Assumes a sound world (software by
 * default, hardware with SAYPAY_REAL_SOUND=1: see test/support/sound-world.ts).
 */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { MicrophoneEvent } from "../../drivers/driver.ts";
import { type DriverProcess, driverProcess } from "../support/driver-process.ts";
import { childrenOf, isAlive, until } from "../support/processes.ts";
import type { SoundEnvironment } from "../support/sound.ts";
import { isRealSound, soundWorld } from "../support/sound-world.ts";
import { levelAt, tone } from "../support/wav.ts";

type Microphone = DriverProcess<"microphone">;
type Frame = Extract<MicrophoneEvent, { kind: "frame" }>;

const RATE = 16_000;
const world = soundWorld();
const opened: Microphone[] = [];
let sound: SoundEnvironment;

beforeAll(async () => {
  sound = await world.start();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ child }) => child.stop()));
});

afterAll(() => world.stop());

function microphone(settings: object = {}, env: { readonly [name: string]: string } = {}): Microphone {
  // Software silence is exact zeros, so the check for them is only switched on where it is tested.
  const chosen = { device: sound.microphoneDevice, silenceFaultAfterS: 0, ...settings };
  const made = driverProcess<"microphone">("microphone/alsa", chosen, { ...sound.env, ...env });
  opened.push(made);
  made.child.start();
  return made;
}

async function listening(settings: object = {}): Promise<Microphone> {
  const made = microphone(settings);
  await made.child.whenRunning(8_000);
  await made.child.command({ kind: "start" });
  await made.next((event) => event.kind === "frame", 2_000);
  return made;
}

function framesOf(made: Microphone): readonly Frame[] {
  return made.events.filter((event) => event.kind === "frame");
}

function recorderOf(made: Microphone): number {
  const [pid] = childrenOf(made.pid(), "arecord");
  if (pid === undefined) throw new Error("no arecord runs");
  return pid;
}

/** Level of a tone over the loudest half second of what was heard. */
function loudest(frames: readonly Frame[], frequencyHz: number): number {
  const levels = frames.map((_, i) => {
    const pcm = frames.slice(i, i + 25).flatMap((frame) => [...frame.pcm]);
    return levelAt(frequencyHz, Int16Array.from(pcm), RATE);
  });
  return Math.max(0, ...levels);
}

/** Position of the first sample of `expected` that is not in its place. */
function firstDifference(actual: Int16Array, expected: Int16Array): number | null {
  const at = expected.findIndex((sample, i) => sample !== actual[i]);
  return at === -1 ? null : at;
}

describe("a microphone", () => {
  it("delivers 50 numbered frames of 320 samples a second without a gap", async () => {
    const made = await listening();
    const before = framesOf(made).length;
    await delay(2_000);
    const frames = framesOf(made);
    expect(frames.map((frame) => frame.index)).toEqual(frames.map((_, i) => i));
    expect(new Set(frames.map((frame) => frame.pcm.length))).toEqual(new Set([320]));
    expect(frames.length - before).toBeGreaterThan(90);
    expect(frames.length - before).toBeLessThan(110);
  });

  it("hears the tone that is played, and not another", async () => {
    const made = await listening();
    await world.say({ pcm: tone(1_000, 800, RATE, 0.4), sampleRate: RATE });
    await delay(200);
    const heard = loudest(framesOf(made), 1_000);
    expect(heard).toBeGreaterThan(isRealSound ? 0.005 : 0.39);
    expect(heard).toBeGreaterThan(10 * loudest(framesOf(made), 1_700));
  });

  it("is quiet between stop and start, and goes on counting", async () => {
    const made = await listening();
    await made.child.command({ kind: "stop" });
    expect(childrenOf(made.pid(), "arecord")).toEqual([]);
    await delay(50);
    const count = framesOf(made).length;
    await delay(300);
    expect(framesOf(made)).toHaveLength(count);
    await made.child.command({ kind: "start" });
    await until(() => framesOf(made).length > count + 10, 2_000, "frames flow again");
    expect(framesOf(made).map((frame) => frame.index)).toEqual(framesOf(made).map((_, i) => i));
    expect(made.events.filter((event) => event.kind !== "frame")).toEqual([]);
  });

  it.each<[string, NodeJS.Signals, number]>([
    ["killed", "SIGKILL", 1_000],
    ["frozen", "SIGSTOP", 3_500],
  ])("whose recorder is %s reports a fault, records again and says so", async (_, signal, limitMs) => {
    const made = await listening();
    process.kill(recorderOf(made), signal);
    const fault = await made.next((event) => event.kind === "fault", limitMs);
    expect(fault).toMatchObject({ code: "audio.no-frames" });
    await made.next((event) => event.kind === "recovered", 3_000);
    const count = framesOf(made).length;
    await until(() => framesOf(made).length > count + 25, 2_000, "frames flow again");
    expect(framesOf(made).map((frame) => frame.index)).toEqual(framesOf(made).map((__, i) => i));
    expect(made.events.filter((event) => event.kind !== "frame").map((event) => event.kind)).toEqual([
      "fault",
      "recovered",
    ]);
  });

  it("leaves no recorder behind when it is stopped or killed", async () => {
    for (const end of ["stop", "kill"]) {
      const made = await listening();
      const pid = recorderOf(made);
      if (end === "kill") process.kill(made.pid(), "SIGKILL");
      await made.child.stop();
      await until(() => !isAlive(pid), 1_000, `the recorder ended after ${end}`);
    }
  });

  it.each<[string, object, { readonly [name: string]: string }, string, RegExp]>([
    [
      "a device that is not there",
      { device: "plughw:CARD=Nowhere" },
      {},
      "audio.no-device",
      /plughw:CARD=Nowhere/,
    ],
    [
      "a missing arecord",
      {},
      { PATH: "/nonexistent" },
      "audio.program-missing",
      /apt-get install alsa-utils/,
    ],
    ["a setting that does not exist", { gain: 3 }, {}, "settings.invalid", /gain/],
    ["a setting of the wrong kind", { device: 7 }, {}, "settings.invalid", /device/],
  ])("tells %s with a way out", async (_, settings, env, code, detail) => {
    const made = microphone(settings, env);
    await expect(made.child.whenRunning(1_500)).rejects.toMatchObject({
      code,
      detail: expect.stringMatching(detail),
    });
  });
});

describe.runIf(!isRealSound)("a microphone on software sound", () => {
  // A software sound card loses samples of its own on a machine that is busy; a driver that loses some always does.
  it("hears every sample in its place", { retry: 3 }, async () => {
    const made = await listening();
    const pcm = Int16Array.from({ length: RATE }, (_, i) => 1_000 + ((i * 7_919) % 20_000));
    await world.say({ pcm, sampleRate: RATE });
    await delay(200);
    const heard = Int16Array.from(framesOf(made).flatMap((frame) => [...frame.pcm]));
    const start = heard.findIndex((sample) => sample !== 0);
    expect(firstDifference(heard.subarray(start), pcm)).toBe(null);
  });

  it("that is muted reports exact zeros as a fault and recovers with the first sound", async () => {
    const made = await listening({ silenceFaultAfterS: 1 });
    const fault = await made.next((event) => event.kind === "fault", 3_000);
    expect(fault).toMatchObject({ code: "audio.no-frames", detail: expect.stringMatching(/muted/) });
    await world.say({ pcm: tone(1_000, 200, RATE), sampleRate: RATE });
    await made.next((event) => event.kind === "recovered", 1_000);
  });
});
