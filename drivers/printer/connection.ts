/**
 * One open serial line to a printer: writes with a time limit, and turns the bytes that come back into answers.
 *
 * Assumes a character device that behaves like a terminal: a USB serial converter, a printer's own virtual COM port, a
 * UART or a pseudo-terminal. It does not wait for the operating system to drain its buffer (tcdrain can block a thread
 * for good when the printer holds its flow control): the printer's own answer to the end marker proves more.
 */
import { SerialPort } from "serialport";
import { Fault } from "../../daemon/core/fault.ts";
import type { PrintProblem } from "../../daemon/core/prompt.ts";
import {
  askStatus,
  END_MARKER,
  problemIn,
  readAnswer,
  STATUS_REQUESTS,
  type StatusRequest,
  worst,
} from "./status.ts";

export type SerialSettings = {
  readonly path: string;
  readonly baudRate: number;
  readonly flowControl: "none" | "rts-cts" | "xon-xoff";
  readonly answerTimeoutMs: number;
};

/** A write that the printer's flow control holds up longer than this has failed. */
const WRITE_TIMEOUT_MS = 4_000;
/** Answers that come after their time-out would be taken for the next one's; they are let pass in this silence. */
const QUIET_MS = 120;
/** Paper end in the answer to GS r 1. */
const MARKER_PAPER_END = 0x0c;

export class Connection {
  readonly #port: SerialPort;
  readonly #answerTimeoutMs: number;
  readonly #onClosed: () => void;
  #closed = false;
  #listener: ((byte: number) => void) | undefined;
  #lateAnswer = false;
  #markersOwed = 0;
  #markerSaysPaperOut = false;
  #waiters: (() => void)[] = [];

  private constructor(port: SerialPort, settings: SerialSettings, onClosed: () => void) {
    this.#port = port;
    this.#answerTimeoutMs = settings.answerTimeoutMs;
    this.#onClosed = onClosed;
  }

  /** Rejects with Fault `printer.offline` when the path cannot be opened. `onClosed`: the device went away by itself. */
  static async open(settings: SerialSettings, onClosed: () => void): Promise<Connection> {
    const { path, baudRate, flowControl } = settings;
    const flow = flowControl === "xon-xoff";
    const port = new SerialPort({
      path,
      baudRate,
      autoOpen: false,
      rtscts: flowControl === "rts-cts",
      xon: flow,
      xoff: flow,
    });
    const connection = new Connection(port, settings, onClosed);
    port.on("data", (bytes: Buffer) => connection.#receive(bytes));
    port.on("close", () => connection.#lost());
    port.on("error", () => connection.#lost());
    await new Promise<void>((resolve, reject) => {
      port.open((error) => {
        if (error === null || error === undefined) resolve();
        else reject(new Fault("printer.offline", `cannot open ${path}; is it plugged in?`, { cause: error }));
      });
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
    if (this.#closed) return Promise.resolve(false);
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
      this.#port.write(Buffer.from(bytes), (error) => finish(error === null || error === undefined));
    });
  }

  /** Asks the printer, when it gets this far, to say so. */
  async writeWithMarker(bytes: Uint8Array): Promise<boolean> {
    this.#markersOwed += 1;
    return await this.write(Buffer.concat([bytes, END_MARKER]));
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

  /** Idempotent. What the printer has not taken yet is thrown away, or closing would wait for it. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#ring();
    if (!this.#port.isOpen) return;
    await new Promise<void>((resolve) => this.#port.flush(() => resolve()));
    if (!this.#port.isOpen) return;
    await new Promise<void>((resolve) => this.#port.close(() => resolve()));
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

  #receive(bytes: Buffer): void {
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

  #ring(): void {
    for (const waiter of [...this.#waiters]) waiter();
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
