/**
 * How long sound takes through the drivers and the operating system, on software sound: from the air to a frame in the daemon,
 * from the play command to sound, from the stop command to silence. Milliseconds.
 */
import { setTimeout as delay } from "node:timers/promises";
import { driverProcess } from "../support/driver-process.ts";
import { nowMs } from "../support/recording.ts";
import { VirtualSound } from "../support/sound.ts";
import { tone } from "../support/wav.ts";
import { table } from "./figures.ts";
import type { BenchOptions } from "./main.ts";

export const summary = "sound through drivers and operating system: to the daemon, to the air, to silence";

type Spread = { readonly medianMs: number; readonly p95Ms: number; readonly maximumMs: number };

type SoundFigures = {
  readonly rounds: number;
  /** From the moment when the last sample of a frame sounds to the frame in the daemon. */
  readonly soundToFrame: Spread;
  readonly playToSound: Spread;
  readonly stopToSilence: Spread;
};

const MICROPHONE_RATE = 16_000;
const SPEAKER_RATE = 22_050;
const LOUD = 0.01;

async function measureSound(rounds = 20): Promise<SoundFigures> {
  const sound = new VirtualSound();
  const { env, microphoneDevice, speakerDevice } = await sound.start();
  const microphone = driverProcess<"microphone">(
    "microphone/alsa",
    { device: microphoneDevice, silenceFaultAfterS: 0 },
    env,
  );
  const speaker = driverProcess<"speaker">("speaker/alsa", { device: speakerDevice }, env);
  try {
    for (const { child } of [microphone, speaker]) child.start();
    await Promise.all([microphone.child.whenRunning(10_000), speaker.child.whenRunning(10_000)]);
    await microphone.child.command({ kind: "start" });
    const [frames, plays, stops]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < rounds; round++) {
      frames.push(await soundToFrame(sound, microphone));
      const [playMs, stopMs] = await playAndStop(sound, speaker, `round-${round}`);
      plays.push(playMs);
      stops.push(stopMs);
    }
    return { rounds, soundToFrame: spread(frames), playToSound: spread(plays), stopToSilence: spread(stops) };
  } finally {
    await Promise.all([microphone.child.stop(), speaker.child.stop()]);
    await sound.stop();
  }
}

async function soundToFrame(
  sound: VirtualSound,
  microphone: ReturnType<typeof driverProcess<"microphone">>,
): Promise<number> {
  const recording = sound.recordMicrophone();
  let first: { arrivalMs: number; afterOnsetMs: number } | null = null;
  const stopListening = microphone.child.onEvent((event) => {
    if (event.kind !== "frame" || first !== null) return;
    const onset = event.pcm.findIndex((sample) => Math.abs(sample) > LOUD * 32_768);
    if (onset === -1) return;
    first = { arrivalMs: nowMs(), afterOnsetMs: ((event.pcm.length - onset) * 1_000) / MICROPHONE_RATE };
  });
  await sound.say({ pcm: tone(1_000, 100, MICROPHONE_RATE), sampleRate: MICROPHONE_RATE });
  await delay(150);
  stopListening();
  recording.stop();
  const heard = first as { arrivalMs: number; afterOnsetMs: number } | null;
  const sounded = recording.stretches(LOUD)[0];
  if (heard === null || sounded === undefined) throw new Error("the microphone heard nothing");
  return heard.arrivalMs - sounded.startMs - heard.afterOnsetMs;
}

async function playAndStop(
  sound: VirtualSound,
  speaker: ReturnType<typeof driverProcess<"speaker">>,
  id: string,
): Promise<[number, number]> {
  const recording = sound.recordSpeaker();
  await delay(50);
  const playAt = nowMs();
  await speaker.child.command({
    kind: "play",
    id,
    pcm: tone(700, 5_000, SPEAKER_RATE),
    sampleRate: SPEAKER_RATE,
  });
  await delay(300);
  const stopAt = nowMs();
  await speaker.child.command({ kind: "stop" });
  await delay(300);
  recording.stop();
  const stretches = recording.stretches(LOUD);
  const [first, last] = [stretches[0], stretches.at(-1)];
  if (first === undefined || last === undefined) throw new Error("the speaker stayed silent");
  return [first.startMs - playAt, Math.max(0, last.endMs - stopAt)];
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number) =>
    Number((sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0).toFixed(1));
  return { medianMs: at(0.5), p95Ms: at(0.95), maximumMs: at(1) };
}

export async function sound(options: BenchOptions): Promise<void> {
  const { rounds, ...spreads } = await measureSound();
  if (options.json) return void process.stdout.write(`${JSON.stringify({ rounds, ...spreads })}\n`);
  const rows = Object.entries(spreads).map(([name, { medianMs, p95Ms, maximumMs }]) => [
    name,
    ...[medianMs, p95Ms, maximumMs].map((value) => Math.round(value * 10) / 10),
  ]);
  process.stdout.write(
    `${table([["milliseconds", "median", "p95", "maximum"], ...rows])}\n${rounds} rounds\n`,
  );
}
