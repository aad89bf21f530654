/**
 * What the ledger does with each request of a terminal, as procedures (procedure.ts): the only place that moves a
 * charge. ClearingDesk runs them on real storage and gateways, the simulator step by step.
 *
 * - Every answer is true of what is on disk: it is made from a charge that was committed before.
 * - The row of an attempt is on disk before the gateway is called. A charge found unresolved after a crash is queried
 *   under its one gateway key; it is sent again, under the same key, only when the gateway says it never saw it.
 * - All work in one lane (one key of one terminal) is done in order, whether a terminal asked or the resolver.
 */
import type { LedgerOutcome, LedgerRequest } from "../../daemon/core/clearing.ts";
import { bodyHash } from "../wire.ts";
import type { Charge } from "./charge.ts";
import { outcomeOf, UNRESOLVED } from "./charge.ts";
import { understood, understoodReturn } from "./gateway-call.ts";
import type { Gateway, Order } from "./gateways/gateway.ts";
import {
  isEarly,
  MAX_CHARGE_MINOR,
  type Patience,
  PENDING_ALARM_AFTER_MS,
  RESOLVER_BATCH,
  retryWaitMs,
} from "./patience.ts";
import { called, type Job, type Procedure, stored } from "./procedure.ts";
import { Refunding } from "./refunding.ts";
import type { OutboxPlace, Sender } from "./registry.ts";
import type { Raise, Settlement } from "./storage.ts";

type Authorise = Extract<LedgerRequest, { kind: "authorise" }>;
type Reverse = Extract<LedgerRequest, { kind: "reverse" }>;

export type ClearingParts = {
  readonly gateway: Pick<Gateway, "id" | "capabilities">;
  readonly now: () => number;
  readonly patience: Patience;
  /** The merchant that a terminal sells for, undefined for a terminal that is not known. */
  readonly merchantOf: (terminal: string) => string | undefined;
  /** Whether a card is on the deny list; asked at every new charge. Left out: no card is. */
  readonly isDenied?: (cardToken: string) => boolean;
};

export class Clearing {
  readonly #parts: ClearingParts;
  readonly #refunding: Refunding;

  constructor(parts: ClearingParts) {
    this.#parts = parts;
    const { gateway, now, patience } = parts;
    this.#refunding = new Refunding({ partialRefund: gateway.capabilities.partialRefund, now, patience });
  }

  /** The outcome of one request; safe to do again with the same request at any time. */
  request(terminal: string, request: LedgerRequest, outbox: OutboxPlace | null = null): Job<LedgerOutcome> {
    return { lane: laneOf(terminal, request.key), procedure: this.#answer(terminal, request, outbox) };
  }

  /** Asks the gateway about a charge that is unresolved. Gives the charge afterwards. */
  resolve(terminal: string, key: string): Job<Charge | undefined> {
    return { lane: laneOf(terminal, key), procedure: this.#resolve(terminal, key) };
  }

  /** What the resolver has to do now, longest due first. */
  *due(): Procedure<readonly Job<unknown>[]> {
    const { now } = this.#parts;
    const charges = yield* stored("due", now(), RESOLVER_BATCH);
    const refunds = yield* stored("dueRefunds", now(), RESOLVER_BATCH);
    return [
      ...charges.map(({ terminal, key }) => this.resolve(terminal, key)),
      ...refunds.map(({ terminal, key }) => ({
        lane: laneOf(terminal, key),
        procedure: this.#refunding.resolve(terminal, key),
      })),
    ];
  }

  /** After a start no call of an earlier life is still waited for: everything unresolved is due. Gives its number. */
  *wake(): Procedure<number> {
    return yield* stored("makeAllDue", this.#parts.now());
  }

  *#answer(terminal: string, request: LedgerRequest, outbox: OutboxPlace | null): Procedure<LedgerOutcome> {
    const merchant = this.#parts.merchantOf(terminal);
    if (merchant === undefined) {
      yield* this.#raise({
        kind: "unknown-terminal",
        subject: terminal,
        detail: `asked to ${request.kind}`,
      });
      return { kind: "refused", reason: "unknown-terminal" };
    }
    switch (request.kind) {
      case "authorise":
        return yield* this.#authorise({ terminal, merchant, outbox }, request);
      case "query":
        return yield* this.#query(terminal, request.key, request.saleId);
      case "reverse":
        return yield* this.#reverse(terminal, request);
      case "honour":
        return yield* this.#honour(terminal, request.key, request.saleId);
      case "refund":
        return yield* this.#refunding.answer({ terminal, merchant, outbox }, request);
    }
  }

  *#resolve(terminal: string, key: string): Procedure<Charge | undefined> {
    const charge = yield* stored("find", terminal, key);
    // Asked meanwhile, on behalf of the terminal, while this waited its turn: not again before its time.
    if (charge === undefined || isEarly(charge.nextResolveMs, this.#parts.now())) return charge;
    return yield* this.#resolved(charge);
  }

  *#authorise(from: Sender, request: Authorise): Procedure<LedgerOutcome> {
    const { terminal, merchant, outbox } = from;
    const { gateway, now, patience } = this.#parts;
    const mistake = this.#mistakeIn(request);
    if (mistake !== null) {
      yield* this.#raise({ kind: "invalid-request", subject: `${terminal} ${request.key}`, detail: mistake });
      return { kind: "refused", reason: "invalid" };
    }
    const opened = yield* stored(
      "openCharge",
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
        denied: this.#isDenied(request),
        outbox,
        mode: request.mode,
        lines: request.lines,
        timeMs: request.timeMs,
        // Later than the end of the first call: the resolver has no business with a charge that is under way.
        nextResolveMs: now() + patience.gatewayTimeoutMs + patience.firstRetryMs,
      },
      now(),
    );
    switch (opened.kind) {
      case "opened":
        return outcomeOf(yield* this.#send(opened.charge, opened.attempt));
      case "decided":
        return outcomeOf(opened.charge);
      case "known":
        return outcomeOf(yield* this.#resolved(opened.charge));
      case "conflict":
        return yield* this.#conflict(terminal, request.key, "another body came under the key");
    }
  }

  /** Offline the goods are gone: the gateway is asked all the same, for it may pay. */
  #isDenied({ mode, card }: Authorise): boolean {
    return mode === "online" && (this.#parts.isDenied?.(card.token) ?? false);
  }

  *#query(terminal: string, key: string, saleId: string): Procedure<LedgerOutcome> {
    const charge = yield* stored("find", terminal, key);
    if (charge === undefined) {
      return (yield* stored("isEntombed", terminal, key)) ? { kind: "reversed" } : { kind: "not-found" };
    }
    if (charge.saleId !== saleId) return yield* this.#conflict(terminal, key, "asked for under another sale");
    return outcomeOf(yield* this.#resolved(charge));
  }

  /** The goods are gone: from now on a refusal of the gateway is the shop's claim. Answered like a query. */
  *#honour(terminal: string, key: string, saleId: string): Procedure<LedgerOutcome> {
    const charge = yield* stored("find", terminal, key);
    if (charge === undefined || charge.saleId === saleId) {
      yield* stored("honour", terminal, key, saleId, this.#parts.now());
    }
    return yield* this.#query(terminal, key, saleId);
  }

  /**
   * Nothing is charged under the key when this answers "reversed". A charge that was declined is answered the same
   * way, for the same is true of it, but not to staff who wants to give its money back: there is none. Nor is there any of
   * a charge that never came here: should it be one that these books have lost, nobody may say that its money goes back.
   * A charge of which something was given back, or may have been, is not reversed.
   */
  *#reverse(terminal: string, { key, saleId, reason }: Reverse): Procedure<LedgerOutcome> {
    const nothing: LedgerOutcome =
      reason === "void" ? { kind: "refund-refused", reason: "not-charged" } : { kind: "reversed" };
    const found = yield* stored("find", terminal, key);
    if (found === undefined && (yield* stored("entomb", terminal, key, saleId, this.#parts.now()))) {
      return nothing;
    }
    // Not entombed: another worker has stored the charge since.
    const charge = found ?? (yield* stored("find", terminal, key));
    if (charge === undefined) throw new Error(`${terminal} ${key} is neither a charge nor entombed`);
    if (charge.saleId !== saleId) return yield* this.#conflict(terminal, key, "reversed under another sale");
    if (charge.state === "declined") return nothing;
    if (charge.state === "reversed") return outcomeOf(charge);
    if (charge.state === "reversing") return outcomeOf(yield* this.#sendReversal(charge));
    const { now, patience } = this.#parts;
    const nextResolveMs = now() + patience.gatewayTimeoutMs + patience.firstRetryMs;
    const asked = yield* stored("askReversal", charge, nextResolveMs, now());
    if (asked.kind === "refunded") return { kind: "refund-refused", reason: "partly-refunded" };
    return outcomeOf(yield* this.#sendReversal(asked.charge));
  }

  *#conflict(terminal: string, key: string, detail: string): Procedure<LedgerOutcome> {
    yield* this.#raise({ kind: "key-conflict", subject: `${terminal} ${key}`, detail });
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
  *#resolved(charge: Charge): Procedure<Charge> {
    if (!UNRESOLVED.includes(charge.state)) return charge;
    if (charge.state === "reversing") return yield* this.#sendReversal(charge);
    const queriedMs = this.#parts.now();
    const attempt = yield* stored("beginAttempt", charge, "query", queriedMs);
    const order = orderOf(charge);
    const result = understood(yield* called("query", order), order);
    if (result.kind !== "not-found") return yield* this.#learn(charge, attempt, result);
    const asked = yield* this.#settle(charge, { kind: "unknown" }, { id: attempt, result: "not-found" });
    // Not-found means never charged only when no call was still on its way at the time of the question, or when sending
    // twice charges once.
    const { idempotentAuthorise, lateArrivalMs } = this.#parts.gateway.capabilities;
    const sentBeforeMs = idempotentAuthorise ? null : queriedMs - lateArrivalMs;
    const again = yield* stored("beginResend", asked, sentBeforeMs, this.#parts.now());
    return again === null ? asked : yield* this.#send(asked, again);
  }

  *#send(charge: Charge, attempt: number): Procedure<Charge> {
    const { cardToken } = charge;
    if (cardToken === null) throw new Error(`charge ${charge.id} is unresolved and has no card token`);
    const order = { ...orderOf(charge), cardToken, mode: charge.mode };
    return yield* this.#learn(charge, attempt, understood(yield* called("authorise", order), order));
  }

  *#sendReversal(charge: Charge): Procedure<Charge> {
    const attempt = yield* stored("beginAttempt", charge, "reverse", this.#parts.now());
    const answer = understoodReturn(yield* called("reverse", orderOf(charge)));
    if (answer.kind === "success") {
      return yield* this.#settle(charge, { kind: "reversed" }, { id: attempt, result: "success" });
    }
    const note = `${answer.kind}: ${answer.note}`;
    const closed = { id: attempt, result: note };
    // Only an explicit refusal leads on; what is not understood is asked for again.
    if (answer.kind !== "failure") return yield* this.#settle(charge, { kind: "unknown" }, closed);
    const alarm: Raise = { kind: "gateway-refused-reversal", subject: subjectOf(charge), detail: note };
    const refused = yield* this.#settle(charge, { kind: "unknown" }, closed, [alarm]);
    return refused.authorisation === null ? yield* this.#findOut(refused) : yield* this.#sendBack(refused);
  }

  /**
   * The gateway does not take back a charge that the ledger never heard the approval of: it has charged and settled.
   * Only its own word about that says what there is to give back.
   */
  *#findOut(charge: Charge): Procedure<Charge> {
    const attempt = yield* stored("beginAttempt", charge, "query", this.#parts.now());
    const order = orderOf(charge);
    const result = understood(yield* called("query", order), order);
    if (result.kind === "success") {
      const { authorisation } = result;
      const closed = { id: attempt, result: "success" };
      return yield* this.#sendBack(yield* this.#settle(charge, { kind: "approved", authorisation }, closed));
    }
    // The gateway's own word that nothing is charged and nothing will be: there was nothing to take back.
    if (result.kind === "failure" || result.kind === "reversed") {
      return yield* this.#settle(charge, { kind: "reversed" }, { id: attempt, result: result.kind });
    }
    return yield* this.#settle(charge, { kind: "unknown" }, { id: attempt, result: result.kind });
  }

  /** A charge that cannot be voided any more, because it was settled, is given back in full. */
  *#sendBack(charge: Charge): Procedure<Charge> {
    const attempt = yield* stored("beginAttempt", charge, "refund", this.#parts.now());
    const order = { ...orderOf(charge), refundKey: `${charge.gatewayKey}-refund` };
    const answer = understoodReturn(yield* called("refund", order));
    if (answer.kind === "success") {
      return yield* this.#settle(charge, { kind: "reversed" }, { id: attempt, result: "success" });
    }
    const result = `${answer.kind}: ${answer.note}`;
    return yield* this.#settle(charge, { kind: "unknown" }, { id: attempt, result });
  }

  *#learn(charge: Charge, attempt: number, result: ReturnType<typeof understood>): Procedure<Charge> {
    const close = (text: string): { id: number; result: string } => ({ id: attempt, result: text });
    switch (result.kind) {
      case "success": {
        const { authorisation } = result;
        return yield* this.#settle(charge, { kind: "approved", authorisation }, close("success"));
      }
      case "failure": {
        const { reason } = result;
        return yield* this.#settle(
          charge,
          { kind: "declined", reason },
          close(reason),
          unpaid(charge, reason),
        );
      }
      case "reversed": {
        const alarms = unpaid(charge, "reversed at the gateway");
        return yield* this.#settle(charge, { kind: "reversed" }, close("reversed"), alarms);
      }
      case "mismatch": {
        const alarm: Raise = { kind: "gateway-mismatch", subject: subjectOf(charge), detail: result.note };
        return yield* this.#settle(charge, { kind: "unknown" }, close(`mismatch: ${result.note}`), [alarm]);
      }
      case "pending":
        return yield* this.#settle(charge, { kind: "unknown" }, close(`pending: ${result.note}`));
      case "not-found":
        return yield* this.#settle(charge, { kind: "unknown" }, close("not-found"));
    }
  }

  *#settle(
    charge: Charge,
    learnt: Settlement["learnt"],
    attempt: { id: number; result: string },
    alarms: readonly Raise[] = [],
  ): Procedure<Charge> {
    const nowMs = this.#parts.now();
    const stale = learnt.kind === "unknown" && nowMs - charge.receivedMs > PENDING_ALARM_AFTER_MS;
    const late: Raise = { kind: "pending-too-long", subject: subjectOf(charge), detail: charge.state };
    return yield* stored("settle", charge, {
      learnt,
      attempt,
      nextResolveMs: nowMs + retryWaitMs(charge.resolveCount, this.#parts.patience),
      alarms: stale ? [...alarms, late] : alarms,
      nowMs,
    });
  }

  *#raise(alarm: Raise): Procedure<void> {
    yield* stored("raise", alarm, this.#parts.now());
  }
}

/** Work of one key of one terminal is done in order; different keys side by side. */
function laneOf(terminal: string, key: string): string {
  return `${terminal}\n${key}`;
}

function orderOf(charge: Charge): Order {
  return {
    gatewayKey: charge.gatewayKey,
    merchant: charge.merchant,
    orderId: charge.saleId,
    amount: charge.amount,
  };
}

/** The goods of an offline sale are gone: somebody has to know that they are not paid. */
function unpaid(charge: Charge, detail: string): readonly Raise[] {
  return charge.mode === "offline" ? [{ kind: "offline-declined", subject: subjectOf(charge), detail }] : [];
}

function subjectOf(charge: Charge): string {
  return `${charge.terminal} ${charge.key}`;
}
