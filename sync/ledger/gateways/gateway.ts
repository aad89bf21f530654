/**
 * The contract of a payment gateway: what a ledger may ask and what it may rely on. test/contract/gateway.test.ts is
 * the same in tests; every adapter passes it.
 *
 * - `gatewayKey` names one charge for its whole life. Authorising twice under it charges once.
 * - A result is success, failure or pending. Only what the gateway said explicitly and the adapter understood is
 *   success or failure; everything else is pending, and so is an exception that escapes.
 * - A success carries what the gateway says it charged (`charged`), taken from the answer and not from the question:
 *   the ledger compares it.
 * - `refundKey` names one refund for its whole life: asking again under it gives back once, and tells what became of it.
 *   All refunds of a charge together never exceed it.
 * - `reverse` makes sure that nothing is charged under the key and nothing will be, also when the key was never seen:
 *   it succeeds only when a later or late authorise under this key cannot charge any more.
 * - Card tokens never appear in a message, an error or a log.
 */

import type { z } from "zod";
import type { Money } from "../../../daemon/core/money.ts";
import type { DeclineReason } from "../../../daemon/core/prompt.ts";

export type Order = {
  readonly gatewayKey: string;
  readonly merchant: string;
  /** The sale, as the shop's order number. */
  readonly orderId: string;
  readonly amount: Money;
};

export type ChargeOrder = Order & {
  readonly cardToken: string;
  /** offline: approved by the terminal already, presented after the fact. */
  readonly mode: "online" | "offline";
};

export type RefundOrder = Order & {
  /** Idempotency key of this refund, another one than the charge's. */
  readonly refundKey: string;
};

/** What the gateway says it charged. */
export type Charged = { readonly amount: Money; readonly orderId: string; readonly merchant: string };

export type Pending = { readonly kind: "pending"; readonly note: string };

export type AuthoriseResult =
  | { readonly kind: "success"; readonly authorisation: string; readonly charged: Charged }
  | { readonly kind: "failure"; readonly reason: DeclineReason }
  | Pending;

export type QueryResult =
  | AuthoriseResult
  /** Nothing is charged and nothing will be. */
  | { readonly kind: "reversed" }
  /** The gateway does not know the key. A call that is still on its way may yet arrive: see `lateArrivalMs`. */
  | { readonly kind: "not-found" };

export type ReverseResult =
  | { readonly kind: "success" }
  /** Explicitly refused, e.g. settled already: only a refund helps. */
  | { readonly kind: "failure"; readonly note: string }
  | Pending;

export type Capabilities = {
  /** ISO 4217 codes that it charges in, or all. */
  readonly currencies: readonly string[] | "all";
  /** Smallest charge, minor units (Korean card gateways: 100 won). */
  readonly minimumMinor: bigint;
  /** Whether authorising again under the same key is safe. If not, not-found must be older than `lateArrivalMs`. */
  readonly idempotentAuthorise: boolean;
  /** How long after it was sent a call may still take effect. */
  readonly lateArrivalMs: number;
  /** Whether `refund` returns part of a charge. */
  readonly partialRefund: boolean;
};

export interface Gateway {
  readonly id: string;
  readonly capabilities: Capabilities;
  open(): Promise<void>;
  close(): Promise<void>;
  /** `signal` aborts when the ledger stops waiting; the charge may happen all the same. */
  authorise(order: ChargeOrder, signal: AbortSignal): Promise<AuthoriseResult>;
  query(order: Order, signal: AbortSignal): Promise<QueryResult>;
  reverse(order: Order, signal: AbortSignal): Promise<ReverseResult>;
  /** Returns `order.amount` of a charge that succeeded. */
  refund(order: RefundOrder, signal: AbortSignal): Promise<ReverseResult>;
}

/** What the ledger gives every adapter. */
export type GatewaySurroundings = {
  /** A folder of the adapter's own, made already. */
  readonly folder: string;
  readonly now: () => number;
};

/** The one value that a gateway's folder exports to the registry. */
export type GatewayKind<Schema extends z.ZodType = z.ZodType> = {
  readonly id: string;
  readonly settings: Schema;
  readonly build: (settings: z.output<Schema>, surroundings: GatewaySurroundings) => Gateway;
};
