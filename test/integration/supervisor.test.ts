/** The supervisor on real processes: killed, frozen, refused, crashed, and left behind by a daemon that was killed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { Fault } from "../../daemon/core/fault.ts";
import { type ChildSpecification, type ChildState, SupervisedChild } from "../../daemon/shell/supervisor.ts";
import type { ObedientCommand, ObedientEvent } from "../support/obedient-child.ts";
import { isAlive, until } from "../support/processes.ts";
import { silentLog } from "../support/silent-log.ts";

const ENTRY = fileURLToPath(new URL("../../dist/test/support/obedient-child.js", import.meta.url));
const OWNER = fileURLToPath(new URL("../../dist/test/support/child-owner.js", import.meta.url));
const SETTINGS = { device: "plughw:CARD=Test", depth: 3n };

type Obedient = SupervisedChild<ObedientCommand, ObedientEvent>;

const started: Obedient[] = [];

function supervise(changes: Partial<ChildSpecification> = {}): Obedient {
  const specification = { name: "obedient", entry: ENTRY, unit: "any", settings: SETTINGS, ...changes };
  const child: Obedient = new SupervisedChild(specification, silentLog);
  started.push(child);
  return child;
}

async function running(changes: Partial<ChildSpecification> = {}): Promise<Obedient> {
  const child = supervise(changes);
  child.start();
  await child.whenRunning(5_000);
  return child;
}

function pidOf(child: Obedient): number {
  if (child.state.kind !== "running") throw new Error(`the child is ${child.state.kind}`);
  return child.state.pid;
}

async function faultOf(promise: Promise<void>): Promise<{ code: string; retry: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Fault) return { code: error.code, retry: error.retry };
    throw error;
  }
  throw new Error("there was no fault");
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((child) => child.stop()));
});

describe("a supervised child", () => {
  it("is opened with its settings and environment, and carries samples both ways", async () => {
    const child = supervise({ env: { OBEDIENT_MARK: "marked" } });
    const events: ObedientEvent[] = [];
    child.onEvent((event) => events.push(event));
    child.start();
    await child.whenRunning(5_000);
    const pcm = Int16Array.from({ length: 320 }, (_, i) => i - 160).subarray(10, 20);
    await child.command({ kind: "echo", pcm });
    expect(events).toEqual([
      { kind: "opened-with", settings: SETTINGS, mark: "marked" },
      { kind: "echo", pcm: new Int16Array(pcm) },
    ]);
  });

  it("that is killed runs again within 500 ms, opened with the same settings, and its owner is told once", async () => {
    const child = await running();
    const events: ObedientEvent[] = [];
    const states: ChildState["kind"][] = [];
    let restarted = 0;
    child.onEvent((event) => events.push(event));
    child.onState((state) => states.push(state.kind));
    child.onRestarted(() => restarted++);
    const killedPid = pidOf(child);
    const killedAt = performance.now();
    process.kill(killedPid, "SIGKILL");
    await until(() => restarted > 0, 5_000, "restarted");
    expect(performance.now() - killedAt).toBeLessThan(500);
    expect(states).toEqual(["restarting", "running"]);
    expect(pidOf(child)).not.toBe(killedPid);
    expect(child.state).toMatchObject({ restarts: 1 });
    expect(events).toEqual([{ kind: "opened-with", settings: SETTINGS, mark: undefined }]);
    expect(restarted).toBe(1);
  });

  it.each([
    ["frozen by the system", async (child: Obedient) => void process.kill(pidOf(child), "SIGSTOP")],
    [
      "held in a loop",
      async (child: Obedient) => void child.tell({ kind: "hold-event-loop", forMs: 60_000 }),
    ],
  ])("that is %s is noticed by its missing heartbeats and replaced", async (_, freeze) => {
    const child = await running();
    const frozenPid = pidOf(child);
    await freeze(child);
    const answer = faultOf(child.command({ kind: "echo", pcm: new Int16Array(1) }, 30_000));
    await until(() => child.state.kind === "running" && child.state.pid !== frozenPid, 8_000, "replaced");
    expect(await answer).toEqual({ code: "process.hung", retry: "unknown" });
    expect(isAlive(frozenPid)).toBe(false);
  });

  it("that cannot be opened is tried again more and more slowly, and says why", async () => {
    const child = supervise({ unit: "refuses" });
    const waits: number[] = [];
    child.onState((state) => {
      if (state.kind !== "restarting") return;
      waits.push(state.waitMs);
      expect(state).toMatchObject({
        failures: waits.length,
        fault: { code: "audio.no-device", detail: "no such device" },
      });
    });
    child.start();
    await until(() => waits.length === 4, 10_000, "four failures");
    const bounds = [
      [50, 100],
      [150, 300],
      [450, 900],
      [1350, 2700],
    ];
    for (const [i, [least, most]] of bounds.entries()) {
      expect(waits[i]).toBeGreaterThanOrEqual(least ?? 0);
      expect(waits[i]).toBeLessThanOrEqual(most ?? 0);
    }
    expect(await faultOf(child.whenRunning(10))).toEqual({ code: "audio.no-device", retry: "safe" });
  });

  it("that does not exist is a fault, not a crash of the daemon", async () => {
    const child = supervise({ entry: `${ENTRY}.missing` });
    child.start();
    expect(await faultOf(child.whenRunning(1_000))).toMatchObject({ code: "process.exited" });
  });

  it("that dies does not disturb the others", async () => {
    const [first, second, third] = [await running(), await running(), await running()];
    const pids = [pidOf(first), pidOf(third)];
    process.kill(pidOf(second), "SIGKILL");
    await first.command({ kind: "echo", pcm: new Int16Array(1) });
    await second.whenRunning(2_000);
    await third.command({ kind: "echo", pcm: new Int16Array(1) });
    expect([pidOf(first), pidOf(third)]).toEqual(pids);
  });
});

describe("a command", () => {
  it.each<[string, ObedientCommand, { code: string; retry: string }]>([
    [
      "that the child refuses rejects with the child's fault",
      { kind: "refuse" },
      { code: "printer.paper-out", retry: "safe" },
    ],
    [
      "that is not answered rejects in time",
      { kind: "never-answer" },
      { code: "time-out", retry: "unknown" },
    ],
    [
      "that ends the child rejects at once",
      { kind: "exit", status: 3 },
      { code: "process.exited", retry: "unknown" },
    ],
  ])("%s", async (_, command, fault) => {
    const child = await running();
    expect(await faultOf(child.command(command, 300))).toEqual(fault);
  });

  it("to a child that is not running is refused and safe to retry", async () => {
    const child = supervise();
    expect(await faultOf(child.command({ kind: "refuse" }))).toEqual({
      code: "process.exited",
      retry: "safe",
    });
    expect(child.tell({ kind: "refuse" })).toBe(false);
  });

  it("in great number is refused at a limit while the child answers none", async () => {
    const child = await running();
    const answers = Array.from({ length: 257 }, () =>
      faultOf(child.command({ kind: "never-answer" }, 1_000)),
    );
    const codes = (await Promise.all(answers)).map((fault) => fault.code);
    expect(codes.filter((code) => code === "time-out")).toHaveLength(256);
    expect(codes.at(-1)).toBe("process.hung");
  });
});

describe("stop", () => {
  it("ends the process for good, and start begins anew", async () => {
    const child = await running();
    const pid = pidOf(child);
    await child.stop();
    expect(isAlive(pid)).toBe(false);
    expect(child.state).toEqual({ kind: "stopped" });
    child.start();
    await child.whenRunning(5_000);
    expect(pidOf(child)).not.toBe(pid);
  });

  it("kills a child that does not close, within three seconds", async () => {
    const child = await running();
    const pid = pidOf(child);
    await child.command({ kind: "ignore-close" });
    const stoppedAt = performance.now();
    await child.stop();
    expect(performance.now() - stoppedAt).toBeLessThan(3_000);
    expect(isAlive(pid)).toBe(false);
  });

  it("while a restart is waited for leaves nothing behind", async () => {
    const child = supervise({ unit: "refuses" });
    child.start();
    await until(() => child.state.kind === "restarting" && child.state.failures === 2, 5_000, "two failures");
    await child.stop();
    const states: ChildState[] = [];
    child.onState((state) => states.push(state));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(states).toEqual([]);
  });
});

it("children end when the daemon is killed", async () => {
  const owner = spawn(process.execPath, [OWNER], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(owner.stdout, "data");
  const pid = Number(String(line));
  expect(isAlive(pid)).toBe(true);
  owner.kill("SIGKILL");
  await until(() => !isAlive(pid), 2_000, "the child ended");
});
