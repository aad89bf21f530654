/**
 * The ledger's side: one database that several workers share, each running the real procedures (sync/ledger/clearing.ts)
 * one step at a time. A worker may die between any two steps; what it was doing is forgotten, what it stored is not.
 * Terminals are spread over the workers that live; each worker handles one request of a terminal after the other, as
 * sync/ledger/terminal-link.ts does.
 */
import type { LedgerOutcome } from "../../daemon/core/clearing.ts";
import { Fault } from "../../daemon/core/fault.ts";
import { Clearing } from "../../sync/ledger/clearing.ts";
import type { MemoryBooks } from "../../sync/ledger/memory-books.ts";
import { MemoryLedgerStorage } from "../../sync/ledger/memory-storage.ts";
import { fromStorage, type Procedure, type StorageWant } from "../../sync/ledger/procedure.ts";
import { Reception } from "../../sync/ledger/reception.ts";
import { SteppedDesk, type SteppedRun } from "../../sync/ledger/stepped-desk.ts";
import {
  buildDenyList,
  decodeUp,
  denyHash,
  encodeDenyList,
  type GreetingAnswer,
  type RecallAnswer,
  type RequestMessage,
  type UpMessage,
} from "../../sync/wire.ts";
import { SimClock, WORLD_BEGINS_MS } from "./clock.ts";
import type { FaultPlace } from "./faults.ts";
import { hashOf, Random } from "./random.ts";
import { CHEAP_SEAL, REAL_SEAL, type Seal, SIGNING_KEY } from "./seal.ts";
import type { Spoiled } from "./seams.ts";
import type { World } from "./world.ts";

const GATEWAY_TIMEOUT_MS = 6_000;
const PATIENCE = { gatewayTimeoutMs: GATEWAY_TIMEOUT_MS, firstRetryMs: 1_000, maxRetryMs: 600_000 };
/** Between two looks at what is unresolved. */
const RESOLVE_EVERY_MS = 12_000;
/** Requests of one terminal that may wait, as in terminal-link.ts. */
const WAITING_PER_TERMINAL = 64;
export const MERCHANT = "cafe";
const NO_ANSWER = { kind: "pending", note: "no answer in time" };

export class SimLedger {
  readonly books: MemoryBooks;
  readonly seal: Seal;
  readonly database: MemoryLedgerStorage;
  readonly #workers: Worker[] = [];
  readonly #deniedTokens = new Set<string>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    this.books = world.books;
    this.seal = world.plan.history === "kept" ? REAL_SEAL : CHEAP_SEAL;
    this.database = new MemoryLedgerStorage(this.books);
    this.database.open();
    for (let number = 1; number <= world.plan.workers; number += 1)
      this.#workers.push(new Worker(world, this, `worker-${number}`));
  }

  start(): void {
    for (const worker of this.#workers) worker.start();
  }

  get idle(): boolean {
    return this.#workers.every((worker) => worker.idle) && this.books.unresolved.size === 0;
  }

  /** A request from the broker, for whichever worker has this terminal now. */
  arrived(terminal: string, bytes: Uint8Array): void {
    const living = this.#workers.filter((worker) => worker.alive);
    living[Math.abs(hashOf(terminal)) % living.length]?.arrived(terminal, bytes);
  }

  /** The bank says that something happened to a charge: a hint to ask for it, believed by nobody. */
  noticed(gatewayKey: string): void {
    const charge = this.books.charges.findLast((known) => known.gatewayKey === gatewayKey);
    const living = this.#workers.filter((worker) => worker.alive);
    if (charge === undefined) return;
    living[Math.abs(hashOf(charge.terminal)) % living.length]?.noticed(charge.terminal, charge.key);
  }

  presenceChanged(): void {
    this.#world.network.ledgerOnline(this.#workers.some((worker) => worker.alive));
  }

  /** Puts a card on the deny list and publishes the list to every terminal, as sync/ledger/deny-desk.ts does. */
  deny(token: string): void {
    const card = Buffer.from(denyHash(token)).toString("hex");
    if (this.books.denied.has(card)) return;
    const denied = { card, masked: null, reason: "stolen", by: "simulation" };
    const version = this.database.deny(denied, WORLD_BEGINS_MS + this.#world.scheduler.nowMs);
    this.#deniedTokens.add(token);
    const list = buildDenyList(
      version,
      [...this.books.denied.keys()].map((hash) => Buffer.from(hash, "hex")),
    );
    for (const { terminal } of this.#world.machines)
      this.#world.network.retain(terminal, encodeDenyList(terminal, list, SIGNING_KEY));
  }

  readonly isDenied = (token: string): boolean => this.#deniedTokens.has(token);
}

type Waiting = { readonly message: UpMessage; readonly mark: string };

class Worker {
  readonly #world: World;
  readonly #ledger: SimLedger;
  readonly #name: string;
  readonly #faults: FaultPlace;
  readonly #random: Random;
  readonly #clock: SimClock;
  readonly #spoiled: Spoiled;
  /** Counts the lives: what belongs to an earlier one does nothing any more. */
  #life = 0;
  #alive = false;
  #desk = new SteppedDesk();
  #clearing: Clearing;
  #reception: Reception;
  #queues = new Map<string, Waiting[]>();
  #marks = new Set<string>();
  #ends = new Map<SteppedRun<unknown>, (run: SteppedRun<unknown>) => void>();
  #lanes = new Map<string, SteppedRun<unknown>[]>();

  constructor(world: World, ledger: SimLedger, name: string) {
    this.#world = world;
    this.#ledger = ledger;
    this.#name = name;
    this.#faults = world.faults.at(name);
    this.#random = new Random(world.plan.seed, name);
    // What a gateway without idempotency promises (lateArrivalMs) is measured with the ledger's own clock.
    this.#clock = new SimClock(
      world.scheduler,
      world.plan.gatewayIdempotent ? this.#faults : world.faults.at("right clock"),
    );
    this.#spoiled = world.spoiledAt(name, this.#clock.now);
    this.#clearing = this.#makeClearing();
    this.#reception = this.#makeReception();
  }

  get alive(): boolean {
    return this.#alive;
  }

  get idle(): boolean {
    return this.#marks.size === 0 && this.#desk.idle;
  }

  start(): void {
    this.#life += 1;
    this.#alive = true;
    this.#desk = new SteppedDesk();
    this.#clearing = this.#makeClearing();
    this.#reception = this.#makeReception();
    this.#queues = new Map();
    this.#marks = new Set();
    this.#ends = new Map();
    this.#lanes = new Map();
    this.#world.note(this.#name, "starts");
    this.#begin({ lane: "wake", procedure: this.#clearing.wake() }, () => this.#lookAround());
    this.#ledger.presenceChanged();
  }

  arrived(terminal: string, bytes: Uint8Array): void {
    let read: UpMessage;
    try {
      read = decodeUp(bytes);
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      this.#ledger.database.bury(
        { topic: terminal, payload: bytes, reason: fault.message },
        this.#clock.now(),
      );
      return;
    }
    const message =
      read.kind === "request" ? (this.#world.seams.request?.(read, this.#spoiled) ?? read) : read;
    const mark = `${terminal}\n${message.kind === "request" ? message.requestId : message.nonce}`;
    if (this.#marks.has(mark)) return;
    const queue = this.#queues.get(terminal) ?? [];
    if (queue.length >= WAITING_PER_TERMINAL) return;
    this.#marks.add(mark);
    queue.push({ message, mark });
    this.#queues.set(terminal, queue);
    if (queue.length === 1) this.#next(terminal);
  }

  noticed(terminal: string, key: string): void {
    try {
      this.#begin(this.#clearing.resolve(terminal, key), () => undefined);
    } catch {
      // The lane is full: the resolver will come round.
    }
  }

  #next(terminal: string): void {
    const waiting = this.#queues.get(terminal)?.[0];
    if (waiting === undefined) return;
    const { message } = waiting;
    const served = (): void => {
      this.#marks.delete(waiting.mark);
      this.#queues.get(terminal)?.shift();
      this.#next(terminal);
    };
    try {
      if (message.kind === "request") this.#serve(message, served);
      else this.#receive(message, served);
    } catch (error) {
      this.#world.note(this.#name, "lane is full", String(error));
      served();
    }
  }

  #serve(message: RequestMessage, served: () => void): void {
    const { terminal, request, position } = message;
    this.#world.seams.received?.(message, (outcome) => this.#answer(message, outcome), this.#spoiled);
    const place = this.#reception.placeOf(terminal, position);
    this.#begin(this.#clearing.request(terminal, request, place), (run) => {
      if (run.status.kind === "done") this.#answer(message, run.status.result as LedgerOutcome);
      served();
    });
  }

  /** A greeting, or a question for what the ledger remembers. */
  #receive(message: Exclude<UpMessage, RequestMessage>, served: () => void): void {
    const { terminal } = message;
    const procedure: Procedure<unknown> =
      message.kind === "greeting"
        ? this.#reception.greet(terminal, message)
        : this.#reception.recall(terminal, message);
    this.#begin({ lane: `reception\n${terminal}`, procedure }, (run) => {
      const answer = run.status.kind === "done" ? run.status.result : undefined;
      if (answer !== undefined) {
        const said = answer as GreetingAnswer | RecallAnswer;
        this.#world.note(
          this.#name,
          "greets",
          `${terminal} ${said.kind === "greeted" ? said.verdict : "recalled"}`,
        );
        this.#world.network.down(terminal, this.#ledger.seal.seal(terminal, said));
      }
      served();
    });
  }

  #answer(message: RequestMessage, outcome: LedgerOutcome): void {
    const { terminal, request } = message;
    const told = this.#world.seams.reply?.(outcome, message, this.#spoiled) ?? outcome;
    this.#world.note(this.#name, "answers", `${terminal} ${message.requestId.slice(-22)} ${told.kind}`);
    this.#world.watched((watch) => watch.answered?.(terminal, request, told));
    const { requestId } = message;
    const bytes = this.#ledger.seal.seal(terminal, {
      kind: "answer",
      answer: { requestId, key: request.key, outcome: told },
    });
    this.#world.watched((watch) => watch.onWire?.(terminal, bytes));
    this.#world.network.down(terminal, bytes);
  }

  /** The resolver: what is due, side by side, then again after a while. */
  #lookAround(): void {
    this.#after(RESOLVE_EVERY_MS, () => {
      const procedure: Procedure<unknown> = this.#clearing.due();
      this.#begin({ lane: "due", procedure }, (run) => {
        this.#lookAround();
        if (run.status.kind !== "done") return;
        for (const job of run.status.result as ReturnType<Clearing["resolve"]>[]) {
          try {
            this.#begin(job, () => undefined);
          } catch {
            // The lane is full: somebody is at this charge already.
          }
        }
      });
    });
  }

  #begin(
    job: { readonly lane: string; readonly procedure: Procedure<unknown> },
    ended: (run: SteppedRun<unknown>) => void,
  ): void {
    const run = this.#desk.begin(job);
    this.#ends.set(run, ended);
    const lane = this.#lanes.get(job.lane);
    if (lane === undefined) this.#lanes.set(job.lane, [run]);
    else lane.push(run);
    this.#advance(run);
  }

  /** Meets what a run wants next, a little later; a run that ended makes room for the next of its lane. */
  #advance(run: SteppedRun<unknown>): void {
    const { want } = run;
    if (want !== undefined) {
      if (want.kind === "gateway") return this.#callGateway(run, want);
      this.#after(this.#random.whole(0, 3), () => this.#store(run, want));
      return;
    }
    if (run.status.kind === "waiting") return;
    const lane = this.#lanes.get(run.lane);
    lane?.shift();
    const next = lane?.[0];
    if (next === undefined) this.#lanes.delete(run.lane);
    const ended = this.#ends.get(run);
    this.#ends.delete(run);
    if (run.status.kind === "failed")
      this.#world.note(this.#name, "a procedure failed", String(run.status.error));
    ended?.(run);
    if (next !== undefined) this.#advance(next);
  }

  #store(run: SteppedRun<unknown>, want: StorageWant): void {
    if (this.#faults.strikes("worker-crash")) return this.#crash();
    if (this.#faults.strikes("write-failed")) {
      run.fail(new Error("database is full"));
      return this.#advance(run);
    }
    const meet = (given: StorageWant): unknown => fromStorage(this.#ledger.database, given);
    const spoiled = this.#world.seams.storage?.(meet, this.#spoiled) ?? meet;
    let answer: unknown;
    try {
      answer = spoiled(want);
    } catch (error) {
      run.fail(error);
      return this.#advance(run);
    }
    this.#world.watched((watch) => watch.stored?.(want, answer));
    if (this.#faults.strikes("worker-crash")) return this.#crash();
    run.resume(answer);
    this.#advance(run);
  }

  #callGateway(run: SteppedRun<unknown>, want: Parameters<World["bank"]["call"]>[0]): void {
    let answered = false;
    const life = this.#life;
    const answer = (result: unknown): void => {
      if (answered || life !== this.#life || !this.#alive) return;
      answered = true;
      run.resume(result);
      this.#advance(run);
    };
    this.#world.note(this.#name, `gateway ${want.operation}`, want.order.orderId.slice(0, 8));
    this.#after(GATEWAY_TIMEOUT_MS, () => answer(NO_ANSWER));
    const call = (given: typeof want, told: (result: unknown) => void): void =>
      this.#world.bank.call(given, told);
    (this.#world.seams.gateway?.(call, this.#spoiled) ?? call)(want, answer);
  }

  #crash(): void {
    this.#world.note(this.#name, "dies");
    this.#alive = false;
    this.#life += 1;
    this.#ledger.presenceChanged();
    this.#world.scheduler.after(this.#random.spread(500, 60_000), () => this.start());
  }

  #after(ms: number, work: () => void): void {
    const life = this.#life;
    this.#world.scheduler.after(ms, () => {
      if (life === this.#life) work();
    });
  }

  #makeClearing(): Clearing {
    const { bank } = this.#world;
    return new Clearing({
      gateway: { id: "bank", capabilities: bank.capabilities },
      now: this.#clock.now,
      patience: PATIENCE,
      merchantOf: () => MERCHANT,
      isDenied: this.#ledger.isDenied,
    });
  }

  #makeReception(): Reception {
    return new Reception({ now: this.#clock.now, merchantOf: () => MERCHANT });
  }
}
