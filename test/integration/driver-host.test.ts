/** The entry of the drivers' processes, with the speaker driver on ALSA's null device: no sound hardware is needed. */
import { afterEach, describe, expect, it } from "vitest";
import { type DriverProcess, driverProcess } from "../support/driver-process.ts";
import { isAlive, until } from "../support/processes.ts";

const started: DriverProcess<"speaker">[] = [];

function speaker(unit: `speaker/${string}` = "speaker/alsa", settings: unknown = { device: "null" }) {
  const made = driverProcess<"speaker">(unit, settings, {});
  started.push(made);
  made.child.start();
  return made;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map(({ child }) => child.stop()));
});

describe("a driver's process", () => {
  it("loads the speaker on a machine without any sound device", async () => {
    const made = speaker();
    await made.child.whenRunning(5_000);
    await made.child.command({ kind: "play", id: "a", pcm: new Int16Array(2_205), sampleRate: 22_050 });
    await made.next((event) => event.kind === "finished" && event.outcome === "played", 2_000);
  });

  it.each([
    ["a driver that does not exist", "speaker/gramophone", {}, /"speaker\/gramophone".*speaker\/alsa/],
    ["settings with a mistake", "speaker/alsa", { sampleRate: 5 }, /sampleRate/],
  ] as const)("refuses %s and says what there is", async (_, unit, settings, detail) => {
    const made = speaker(unit, settings);
    const failure = { code: "settings.invalid", detail: expect.stringMatching(detail) };
    await expect(made.child.whenRunning(1_000)).rejects.toMatchObject(failure);
  });

  it("with a programmer's error in it reports the error and is replaced", async () => {
    const made = speaker();
    await made.child.whenRunning(5_000);
    const restarted = new Promise<void>((resolve) => made.child.onRestarted(resolve));
    const impossible = { kind: "play", id: "a", pcm: null, sampleRate: 22_050 } as unknown as {
      kind: "stop";
    };
    await expect(made.child.command(impossible)).rejects.toMatchObject({
      code: "process.exited",
      retry: "unknown",
    });
    await restarted;
    expect(made.events).toEqual([
      { kind: "fault", code: "process.exited", detail: expect.stringMatching(/null/) },
    ]);
  });

  it("ends on SIGTERM and stays on Ctrl-C, which is the daemon's to act on", async () => {
    const made = speaker();
    await made.child.whenRunning(5_000);
    const pid = made.pid();
    process.kill(pid, "SIGINT");
    await made.child.command({ kind: "stop" });
    expect(made.pid()).toBe(pid);
    process.kill(pid, "SIGTERM");
    await until(() => !isAlive(pid), 2_000, "ended");
  });
});
