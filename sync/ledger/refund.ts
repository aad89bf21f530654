/**
 * The life of one refund, pure: whether it may be given, and from the state it is in and what was learnt, the next one.
 *
 *   attempting ──> refunded
 *       │  ├─────> refused
 *       └──> pending           (pending also becomes refunded or refused)
 *
 * Its amount is reserved from the moment it is stored, in the same transaction that looks at all other refunds of the
 * charge: together, those that are not refused never exceed what was charged, whoever asks at once. A refusal is for
 * good: the same key is answered the same although there may be room later.
 */
import type { LedgerOutcome, RefundRefusal } from "../../daemon/core/clearing.ts";
import { type Money, sameMoney } from "../../daemon/core/money.ts";
import type { Charge } from "./charge.ts";
import { UNRESOLVED } from "./charge.ts";

export const REFUND_STATES = ["attempting", "pending", "refunded", "refused"] as const;
export type RefundState = (typeof REFUND_STATES)[number];

/** States in which the gateway still owes an answer. */
export const UNRESOLVED_REFUND: readonly RefundState[] = ["attempting", "pending"];

export type Refund = {
  readonly id: number;
  /** The terminal that asked, perhaps another than the one that sold. */
  readonly terminal: string;
  readonly key: string;
  readonly merchant: string;
  readonly saleId: string;
  readonly amount: Money;
  readonly state: RefundState;
  readonly refusal: RefundRefusal | null;
  /** All that was given back of the charge when this refund was, this one included; null before. */
  readonly total: Money | null;
  /** The gateway's idempotency key of this refund, another one than the charge's. */
  readonly refundKey: string;
  /** How often the outcome was asked for. */
  readonly resolveCount: number;
  readonly nextResolveMs: number;
  /** The terminal's clock, a hint. */
  readonly timeMs: number;
  readonly receivedMs: number;
  readonly settledMs: number | null;
  /** The charge that it gives back of; null for a refund that was refused because there is none. */
  readonly charge: Refunded | null;
};

/** Whether what comes under a known key is that refund again; its time is the terminal's and proves nothing. */
export function isSameRefund(known: RefundOrder, again: RefundOrder): boolean {
  return known.saleId === again.saleId && sameMoney(known.amount, again.amount);
}

type RefundOrder = Pick<Refund, "saleId" | "amount">;

/** What a refund needs to know of its charge. */
export type Refunded = Pick<
  Charge,
  "id" | "terminal" | "key" | "merchant" | "gateway" | "gatewayKey" | "card"
>;

/** The charge of a sale that a refund has to do with. */
export type SaleCharge<Of extends Pick<Charge, "state">> =
  | { readonly kind: "charged"; readonly charge: Of }
  /** Nobody knows yet whether anything was charged, or it is just being reversed. */
  | { readonly kind: "undecided" }
  | { readonly kind: "not-charged" };

/** A sale may have been tried with several cards: what was approved counts, then what may still be. */
export function saleCharge<Of extends Pick<Charge, "state">>(charges: readonly Of[]): SaleCharge<Of> {
  const approved = charges.find(({ state }) => state === "approved");
  if (approved !== undefined) return { kind: "charged", charge: approved };
  return charges.some(({ state }) => UNRESOLVED.includes(state))
    ? { kind: "undecided" }
    : { kind: "not-charged" };
}

export type AskedRefund = { readonly amount: Money; readonly partialRefund: boolean };

/**
 * Whether a refund of a charge may be sent to the gateway, null when it may. `reserved` is the sum of all refunds of
 * the charge that are not refused.
 */
export function refundRefusal(charged: Money, reserved: bigint, asked: AskedRefund): RefundRefusal | null {
  const { amount, partialRefund } = asked;
  if (reserved + amount.minor > charged.minor) return "exceeds";
  return amount.minor < charged.minor && !partialRefund ? "gateway" : null;
}

export type RefundLearnt =
  | { readonly kind: "refunded" }
  /** The gateway's explicit refusal: nothing was moved under this key and nothing will be. */
  | { readonly kind: "refused" }
  | { readonly kind: "unknown" };

/** The next state; whoever stores it posts the refund when that is "refunded". Throws on what cannot happen. */
export function refundMoveOf({ state }: Pick<Refund, "state">, learnt: RefundLearnt): RefundState {
  if (!UNRESOLVED_REFUND.includes(state))
    throw new Error(`a refund that is ${state} cannot learn ${learnt.kind}`);
  return learnt.kind === "unknown" ? "pending" : learnt.kind;
}

/** What the terminal is told of a refund. Throws for a final state without its proof, which cannot be stored. */
export function refundOutcomeOf(refund: Refund): LedgerOutcome {
  switch (refund.state) {
    case "attempting":
    case "pending":
      return { kind: "pending" };
    case "refunded": {
      const { amount, total, charge } = refund;
      if (total === null || charge === null) throw new Error(`refund ${refund.id} is given without a charge`);
      return { kind: "refunded", amount, total, gateway: charge.gateway };
    }
    case "refused": {
      const { refusal } = refund;
      if (refusal === null) throw new Error(`refund ${refund.id} is refused without a reason`);
      return { kind: "refund-refused", reason: refusal };
    }
  }
}
