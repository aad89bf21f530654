/**
 * Runs the procedures of clearing.ts one want at a time and without promises, for the simulator: it looks at what a
 * run wants, meets it (or crashes before or after), and resumes the run with the answer or with an error. Lanes are
 * kept as ClearingDesk keeps them. A crash of the ledger is forgetting the whole desk.
 */
import { MAX_WAITING_PER_LANE } from "./clearing-desk.ts";
import type { Job, Procedure, Want } from "./procedure.ts";

export type RunStatus<Result> =
  /** Behind earlier work of its lane. */
  | { readonly kind: "waiting" }
  | { readonly kind: "wanting"; readonly want: Want }
  | { readonly kind: "done"; readonly result: Result }
  | { readonly kind: "failed"; readonly error: unknown };

/** One procedure on its way. */
export class SteppedRun<Result> {
  readonly lane: string;
  readonly #procedure: Procedure<Result>;
  readonly #onEnd: () => void;
  #status: RunStatus<Result> = { kind: "waiting" };

  constructor(job: Job<Result>, onEnd: () => void) {
    this.lane = job.lane;
    this.#procedure = job.procedure;
    this.#onEnd = onEnd;
  }

  get status(): RunStatus<Result> {
    return this.#status;
  }

  /** What it wants now; undefined while it waits its turn and when it has ended. */
  get want(): Want | undefined {
    return this.#status.kind === "wanting" ? this.#status.want : undefined;
  }

  /** Its turn has come: goes as far as its first want. */
  start(): void {
    if (this.#status.kind !== "waiting") throw new Error(`a run that is ${this.#status.kind} cannot start`);
    this.#go(() => this.#procedure.next());
  }

  /** Meets what it wants with an answer. */
  resume(answer: unknown): void {
    this.#requireWant();
    this.#go(() => this.#procedure.next(answer));
  }

  /** Meets what it wants with an error, thrown where it waits. */
  fail(error: unknown): void {
    this.#requireWant();
    this.#go(() => this.#procedure.throw(error));
  }

  #requireWant(): void {
    if (this.#status.kind !== "wanting") throw new Error(`a run that is ${this.#status.kind} wants nothing`);
  }

  #go(step: () => IteratorResult<Want, Result>): void {
    try {
      const next = step();
      this.#status =
        next.done === true ? { kind: "done", result: next.value } : { kind: "wanting", want: next.value };
    } catch (error) {
      this.#status = { kind: "failed", error };
    }
    if (this.#status.kind !== "wanting") this.#onEnd();
  }
}

export class SteppedDesk {
  readonly #lanes = new Map<string, SteppedRun<unknown>[]>();

  /** Puts a job at the end of its lane; the first of a lane starts at once. Throws when the lane is full. */
  begin<Result>(job: Job<Result>): SteppedRun<Result> {
    const lane = this.#lanes.get(job.lane) ?? [];
    if (lane.length >= MAX_WAITING_PER_LANE) throw new Error(`queue ${job.lane} is full`);
    const run = new SteppedRun<Result>(job, () => this.#leave(job.lane));
    lane.push(run);
    this.#lanes.set(job.lane, lane);
    if (lane.length === 1) run.start();
    return run;
  }

  /** The runs that want something now, in the order in which their lanes were entered. */
  wanting(): readonly SteppedRun<unknown>[] {
    return [...this.#lanes.values()].flatMap((lane) => lane.slice(0, 1));
  }

  /** Whether nothing is under way. */
  get idle(): boolean {
    return this.#lanes.size === 0;
  }

  #leave(name: string): void {
    const lane = this.#lanes.get(name) ?? [];
    lane.shift();
    const next = lane[0];
    if (next === undefined) this.#lanes.delete(name);
    else next.start();
  }
}
