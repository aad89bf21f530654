/**
 * A program that is started again whenever it ends, as systemd does, so that a test may kill it at any moment, also
 * while it starts. An end that nobody asked for is remembered: it is a finding, whatever the test is about.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Program } from "./program.ts";

const AGAIN_AFTER_MS = 250;
const KEPT_LINES = 12;

export class KeptProgram {
  readonly program: Program;
  /** What it wrote before it ended by itself. */
  readonly unexpectedEnds: string[] = [];
  readonly #name: string;
  readonly #start: () => Promise<unknown>;
  #wanted = false;
  #stopped = false;
  #up = false;
  #killed = false;
  #waitMs = AGAIN_AFTER_MS;
  #keeping: Promise<void> = Promise.resolve();

  /** `start` resolves when the program is ready, and rejects when it ends before. */
  constructor(name: string, program: Program, start: () => Promise<unknown>) {
    this.#name = name;
    this.program = program;
    this.#start = start;
  }

  get isUp(): boolean {
    return this.#up && this.program.isRunning;
  }

  keep(): void {
    if (this.#wanted || this.#stopped) return;
    this.#wanted = true;
    this.#keeping = this.#keep();
  }

  /** SIGKILL, also in the middle of a start. False when nothing runs now. It is started again after `againAfterMs`. */
  kill(againAfterMs: number): boolean {
    if (!this.program.isRunning) return false;
    this.#killed = true;
    this.#waitMs = againAfterMs;
    process.kill(this.program.pid, "SIGKILL");
    return true;
  }

  /** Ends it in an orderly way and keeps it no more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wanted = false;
    this.#killed = true;
    await this.program.end();
    await this.#keeping;
  }

  async #keep(): Promise<void> {
    while (this.#wanted) {
      this.#killed = false;
      this.#waitMs = AGAIN_AFTER_MS;
      let trouble = "ended";
      try {
        await this.#start();
        this.#up = true;
        await this.program.whenGone();
      } catch (cause) {
        trouble = cause instanceof Error ? cause.message : String(cause);
        await this.program.end("SIGKILL");
      }
      this.#up = false;
      if (!this.#killed) this.#remember(trouble);
      if (this.#wanted) await pause(this.#waitMs);
    }
  }

  #remember(trouble: string): void {
    const last = this.program.lastLines.slice(-KEPT_LINES).join("\n");
    this.unexpectedEnds.push(`${this.#name}: ${trouble}\n${last}`);
  }
}
