/**
 * Starts the virtual receipt printer as the program it is and reads its paper. Needs dist/ (built by the test setup)
 * and socat.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { COMPILED } from "./program.ts";

const PROGRAM = `${COMPILED}drivers/printer/virtual/main.js`;
const START_TIMEOUT_MS = 15_000;

export type Paper = {
  readonly png: string;
  readonly cut: boolean;
  readonly lines: string[];
  readonly qr: string[];
};

export type VirtualPrinter = {
  /** The device file. It stays the same when the printer is unplugged and plugged in again. */
  readonly link: string;
  /** What a hand does: paper-out, cover-open, offline, ok. */
  act(action: string, body?: { afterLines: number }): Promise<void>;
  status(): Promise<{ problem: string; printedLines: number; drawerPulses: number; unknownCommands: number }>;
  /** Every piece of paper so far, in order. */
  papers(): Paper[];
  /** Kills it without a chance to clean up, like a pulled cable. */
  unplug(): Promise<void>;
  plugIn(): Promise<void>;
  stop(): Promise<void>;
};

export async function startVirtualPrinter(
  options: { columns?: 32 | 42 | 48; speed?: number; clears?: boolean } = {},
): Promise<VirtualPrinter> {
  const root = mkdtempSync(join(tmpdir(), "saypay-printer-"));
  const out = join(root, "paper");
  const link = join(root, "lp");
  const flags = ["--columns", String(options.columns ?? 42), "--speed", String(options.speed ?? 400)];
  if (options.clears === false) flags.push("--no-clear");
  let child: ChildProcess;
  let control = "";
  let plugs = 0;

  const plugIn = async (): Promise<void> => {
    plugs += 1;
    child = spawn(process.execPath, [PROGRAM, "--out", join(out, String(plugs)), "--link", link, ...flags], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    control = await readyAddress(child);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  };
  await plugIn();
  return {
    link,
    async act(action, body) {
      const init = body === undefined ? { method: "POST" } : { method: "POST", body: JSON.stringify(body) };
      const response = await fetch(`${control}/${action}`, init);
      if (!response.ok) throw new Error(`${action}: ${response.status} ${await response.text()}`);
    },
    async status() {
      return (await (await fetch(`${control}/status`)).json()) as Awaited<
        ReturnType<VirtualPrinter["status"]>
      >;
    },
    papers() {
      return readdirSync(out, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".json"))
        .sort()
        .map((name) => JSON.parse(readFileSync(join(out, name), "utf8")) as Paper);
    },
    unplug: () => end("SIGKILL"),
    plugIn,
    async stop() {
      await end("SIGTERM");
      rmSync(root, { recursive: true, force: true });
    },
  };
}

async function readyAddress(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("the virtual printer has no standard output");
  const lines = createInterface({ input: child.stdout });
  const ended = new AbortController();
  child.once("exit", () => ended.abort());
  const signal = AbortSignal.any([AbortSignal.timeout(START_TIMEOUT_MS), ended.signal]);
  for await (const [line] of withTimeout(lines, signal)) {
    const said = JSON.parse(line) as { kind: string; control?: string };
    if (said.kind !== "ready" || said.control === undefined) continue;
    child.stdout.resume();
    return said.control;
  }
  throw new Error("the virtual printer ended before it was ready");
}

async function* withTimeout(
  lines: ReturnType<typeof createInterface>,
  signal: AbortSignal,
): AsyncGenerator<[string]> {
  for (;;) yield (await once(lines, "line", { signal })) as [string];
}
