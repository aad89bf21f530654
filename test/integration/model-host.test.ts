/** The model host as the daemon runs it: supervised, with the bundled model and espeak-ng. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { readMenu } from "../../daemon/menu-file.ts";
import { SupervisedChild } from "../../daemon/shell/supervisor.ts";
import { readWav } from "../../models/hearing/wav.ts";
import type { HearingCommand, HearingEvent, SpeakingCommand, SpeakingEvent } from "../../models/model.ts";
import { until } from "../support/processes.ts";
import { silentLog } from "../support/silent-log.ts";

const at = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const menu = readMenu(at("daemon/menu.example.yaml"));
const HEARING = {
  modelDirectory: at("models/bundled/hearing"),
  language: "ko",
  menu,
  endpointing: "default",
  threads: 1,
};
const SPEAKING = { menu, rate: 165, volume: 100, cacheDirectory: null };

type Started = { stop(): Promise<void> };
const started: Started[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((child) => child.stop()));
});

function host<Command, Event>(unit: string, settings: unknown) {
  const child = new SupervisedChild<Command, Event>(
    { name: unit, entry: at("dist/models/host.js"), unit, settings },
    silentLog,
  );
  const events: Event[] = [];
  child.onEvent((event) => events.push(event));
  started.push(child);
  child.start();
  return { child, events };
}

/** Frames of a sentence, with a second of silence around it. */
function sentence(text: string): readonly Int16Array[] {
  const wav = readWav(execFileSync("espeak-ng", ["-v", "ko", "--stdout", text]));
  if (wav.kind !== "sound") throw new Error(wav.reason);
  const padded = new Float32Array(wav.samples.length + 32_000);
  padded.set(wav.samples, 16_000);
  return Array.from({ length: Math.floor(padded.length / 320) }, (_, frame) =>
    Int16Array.from(padded.subarray(frame * 320, frame * 320 + 320), (sample) => Math.round(sample * 32_767)),
  );
}

async function order(child: SupervisedChild<HearingCommand, HearingEvent>): Promise<void> {
  await child.command({ kind: "listen", context: { expectation: "order", lines: [] } });
  for (const pcm of sentence("아메리카노 두 잔 주세요")) await child.command({ kind: "frame", pcm });
}

const ADDED = { kind: "edit", edits: [{ kind: "add", itemId: "americano", quantity: 2, options: {} }] };

describe("hearing", () => {
  it("turns frames into a turn, and does so again after it was killed", async () => {
    const { child, events } = host<HearingCommand, HearingEvent>("hearing", HEARING);
    await child.whenRunning(15_000);
    await order(child);
    await until(() => events.some((event) => event.kind === "heard"), 5_000, "a turn");
    expect(events.at(-1)).toMatchObject({ kind: "heard", turn: { language: "ko", intent: ADDED } });

    events.length = 0;
    const restarted = new Promise<void>((resolve) => child.onRestarted(resolve));
    if (child.state.kind === "running") process.kill(child.state.pid, "SIGKILL");
    await restarted;
    await order(child);
    await until(() => events.some((event) => event.kind === "heard"), 5_000, "a turn after the restart");
    expect(events.at(-1)).toMatchObject({ kind: "heard", turn: { intent: ADDED } });
  });

  it.each([
    ["a model that is not there", { ...HEARING, modelDirectory: "/nowhere" }, "model.missing", /nowhere/],
    ["settings with a mistake", { ...HEARING, threads: 0 }, "settings.invalid", /threads/],
  ])("refuses %s", async (_, settings, code, detail) => {
    const { child } = host("hearing", settings);
    await expect(child.whenRunning(5_000)).rejects.toMatchObject({
      code,
      detail: expect.stringMatching(detail),
    });
  });
});

describe("speaking", () => {
  it("turns a prompt into speech", async () => {
    const { child, events } = host<SpeakingCommand, SpeakingEvent>("speaking", SPEAKING);
    await child.whenRunning(15_000);
    await child.command({ kind: "say", id: "1", prompt: { kind: "welcome" }, language: "ko" });
    await until(() => events.length > 0, 5_000, "speech");
    expect(events[0]).toMatchObject({ kind: "speech", id: "1" });
  });
});

it("refuses a unit that does not exist and says which there are", async () => {
  const { child } = host("smelling", {});
  const fault = { code: "settings.invalid", detail: expect.stringMatching(/smelling.*hearing and speaking/) };
  await expect(child.whenRunning(5_000)).rejects.toMatchObject(fault);
});
