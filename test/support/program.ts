/** One of the project's own programs as a child process: compiled code, JSON log lines kept, ended for sure. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** This file runs from the sources under vitest and from dist/ in the demo; programs always run compiled. */
export const COMPILED = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "../../dist/" : "../../", import.meta.url),
);
/** Where package.json and the weights are. */
export const ROOT = fileURLToPath(new URL("../", `file://${COMPILED}`));

const STOP_LIMIT_MS = 15_000;
const KEPT_LINES = 400;

export type LogLine = { readonly msg?: string; readonly [field: string]: unknown };

export class Program {
  readonly #name: string;
  readonly #file: string;
  readonly #log: WriteStream;
  #child: ChildProcess | null = null;
  #lines: string[] = [];

  /** `file`: path below the compiled tree, e.g. "daemon/main.js". What it writes is appended to `logFile`. */
  constructor(name: string, file: string, logFile: string) {
    this.#name = name;
    this.#file = file;
    this.#log = createWriteStream(logFile, { flags: "a" });
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`${this.#name} is not running`);
    return this.#child.pid;
  }

  get isRunning(): boolean {
    const child = this.#child;
    return child !== null && child.exitCode === null && child.signalCode === null;
  }

  /** Resolves when it is gone, or was never started. */
  async whenGone(): Promise<void> {
    const child = this.#child;
    if (child === null || !this.isRunning) return;
    await new Promise<void>((resolve) => child.once("exit", () => resolve()));
  }

  get lastLines(): readonly string[] {
    return this.#lines;
  }

  /** Starts it and resolves with its log line "ready". Rejects with what it wrote when it ends or takes too long. */
  start(
    args: readonly string[],
    env: { readonly [name: string]: string } = {},
    limitMs = 30_000,
  ): Promise<LogLine> {
    const child = spawn(process.execPath, [COMPILED + this.#file, ...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    this.#lines = [];
    return new Promise((resolve, reject) => {
      const give = (why: string): void => {
        clearTimeout(limit);
        reject(new Error(`${this.#name} ${why}:\n${this.#lines.slice(-20).join("\n")}`));
      };
      const limit = setTimeout(() => {
        child.kill("SIGKILL");
        give(`was not ready within ${limitMs} ms`);
      }, limitMs);
      child.once("error", (error) => give(error.message));
      child.once("exit", (code, signal) => give(`ended with ${code ?? signal}`));
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on("line", (line) => {
          this.#keep(line);
          const record = parse(line);
          if (record?.msg !== "ready") return;
          clearTimeout(limit);
          resolve(record);
        });
      }
    });
  }

  /** Resolves with the exit status, or the signal, when it is gone. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | NodeJS.Signals | null> {
    const child = this.#child;
    if (child === null || !this.isRunning) return child?.exitCode ?? child?.signalCode ?? null;
    const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
      child.once("exit", (code, by) => resolve(code ?? by)),
    );
    child.kill(signal);
    const late = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    const status = await ended;
    clearTimeout(late);
    return status;
  }

  #keep(line: string): void {
    this.#log.write(`${line}\n`);
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
  }
}

function parse(line: string): LogLine | null {
  if (!line.startsWith("{")) return null;
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return null;
  }
}
