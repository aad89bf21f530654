/**
 * Runs the procedures of clearing.ts on the real storage and gateway: every call to the gateway ends within its time,
 * work of one lane is done in order, lanes run side by side.
 */
import type { LedgerOutcome, LedgerRequest } from "../../daemon/core/clearing.ts";
import type { Charge } from "./charge.ts";
import { Clearing, type ClearingParts } from "./clearing.ts";
import type { Clock } from "./gateway-call.ts";
import { callGateway } from "./gateway-call.ts";
import type { Gateway } from "./gateways/gateway.ts";
import { fromStorage, type GatewayWant, type Job, type Procedure, perform, type Want } from "./procedure.ts";
import type { OutboxPlace } from "./registry.ts";
import { SerialQueues } from "./serial-queues.ts";
import type { LedgerStorage } from "./storage.ts";

/** Requests that may wait in one lane. A terminal has one charge under way, so a handful is plenty. */
export const MAX_WAITING_PER_LANE = 16;

export type DeskParts = Omit<ClearingParts, "gateway" | "now"> & {
  readonly storage: LedgerStorage;
  readonly gateway: Gateway;
  readonly clock: Clock;
};

export class ClearingDesk {
  readonly #parts: DeskParts;
  readonly #clearing: Clearing;
  readonly #lanes = new SerialQueues(MAX_WAITING_PER_LANE);

  constructor(parts: DeskParts) {
    this.#parts = parts;
    this.#clearing = new Clearing({ ...parts, now: parts.clock.now });
  }

  /** The outcome of one request; safe to call again with the same request at any time. */
  async handle(
    terminal: string,
    request: LedgerRequest,
    outbox: OutboxPlace | null = null,
  ): Promise<LedgerOutcome> {
    return this.#run(this.#clearing.request(terminal, request, outbox));
  }

  /** Asks the gateway about a charge that is unresolved. Gives the charge afterwards. */
  async resolve(terminal: string, key: string): Promise<Charge | undefined> {
    return this.#run(this.#clearing.resolve(terminal, key));
  }

  /** Makes everything unresolved due now; gives its number. */
  async wake(): Promise<number> {
    return this.#perform(this.#clearing.wake());
  }

  /** Asks the gateway about what is due, side by side. Gives how much that was; what went wrong goes to `onFault`. */
  async resolveDue(onFault: (fault: unknown) => void): Promise<number> {
    const due = await this.#perform(this.#clearing.due());
    const asked = await Promise.allSettled(due.map(async (job) => this.#run(job)));
    for (const result of asked) if (result.status === "rejected") onFault(result.reason);
    return due.length;
  }

  /** Resolves when nothing is under way. */
  async drained(): Promise<void> {
    await this.#lanes.drained();
  }

  async #run<Result>(job: Job<Result>): Promise<Result> {
    return this.#lanes.run(job.lane, async () => this.#perform(job.procedure));
  }

  async #perform<Result>(procedure: Procedure<Result>): Promise<Result> {
    return perform(procedure, async (want) => this.#meet(want));
  }

  async #meet(want: Want): Promise<unknown> {
    if (want.kind === "storage") return fromStorage(this.#parts.storage, want);
    const { clock, patience } = this.#parts;
    return callGateway(clock, patience.gatewayTimeoutMs, async (signal) => this.#ask(want, signal));
  }

  async #ask(want: GatewayWant, signal: AbortSignal) {
    const { gateway } = this.#parts;
    switch (want.operation) {
      case "authorise":
        return gateway.authorise(want.order, signal);
      case "query":
        return gateway.query(want.order, signal);
      case "reverse":
        return gateway.reverse(want.order, signal);
      case "refund":
        return gateway.refund(want.order, signal);
    }
  }
}
