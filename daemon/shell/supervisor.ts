/**
 * Keeps one child process (a driver host or a model host) running: whatever ends it, it is started again with the same
 * settings, soon at first and then more slowly up to a named maximum, for ever, because a printer that was unplugged in
 * the morning may be back in the evening.
 *
 * Commands are not stored: a command that meets a child that is not running is refused with a Fault that is safe to retry,
 * and `onRestarted` tells the owner to issue again what was not finished. Each child has its own supervisor and nothing is
 * shared between them.
 */
import { type BackOff, backOffMs } from "../core/back-off.ts";
import { Fault } from "../core/fault.ts";
import { Child, type ChildSpecification } from "./child.ts";

export type { ChildSpecification } from "./child.ts";

type Fields = { readonly [name: string]: unknown };

/** What the supervisor needs of a log; pino has this shape. */
export type SupervisorLog = {
  debug(fields: Fields, message: string): void;
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  error(fields: Fields, message: string): void;
};

export type ChildState =
  | { readonly kind: "stopped" }
  | { readonly kind: "starting" }
  | { readonly kind: "running"; readonly pid: number; readonly restarts: number }
  /** Not running; `failures` in a row, the last for `fault`; the next try comes in `waitMs`. */
  | {
      readonly kind: "restarting";
      readonly fault: Fault;
      readonly failures: number;
      readonly waitMs: number;
    };

/** The first restart is fast, 50 to 100 ms, so that a driver killed during a sale is hardly missed. */
const RESTART_BACK_OFF: BackOff = { firstMs: 75, factor: 3, maximumMs: 10_000, jitter: 1 / 3 };
/** A child that ran this long was well: the next failure counts as the first. */
const HEALTHY_AFTER_MS = 10_000;
/** Lines of a child's output that are kept for the log entry about its end. */
const LAST_LINES = 12;

export class SupervisedChild<Command, Event> {
  readonly #specification: ChildSpecification;
  readonly #log: SupervisorLog;
  readonly #random: () => number;
  readonly #events = new Set<(event: Event) => void>();
  readonly #states = new Set<(state: ChildState) => void>();
  readonly #restarted = new Set<() => void>();
  #child: Child<Command, Event> | null = null;
  #state: ChildState = { kind: "stopped" };
  #failures = 0;
  #restarts = 0;
  #hasRun = false;
  #openedAt = 0;
  #lastLines: string[] = [];
  #wait: NodeJS.Timeout | undefined;

  constructor(specification: ChildSpecification, log: SupervisorLog, random: () => number = Math.random) {
    this.#specification = specification;
    this.#log = log;
    this.#random = random;
  }

  get name(): string {
    return this.#specification.name;
  }

  get state(): ChildState {
    return this.#state;
  }

  /** Each returns a function that removes the listener. */
  onEvent(listener: (event: Event) => void): () => void {
    return subscribe(this.#events, listener);
  }

  onState(listener: (state: ChildState) => void): () => void {
    return subscribe(this.#states, listener);
  }

  /** Called when the child is open again after it had been lost: what it was asked and did not finish is forgotten. */
  onRestarted(listener: () => void): () => void {
    return subscribe(this.#restarted, listener);
  }

  /** Starts supervision and returns at once; the outcome is in the state. Started twice it does nothing. */
  start(): void {
    if (this.#state.kind === "stopped") this.#launch();
  }

  /** Resolves when the child is open. Rejects after `limitMs` with the Fault that kept it from opening. */
  whenRunning(limitMs: number): Promise<void> {
    if (this.#state.kind === "running") return Promise.resolve();
    return new Promise((resolve, reject) => {
      let last: Fault | null = this.#state.kind === "restarting" ? this.#state.fault : null;
      const stopListening = this.onState((state) => {
        if (state.kind === "restarting") last = state.fault;
        if (state.kind !== "running") return;
        stopListening();
        clearTimeout(timer);
        resolve();
      });
      const timer = setTimeout(() => {
        stopListening();
        reject(last ?? new Fault("time-out", `${this.name} did not open within ${limitMs} ms`));
      }, limitMs);
    });
  }

  /** As Child.command. While the child is not running it rejects at once with "process.exited", safe to retry. */
  command(command: Command, limitMs?: number): Promise<void> {
    if (this.#child === null)
      return Promise.reject(new Fault("process.exited", `${this.name} is not running`));
    return this.#child.command(command, limitMs);
  }

  /** As Child.tell: sends without waiting for an answer; false when it was dropped. */
  tell(command: Command): boolean {
    return this.#child?.tell(command) ?? false;
  }

  /** Resolves when the process is gone. It can be started again. */
  async stop(): Promise<void> {
    clearTimeout(this.#wait);
    const child = this.#child;
    this.#child = null;
    this.#failures = 0;
    this.#hasRun = false;
    this.#enter({ kind: "stopped" });
    await child?.close();
  }

  #launch(): void {
    const child: Child<Command, Event> = new Child<Command, Event>(this.#specification, {
      opened: () => this.#opened(child),
      event: (event) => {
        if (this.#child === child) for (const listener of this.#events) listener(event);
      },
      line: (text) => this.#line(text),
      ended: (fault) => this.#ended(child, fault),
    });
    this.#child = child;
    this.#lastLines = [];
    if (this.#failures === 0) this.#enter({ kind: "starting" });
    child.start();
    this.#log.debug({ child: this.name, pid: child.pid }, "child process started");
  }

  #opened(child: Child<Command, Event>): void {
    if (this.#child !== child) return;
    const again = this.#hasRun;
    this.#hasRun = true;
    this.#openedAt = performance.now();
    this.#enter({ kind: "running", pid: child.pid ?? 0, restarts: this.#restarts });
    this.#log.info({ child: this.name, pid: child.pid, restarts: this.#restarts }, "child process runs");
    if (again) for (const listener of this.#restarted) listener();
  }

  #ended(child: Child<Command, Event>, fault: Fault): void {
    if (this.#child !== child) return;
    this.#child = null;
    const wasWell = this.#state.kind === "running" && performance.now() - this.#openedAt >= HEALTHY_AFTER_MS;
    this.#failures = wasWell ? 1 : this.#failures + 1;
    this.#restarts++;
    const waitMs = Math.round(backOffMs(RESTART_BACK_OFF, this.#failures, this.#random()));
    this.#log.warn(
      {
        child: this.name,
        code: fault.code,
        fault: fault.message,
        failures: this.#failures,
        waitMs,
        output: this.#lastLines,
      },
      "child process ended; it will be started again",
    );
    // The timer is set before listeners run, so that a listener that stops the supervisor also stops the timer.
    this.#wait = setTimeout(() => this.#launch(), waitMs);
    this.#enter({ kind: "restarting", fault, failures: this.#failures, waitMs });
  }

  #line(text: string): void {
    this.#log.debug({ child: this.name, text }, "child process wrote");
    this.#lastLines = [...this.#lastLines, text].slice(-LAST_LINES);
  }

  #enter(state: ChildState): void {
    this.#state = state;
    for (const listener of this.#states) listener(state);
  }
}

function subscribe<Listener>(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
