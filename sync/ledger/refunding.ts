/**
 * Giving money back, as procedures (procedure.ts).
 *
 * - The amount is reserved and the attempt stored, in one operation, before the gateway is called.
 * - A refund found unresolved is asked for again under its one refund key, which the gateway carries out once: that is
 *   the query and the repetition in one.
 * - Only what the gateway said explicitly is an outcome; a refusal is for good.
 */
import type { LedgerOutcome, LedgerRequest } from "../../daemon/core/clearing.ts";
import { understoodReturn } from "./gateway-call.ts";
import type { RefundOrder } from "./gateways/gateway.ts";
import { isEarly, MAX_CHARGE_MINOR, type Patience, PENDING_ALARM_AFTER_MS, retryWaitMs } from "./patience.ts";
import { called, type Procedure, stored } from "./procedure.ts";
import type { Refund, RefundLearnt } from "./refund.ts";
import { refundOutcomeOf, UNRESOLVED_REFUND } from "./refund.ts";
import type { Sender } from "./registry.ts";
import type { Raise } from "./storage.ts";

type RefundRequest = Extract<LedgerRequest, { kind: "refund" }>;

export type RefundingParts = {
  /** Whether the gateway gives back a part of a charge. */
  readonly partialRefund: boolean;
  readonly now: () => number;
  readonly patience: Patience;
};

export class Refunding {
  readonly #parts: RefundingParts;

  constructor(parts: RefundingParts) {
    this.#parts = parts;
  }

  *answer({ terminal, merchant, outbox }: Sender, request: RefundRequest): Procedure<LedgerOutcome> {
    const { partialRefund, now, patience } = this.#parts;
    const { key, saleId, amount, timeMs } = request;
    if (amount.minor <= 0n || amount.minor > MAX_CHARGE_MINOR) {
      return yield* this.#invalid(terminal, key, `refund of ${amount.minor}`);
    }
    // Later than the end of the first call: the resolver has no business with a refund that is under way.
    const nextResolveMs = now() + patience.gatewayTimeoutMs + patience.firstRetryMs;
    const fresh = { terminal, merchant, key, saleId, amount, partialRefund, timeMs, outbox, nextResolveMs };
    const opened = yield* stored("openRefund", fresh, now());
    switch (opened.kind) {
      case "opened":
        return refundOutcomeOf(yield* this.#send(opened.refund, opened.attempt));
      case "decided":
        return refundOutcomeOf(opened.refund);
      case "known":
        return refundOutcomeOf(yield* this.#resolved(opened.refund));
      case "undecided":
        return { kind: "pending" };
      case "other-currency":
        return yield* this.#invalid(terminal, key, `refund in ${amount.currency} of sale ${saleId}`);
      case "conflict": {
        const detail = "another refund came under the key";
        yield* this.#raise({ kind: "key-conflict", subject: `${terminal} ${key}`, detail });
        return { kind: "refused", reason: "key-conflict" };
      }
    }
  }

  /** Asks the gateway again about a refund that is unresolved. Gives the refund afterwards. */
  *resolve(terminal: string, key: string): Procedure<Refund | undefined> {
    const refund = yield* stored("findRefund", terminal, key);
    // Asked meanwhile, on behalf of the terminal, while this waited its turn: not again before its time.
    if (refund === undefined || isEarly(refund.nextResolveMs, this.#parts.now())) return refund;
    return yield* this.#resolved(refund);
  }

  *#resolved(refund: Refund): Procedure<Refund> {
    if (!UNRESOLVED_REFUND.includes(refund.state)) return refund;
    const attempt = yield* stored("beginRefundAttempt", refund, this.#parts.now());
    return yield* this.#send(refund, attempt);
  }

  *#send(refund: Refund, attempt: number): Procedure<Refund> {
    const answer = understoodReturn(yield* called("refund", orderOf(refund)));
    switch (answer.kind) {
      case "success":
        return yield* this.#settle(refund, { kind: "refunded" }, { id: attempt, result: "success" });
      case "failure": {
        const result = `failure: ${answer.note}`;
        return yield* this.#settle(refund, { kind: "refused" }, { id: attempt, result });
      }
      case "pending": {
        const result = `pending: ${answer.note}`;
        return yield* this.#settle(refund, { kind: "unknown" }, { id: attempt, result });
      }
    }
  }

  *#settle(
    refund: Refund,
    learnt: RefundLearnt,
    attempt: { readonly id: number; readonly result: string },
  ): Procedure<Refund> {
    const nowMs = this.#parts.now();
    const stale = learnt.kind === "unknown" && nowMs - refund.receivedMs > PENDING_ALARM_AFTER_MS;
    const subject = `${refund.terminal} ${refund.key}`;
    const late: Raise = { kind: "pending-too-long", subject, detail: `refund ${refund.state}` };
    return yield* stored("settleRefund", refund, {
      learnt,
      attempt,
      nextResolveMs: nowMs + retryWaitMs(refund.resolveCount, this.#parts.patience),
      alarms: stale ? [late] : [],
      nowMs,
    });
  }

  *#invalid(terminal: string, key: string, detail: string): Procedure<LedgerOutcome> {
    yield* this.#raise({ kind: "invalid-request", subject: `${terminal} ${key}`, detail });
    return { kind: "refused", reason: "invalid" };
  }

  *#raise(alarm: Raise): Procedure<void> {
    yield* stored("raise", alarm, this.#parts.now());
  }
}

function orderOf(refund: Refund): RefundOrder {
  const { charge, refundKey, amount, saleId } = refund;
  if (charge === null) throw new Error(`refund ${refund.id} has no charge to give back of`);
  const { gatewayKey, merchant } = charge;
  return { gatewayKey, merchant, orderId: saleId, amount, refundKey };
}
