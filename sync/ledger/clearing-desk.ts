/**
 * Carries out what terminals ask: the only place that moves a charge.
 *
 * - Every answer is true of what is on disk: it is made from a charge that was committed before.
 * - The row of an attempt is on disk before the gateway is called. A charge found unresolved after a crash is queried
 *   under its one gateway key; it is sent again, under the same key, only when the gateway says it never saw it.
 * - All work on one key is done in order, whether a terminal asked or the resolver.
 */
import type { LedgerOutcome, LedgerRequest } from "../../daemon/core/clearing.ts";
import { bodyHash } from "../wire.ts";
import type { Charge, Learnt } from "./charge.ts";
import { outcomeOf, UNRESOLVED } from "./charge.ts";
import type { Clock } from "./gateway-call.ts";
import { callGateway, understood } from "./gateway-call.ts";
import type {
  AuthoriseResult,
  Gateway,
  Order,
  Pending,
  QueryResult,
  ReverseResult,
} from "./gateways/gateway.ts";
import { SerialQueues } from "./serial-queues.ts";
import { type LedgerStorage, type Raise, RESOLVE_HORIZON_MS } from "./storage.ts";

type Authorise = Extract<LedgerRequest, { kind: "authorise" }>;

/** Largest single charge, in minor units: keeps every sum far inside 64 bits. */
export const MAX_CHARGE_MINOR = 1_000_000_000_000n;
/** Requests that may wait for one key. A terminal has one charge under way, so a handful is plenty. */
export const MAX_WAITING_PER_KEY = 16;
/** A charge that stays unresolved longer than this raises an alarm. */
export const PENDING_ALARM_AFTER_MS = 3_600_000;

export type Patience = {
  /** How long a call to the gateway may take. */
  readonly gatewayTimeoutMs: number;
  /** First wait before an unresolved charge is asked for again; doubles every time. */
  readonly firstRetryMs: number;
  readonly maxRetryMs: number;
};

export type DeskParts = {
  readonly storage: LedgerStorage;
  readonly gateway: Gateway;
  readonly clock: Clock;
  readonly patience: Patience;
  /** The merchant that a terminal sells for, undefined for a terminal that is not known. */
  readonly merchantOf: (terminal: string) => string | undefined;
};

export class ClearingDesk {
  readonly #parts: DeskParts;
  readonly #queues = new SerialQueues(MAX_WAITING_PER_KEY);

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  /** The outcome of one request; safe to call again with the same request at any time. */
  async handle(terminal: string, request: LedgerRequest): Promise<LedgerOutcome> {
    const merchant = this.#parts.merchantOf(terminal);
    if (merchant === undefined) {
      await this.#raise({ kind: "unknown-terminal", subject: terminal, detail: `asked to ${request.kind}` });
      return { kind: "refused", reason: "unknown-terminal" };
    }
    return this.#inOrder(terminal, request.key, async () => {
      switch (request.kind) {
        case "authorise":
          return this.#authorise(terminal, merchant, request);
        case "query":
          return this.#query(terminal, request.key, request.saleId);
        case "reverse":
          return this.#reverse(terminal, request.key, request.saleId);
      }
    });
  }

  /** Asks the gateway about a charge that is unresolved. Gives the charge afterwards. */
  async resolve(terminal: string, key: string): Promise<Charge | undefined> {
    return this.#inOrder(terminal, key, async () => {
      const charge = await this.#parts.storage.find(terminal, key);
      // Asked meanwhile, on behalf of the terminal, while this waited its turn: not again before its time.
      const waitMs = charge === undefined ? 0 : charge.nextResolveMs - this.#parts.clock.now();
      const early = waitMs > 0 && waitMs <= RESOLVE_HORIZON_MS;
      return charge === undefined || early ? charge : this.#resolved(charge);
    });
  }

  /** Resolves when nothing is under way. */
  async drained(): Promise<void> {
    await this.#queues.drained();
  }

  #inOrder<Result>(terminal: string, key: string, work: () => Promise<Result>): Promise<Result> {
    return this.#queues.run(`${terminal}\n${key}`, work);
  }

  async #authorise(terminal: string, merchant: string, request: Authorise): Promise<LedgerOutcome> {
    const { storage, gateway, clock, patience } = this.#parts;
    const mistake = this.#mistakeIn(request);
    if (mistake !== null) {
      await this.#raise({ kind: "invalid-request", subject: `${terminal} ${request.key}`, detail: mistake });
      return { kind: "refused", reason: "invalid" };
    }
    const opened = await storage.openCharge(
      {
        terminal,
        merchant,
        gateway: gateway.id,
        key: request.key,
        bodyHash: Buffer.from(bodyHash(request)).toString("hex"),
        saleId: request.saleId,
        sequence: request.sequence,
        amount: request.amount,
        vat: request.vat,
        card: request.card,
        mode: request.mode,
        lines: request.lines,
        timeMs: request.timeMs,
        // Later than the end of the first call: the resolver has no business with a charge that is under way.
        nextResolveMs: clock.now() + patience.gatewayTimeoutMs + patience.firstRetryMs,
      },
      clock.now(),
    );
    switch (opened.kind) {
      case "opened":
        return outcomeOf(await this.#send(opened.charge, opened.attempt));
      case "decided":
        return outcomeOf(opened.charge);
      case "known":
        return outcomeOf(await this.#resolved(opened.charge));
      case "conflict":
        return this.#conflict(terminal, request.key, "another body came under the key");
    }
  }

  async #query(terminal: string, key: string, saleId: string): Promise<LedgerOutcome> {
    const { storage } = this.#parts;
    const charge = await storage.find(terminal, key);
    if (charge === undefined) {
      return (await storage.isEntombed(terminal, key)) ? { kind: "reversed" } : { kind: "not-found" };
    }
    if (charge.saleId !== saleId) return this.#conflict(terminal, key, "asked for under another sale");
    return outcomeOf(await this.#resolved(charge));
  }

  /**
   * Nothing is charged under the key when this answers "reversed". A charge that was declined is answered the same
   * way, for the same is true of it.
   */
  async #reverse(terminal: string, key: string, saleId: string): Promise<LedgerOutcome> {
    const { storage, clock } = this.#parts;
    const charge = await storage.find(terminal, key);
    if (charge === undefined) {
      await storage.entomb(terminal, key, saleId, clock.now());
      return { kind: "reversed" };
    }
    if (charge.saleId !== saleId) return this.#conflict(terminal, key, "reversed under another sale");
    if (charge.state === "declined") return { kind: "reversed" };
    if (charge.state === "reversed") return outcomeOf(charge);
    const reversing =
      charge.state === "reversing" ? charge : await this.#settle(charge, { kind: "reversal-asked" }, null);
    return outcomeOf(await this.#sendReversal(reversing));
  }

  async #conflict(terminal: string, key: string, detail: string): Promise<LedgerOutcome> {
    await this.#raise({ kind: "key-conflict", subject: `${terminal} ${key}`, detail });
    return { kind: "refused", reason: "key-conflict" };
  }

  #mistakeIn(request: Authorise): string | null {
    const { amount, vat } = request;
    const { capabilities } = this.#parts.gateway;
    if (amount.minor <= 0n || amount.minor > MAX_CHARGE_MINOR) return `amount ${amount.minor}`;
    if (amount.minor < capabilities.minimumMinor)
      return `amount ${amount.minor} is below the gateway's minimum`;
    if (!/^[A-Z]{3}$/.test(amount.currency)) return "currency is no ISO 4217 code";
    if (capabilities.currencies !== "all" && !capabilities.currencies.includes(amount.currency)) {
      return `the gateway does not charge in ${amount.currency}`;
    }
    if (vat.currency !== amount.currency) return "VAT is in another currency";
    if (vat.minor < 0n || vat.minor > amount.minor) return `VAT ${vat.minor} of ${amount.minor}`;
    return null;
  }

  /** A charge whose outcome is known, or as much as the gateway tells now. */
  async #resolved(charge: Charge): Promise<Charge> {
    if (!UNRESOLVED.includes(charge.state)) return charge;
    if (charge.state === "reversing") return this.#sendReversal(charge);
    const { storage, gateway, clock } = this.#parts;
    const attempt = await storage.beginAttempt(charge, "query", clock.now());
    const answer = await this.#call((signal) => gateway.query(orderOf(charge), signal));
    const result = understood(answer, orderOf(charge));
    if (result.kind !== "not-found") return this.#learn(charge, attempt, result);
    const asked = await this.#settle(charge, { kind: "unknown" }, { id: attempt, result: "not-found" });
    return (await this.#maySendAgain(asked)) ? this.#sendAgain(asked) : asked;
  }

  /** Not-found means never charged only when no call can still be on its way, or sending twice charges once. */
  async #maySendAgain(charge: Charge): Promise<boolean> {
    const { storage, gateway, clock } = this.#parts;
    if (gateway.capabilities.idempotentAuthorise) return true;
    const sentMs = await storage.lastAuthoriseMs(charge);
    return sentMs === null || clock.now() - sentMs > gateway.capabilities.lateArrivalMs;
  }

  async #sendAgain(charge: Charge): Promise<Charge> {
    const { storage, clock } = this.#parts;
    return this.#send(charge, await storage.beginAttempt(charge, "authorise", clock.now()));
  }

  async #send(charge: Charge, attempt: number): Promise<Charge> {
    const { gateway } = this.#parts;
    const { cardToken } = charge;
    if (cardToken === null) throw new Error(`charge ${charge.id} is unresolved and has no card token`);
    const order = { ...orderOf(charge), cardToken, mode: charge.mode };
    const answer = await this.#call((signal) => gateway.authorise(order, signal));
    return this.#learn(charge, attempt, understood(answer, order));
  }

  async #sendReversal(charge: Charge): Promise<Charge> {
    const { storage, gateway, clock } = this.#parts;
    const attempt = await storage.beginAttempt(charge, "reverse", clock.now());
    const answer = await this.#call((signal) => gateway.reverse(orderOf(charge), signal));
    if (answer.kind === "success") {
      return this.#settle(charge, { kind: "reversed" }, { id: attempt, result: "success" });
    }
    const note = `${answer.kind}: ${answer.note}`;
    const closed = { id: attempt, result: note };
    // Only an explicit refusal leads on; what is not understood is asked for again.
    if (answer.kind !== "failure") return this.#settle(charge, { kind: "unknown" }, closed);
    const alarm: Raise = { kind: "gateway-refused-reversal", subject: subjectOf(charge), detail: note };
    const refused = await this.#settle(charge, { kind: "unknown" }, closed, [alarm]);
    return refused.authorisation === null ? refused : this.#sendRefund(refused);
  }

  /** A charge that cannot be voided any more, because it was settled, is given back in full. */
  async #sendRefund(charge: Charge): Promise<Charge> {
    const { storage, gateway, clock } = this.#parts;
    const attempt = await storage.beginAttempt(charge, "refund", clock.now());
    const order = { ...orderOf(charge), refundKey: `${charge.gatewayKey}-refund` };
    const answer = await this.#call((signal) => gateway.refund(order, signal));
    if (answer.kind === "success") {
      return this.#settle(charge, { kind: "reversed" }, { id: attempt, result: "success" });
    }
    return this.#settle(
      charge,
      { kind: "unknown" },
      { id: attempt, result: `${answer.kind}: ${answer.note}` },
    );
  }

  async #learn(charge: Charge, attempt: number, result: ReturnType<typeof understood>): Promise<Charge> {
    const close = (text: string): { id: number; result: string } => ({ id: attempt, result: text });
    switch (result.kind) {
      case "success":
        return this.#settle(
          charge,
          { kind: "approved", authorisation: result.authorisation },
          close("success"),
        );
      case "failure": {
        const alarm: Raise = { kind: "offline-declined", subject: subjectOf(charge), detail: result.reason };
        const alarms = charge.mode === "offline" ? [alarm] : [];
        return this.#settle(
          charge,
          { kind: "declined", reason: result.reason },
          close(result.reason),
          alarms,
        );
      }
      case "reversed":
        return this.#settle(charge, { kind: "reversed" }, close("reversed"));
      case "mismatch": {
        const alarm: Raise = { kind: "gateway-mismatch", subject: subjectOf(charge), detail: result.note };
        return this.#settle(charge, { kind: "unknown" }, close(`mismatch: ${result.note}`), [alarm]);
      }
      case "pending":
        return this.#settle(charge, { kind: "unknown" }, close(`pending: ${result.note}`));
      case "not-found":
        return this.#settle(charge, { kind: "unknown" }, close("not-found"));
    }
  }

  async #settle(
    charge: Charge,
    learnt: Learnt,
    attempt: { id: number; result: string } | null,
    alarms: readonly Raise[] = [],
  ): Promise<Charge> {
    const { storage, clock, patience } = this.#parts;
    const nowMs = clock.now();
    const waitMs = Math.min(
      patience.firstRetryMs * 2 ** Math.min(charge.resolveCount, 30),
      patience.maxRetryMs,
    );
    const stale = learnt.kind === "unknown" && nowMs - charge.receivedMs > PENDING_ALARM_AFTER_MS;
    const late: Raise = { kind: "pending-too-long", subject: subjectOf(charge), detail: charge.state };
    return storage.settle(charge, {
      learnt,
      attempt,
      nextResolveMs: nowMs + waitMs,
      alarms: stale ? [...alarms, late] : alarms,
      nowMs,
    });
  }

  #call<Result extends AuthoriseResult | QueryResult | ReverseResult>(
    call: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result | Pending> {
    return callGateway(this.#parts.clock, this.#parts.patience.gatewayTimeoutMs, call);
  }

  async #raise(alarm: Raise): Promise<void> {
    await this.#parts.storage.raise(alarm, this.#parts.clock.now());
  }
}

function orderOf(charge: Charge): Order {
  return {
    gatewayKey: charge.gatewayKey,
    merchant: charge.merchant,
    orderId: charge.saleId,
    amount: charge.amount,
  };
}

function subjectOf(charge: Charge): string {
  return `${charge.terminal} ${charge.key}`;
}
