/**
 * An open line to a printer: writes with a time limit, status questions and their answers, and the count of end markers
 * that the printer still owes. Answers carry no label, so one question is under way at a time.
 */
import type { PrintProblem } from "../../daemon/core/prompt.ts";
import { type Line, type LineSettings, openLine } from "./line.ts";
import {
  askStatus,
  END_MARKER,
  problemIn,
  readAnswer,
  STATUS_REQUESTS,
  type StatusRequest,
  worst,
} from "./status.ts";

export type ConnectionSettings = LineSettings & { readonly answerTimeoutMs: number };

/** A write that the printer's flow control holds up longer than this has failed. */
const WRITE_TIMEOUT_MS = 4_000;
/** Answers that come after their time-out would be taken for the next one's; they are let pass in this silence. */
const QUIET_MS = 120;
/** Paper end in the answer to GS r 1. */
const MARKER_PAPER_END = 0x0c;

export class Connection {
  readonly #answerTimeoutMs: number;
  readonly #onClosed: () => void;
  #line: Line | undefined;
  #closed = false;
  #listener: ((byte: number) => void) | undefined;
  #lateAnswer = false;
  #markersOwed = 0;
  #markerSaysPaperOut = false;
  #waiters: (() => void)[] = [];

  private constructor(answerTimeoutMs: number, onClosed: () => void) {
    this.#answerTimeoutMs = answerTimeoutMs;
    this.#onClosed = onClosed;
  }

  /** Rejects with Fault `printer.offline` when the path cannot be opened. `onClosed`: the device went away by itself. */
  static async open(settings: ConnectionSettings, onClosed: () => void): Promise<Connection> {
    const connection = new Connection(settings.answerTimeoutMs, onClosed);
    connection.#line = await openLine(settings, {
      onBytes: (bytes) => connection.#receive(bytes),
      onLost: () => connection.#lost(),
    });
    return connection;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Markers that were sent and not answered yet. */
  get markersOwed(): number {
    return this.#markersOwed;
  }

  /** Hands the bytes to the operating system. False when they did not go out in time or the line is closed. */
  write(bytes: Uint8Array): Promise<boolean> {
    const line = this.#line;
    if (this.#closed || line === undefined) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        finish(false);
        // What is stuck in front would delay or garble everything after it: the line has to be opened afresh.
        this.#lost();
      }, WRITE_TIMEOUT_MS);
      const finish = (done: boolean): void => {
        clearTimeout(timer);
        this.#waiters = this.#waiters.filter((waiter) => waiter !== onChange);
        resolve(done);
      };
      const onChange = (): void => {
        if (this.#closed) finish(false);
      };
      this.#waiters.push(onChange);
      line.write(Buffer.from(bytes)).then(
        () => finish(true),
        () => {
          finish(false);
          this.#lost();
        },
      );
    });
  }

  /** Asks the printer, when it gets this far, to say so, once or more often. */
  async writeWithMarker(bytes: Uint8Array, count = 1): Promise<boolean> {
    this.#markersOwed += count;
    return await this.write(Buffer.concat([bytes, ...Array.from({ length: count }, () => END_MARKER)]));
  }

  /** True when at most `owed` markers are unanswered; false after the time or when the line closed. */
  async markersDownTo(owed: number, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (this.#markersOwed > owed) {
      const left = deadline - performance.now();
      if (left <= 0 || this.#closed) return false;
      await this.#change(left);
    }
    return true;
  }

  /** Gives up the markers that will never be answered, because their data was thrown away. */
  forgetMarkers(): void {
    this.#markersOwed = 0;
  }

  /** Asks for every status. "silent" when the printer does not answer. */
  async check(): Promise<PrintProblem | "silent" | undefined> {
    if (this.#lateAnswer) await this.#letLateAnswersPass();
    const problems: (PrintProblem | undefined)[] = [];
    for (const n of STATUS_REQUESTS) {
      const byte = await this.#ask(n);
      if (byte === undefined) return "silent";
      problems.push(problemIn(n, byte));
    }
    if (this.#markerSaysPaperOut) problems.push("paper-out");
    this.#markerSaysPaperOut = false;
    return worst(problems);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#ring();
    await this.#line?.close();
  }

  async #ask(n: StatusRequest): Promise<number | undefined> {
    const answer = new Promise<number | undefined>((resolve) => {
      const timer = setTimeout(() => finish(undefined), this.#answerTimeoutMs);
      const finish = (byte: number | undefined): void => {
        clearTimeout(timer);
        this.#listener = undefined;
        this.#waiters = this.#waiters.filter((waiter) => waiter !== onChange);
        if (byte === undefined) this.#lateAnswer = true;
        resolve(byte);
      };
      const onChange = (): void => {
        if (this.#closed) finish(undefined);
      };
      this.#waiters.push(onChange);
      this.#listener = finish;
    });
    const written = await this.write(askStatus(n));
    if (!written) this.#ring();
    return await answer;
  }

  async #letLateAnswersPass(): Promise<void> {
    this.#listener = undefined;
    await this.#sleep(QUIET_MS);
    this.#lateAnswer = false;
  }

  #receive(bytes: Uint8Array): void {
    for (const byte of bytes) {
      const answer = readAnswer(byte);
      if (answer?.kind === "status") this.#listener?.(byte);
      if (answer?.kind !== "end-marker" || this.#markersOwed === 0) continue;
      this.#markersOwed -= 1;
      if ((byte & MARKER_PAPER_END) !== 0) this.#markerSaysPaperOut = true;
    }
    this.#ring();
  }

  #lost(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ring();
    this.#onClosed();
  }

  /** Waiters put a new list in place when they leave it, so this one stays whole while it is walked. */
  #ring(): void {
    for (const waiter of this.#waiters) waiter();
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** Resolves when something came or the time is over. */
  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#waiters = this.#waiters.filter((waiter) => waiter !== finish);
        resolve();
      };
      const timer = setTimeout(finish, timeoutMs);
      this.#waiters.push(finish);
    });
  }
}
