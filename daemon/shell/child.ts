/**
 * One life of a child process: forked, opened, spoken to, watched, ended. daemon/shell/supervisor.ts gives it another life.
 *
 * Assumes an entry that speaks daemon/core/child-protocol.ts over Node's IPC channel and exits when that channel closes.
 * A child is alive while it reports anything; a tick without a report is one missed heartbeat. Ticks are counted instead of
 * milliseconds, because a daemon that was itself stopped for a minute must not blame its children for the minute.
 */
import { type ChildProcess, fork } from "node:child_process";
import { type ChildReport, type ChildRequest, HEARTBEAT_INTERVAL_MS } from "../core/child-protocol.ts";
import { Fault } from "../core/fault.ts";

export type ChildSpecification = {
  /** For the log: "microphone", "hearing". */
  readonly name: string;
  /** Absolute path of the JavaScript file to fork. */
  readonly entry: string;
  /** What the entry opens: "printer/escpos", "hearing". */
  readonly unit: string;
  readonly settings: unknown;
  /** Added to the daemon's own environment. */
  readonly env?: { readonly [name: string]: string };
  /** From fork to "opened". Loading a model takes longer than opening a printer. */
  readonly openLimitMs?: number;
  readonly commandLimitMs?: number;
};

/** What the process's owner hears. `ended` comes exactly once and last. */
export type ChildListener<Event> = {
  readonly opened: () => void;
  readonly event: (event: Event) => void;
  /** One line that the child wrote to its standard output or error. */
  readonly line: (text: string) => void;
  readonly ended: (fault: Fault) => void;
};

const MISSED_HEARTBEATS = 3;
const OPEN_LIMIT_MS = 15_000;
const COMMAND_LIMIT_MS = 5_000;
/** After "close" the child may finish what it holds for this long before it is killed. */
const CLOSE_LIMIT_MS = 2_000;
/** The last reports of an ended process may still be in the channel. */
const LAST_REPORTS_LIMIT_MS = 200;
const MAXIMUM_PENDING_COMMANDS = 256;
/** Messages handed to the channel that the child has not read; beyond it the child is too slow. */
const MAXIMUM_UNREAD_MESSAGES = 512;
const MAXIMUM_LINE_LENGTH = 400;

type Pending = {
  readonly resolve: () => void;
  readonly reject: (fault: Fault) => void;
  readonly timer: NodeJS.Timeout;
};

export class Child<Command, Event> {
  readonly #specification: ChildSpecification;
  readonly #listener: ChildListener<Event>;
  readonly #pending = new Map<number, Pending>();
  #process: ChildProcess | null = null;
  #serial = 0;
  #unread = 0;
  #opened = false;
  #ended = false;
  #reportedSinceTick = false;
  #missed = 0;
  #why: Fault | null = null;
  #openTimer: NodeJS.Timeout | undefined;
  #tick: NodeJS.Timeout | undefined;
  #closing: Promise<void> | null = null;
  #whenEnded: () => void = () => {};

  constructor(specification: ChildSpecification, listener: ChildListener<Event>) {
    this.#specification = specification;
    this.#listener = listener;
  }

  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  get isOpen(): boolean {
    return this.#opened && !this.#ended && this.#why === null && this.#closing === null;
  }

  /** Forks and asks for the unit; the outcome arrives at the listener. */
  start(): void {
    const { entry, env, name, unit, settings, openLimitMs = OPEN_LIMIT_MS } = this.#specification;
    // An empty execArgv keeps a test runner's or debugger's flags out of the child.
    const child = fork(entry, [], {
      serialization: "advanced",
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      execArgv: [],
      env: { ...process.env, ...env },
    });
    this.#process = child;
    child.on("message", (message) => this.#report(message as ChildReport<Event>));
    child.once("error", (error) =>
      this.#finish(new Fault("process.exited", `${name} does not start`, { cause: error })),
    );
    child.once("exit", (code, signal) => this.#exited(child, code, signal));
    readLines(child, this.#listener.line);
    this.#openTimer = setTimeout(
      () => this.kill(new Fault("time-out", `${name} did not open ${unit} within ${openLimitMs} ms`)),
      openLimitMs,
    );
    this.#tick = setInterval(() => this.#countHeartbeat(), HEARTBEAT_INTERVAL_MS);
    this.#send({ kind: "open", unit, settings });
  }

  /**
   * Sends a command and waits for its answer. Rejects with a Fault: the child's own, "time-out", "process.hung" or
   * "process.exited"; `retry` is "unknown" once the command was sent and "safe" when it never was.
   */
  command(command: Command, limitMs = this.#specification.commandLimitMs ?? COMMAND_LIMIT_MS): Promise<void> {
    const { name } = this.#specification;
    if (!this.isOpen) return Promise.reject(new Fault("process.exited", `${name} is not running`));
    if (this.#pending.size >= MAXIMUM_PENDING_COMMANDS) {
      return Promise.reject(
        new Fault("process.hung", `${name} leaves ${this.#pending.size} commands unanswered`),
      );
    }
    const serial = ++this.#serial;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(serial);
        reject(new Fault("time-out", `${name} did not answer within ${limitMs} ms`, { retry: "unknown" }));
      }, limitMs);
      this.#pending.set(serial, { resolve, reject, timer });
      this.#send({ kind: "command", serial, command });
    });
  }

  /** Sends a command whose answer does not matter, such as one of fifty sound frames a second. False when it was dropped. */
  tell(command: Command): boolean {
    if (!this.isOpen || this.#unread >= MAXIMUM_UNREAD_MESSAGES) return false;
    this.#send({ kind: "command", serial: ++this.#serial, command });
    return true;
  }

  /** Ends the process at once; `why` is what the listener is told. */
  kill(why: Fault): void {
    this.#why ??= why;
    this.#process?.kill("SIGKILL");
  }

  /** Asks the child to release what it holds; kills it when it takes too long. Resolves when the process is gone. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      if (this.#ended || this.#process === null) return resolve();
      const timer = setTimeout(() => this.#process?.kill("SIGKILL"), CLOSE_LIMIT_MS);
      this.#whenEnded = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#send({ kind: "close" });
    });
    return this.#closing;
  }

  #send(request: ChildRequest<Command>): void {
    const child = this.#process;
    if (child === null || !child.connected) return;
    this.#unread++;
    // A failed write means that the process is ending; its exit event tells the rest.
    child.send(request, () => this.#unread--);
  }

  #report(report: ChildReport<Event>): void {
    this.#reportedSinceTick = true;
    switch (report.kind) {
      case "opened":
        clearTimeout(this.#openTimer);
        this.#opened = true;
        return this.#listener.opened();
      case "open-failed":
        return this.kill(new Fault(report.code, report.detail));
      case "done":
        return this.#settle(report.serial, null);
      case "failed":
        return this.#settle(report.serial, new Fault(report.code, report.detail));
      case "event":
        return this.#listener.event(report.event);
      case "heartbeat":
        return;
    }
  }

  #settle(serial: number, fault: Fault | null): void {
    const pending = this.#pending.get(serial);
    if (pending === undefined) return;
    this.#pending.delete(serial);
    clearTimeout(pending.timer);
    if (fault === null) pending.resolve();
    else pending.reject(fault);
  }

  /** Before "opened" only the open limit counts: loading native code may hold the child's event loop. */
  #countHeartbeat(): void {
    this.#missed = this.#reportedSinceTick || !this.#opened ? 0 : this.#missed + 1;
    this.#reportedSinceTick = false;
    if (this.#missed < MISSED_HEARTBEATS) return;
    const silentMs = this.#missed * HEARTBEAT_INTERVAL_MS;
    this.kill(
      new Fault("process.hung", `${this.#specification.name} was silent for ${silentMs} ms`, {
        retry: "unknown",
      }),
    );
  }

  #exited(child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    const how = signal === null ? `with status ${code}` : `by ${signal}`;
    const fault = () =>
      this.#why ??
      new Fault("process.exited", `${this.#specification.name} ended ${how}`, { retry: "unknown" });
    if (!child.connected) return this.#finish(fault());
    // What the child reported last, such as "open-failed", is still on its way and says more than the exit status.
    const timer = setTimeout(() => this.#finish(fault()), LAST_REPORTS_LIMIT_MS);
    child.once("disconnect", () => {
      clearTimeout(timer);
      this.#finish(fault());
    });
  }

  #finish(fault: Fault): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#openTimer);
    clearInterval(this.#tick);
    for (const serial of this.#pending.keys()) this.#settle(serial, fault);
    this.#whenEnded();
    this.#listener.ended(fault);
  }
}

function readLines(child: ChildProcess, line: (text: string) => void): void {
  for (const stream of [child.stdout, child.stderr]) {
    let rest = "";
    stream?.setEncoding("utf8");
    stream?.on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = (lines.pop() ?? "").slice(-MAXIMUM_LINE_LENGTH);
      for (const text of lines) if (text !== "") line(text.slice(0, MAXIMUM_LINE_LENGTH));
    });
  }
}
