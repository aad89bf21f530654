/**
 * What the terminal asks of the ledger and what the ledger answers, as values. sync/wire turns them into bytes.
 *
 * `key` is the idempotency key: made on the terminal, journalled before the first send, the same for the
 * authorisation, every query and the reversal of one charge. The ledger keeps it beside a hash of the authorisation's
 * body; the same key with another body is refused.
 */
import type { Options } from "./intent.ts";
import type { Money } from "./money.ts";
import type { DeclineReason } from "./prompt.ts";

/** What the card reader vouches for. The token stands for the card; no card number exists in the core. */
export type CardProof = {
  readonly token: string;
  /** Last characters for the receipt, e.g. "****-4821". */
  readonly masked: string;
  /** The card's own tap counter (NTAG 424 DNA SDMReadCtr), which must grow with every tap. */
  readonly counter: number;
};

/** What the terminal knows of the card beyond its token. */
export type CardStanding = { readonly verified: boolean; readonly denied: boolean };

export type SoldLine = {
  readonly itemId: string;
  readonly name: string;
  readonly quantity: number;
  readonly options: Options;
  readonly amount: Money;
};

export type LedgerRequest =
  | {
      readonly kind: "authorise";
      readonly key: string;
      readonly saleId: string;
      /** Sale number on this terminal: order comes from it, never from the clock. */
      readonly sequence: number;
      readonly amount: Money;
      readonly vat: Money;
      readonly card: CardProof;
      /** offline: the goods are handed over already, the ledger is told after the fact. */
      readonly mode: "online" | "offline";
      readonly lines: readonly SoldLine[];
      readonly timeMs: number;
    }
  | { readonly kind: "query"; readonly key: string; readonly saleId: string }
  /** `void`: staff takes back a sale that was approved; refused when part of it was given back already. */
  | {
      readonly kind: "reverse";
      readonly key: string;
      readonly saleId: string;
      readonly reason: "uncertain" | "cancelled" | "void";
    }
  /**
   * The goods of a charge that was sent online and not answered were handed over under the offline policy: should it be
   * declined, the shop has a claim, as for a charge of mode "offline". Answered like a query.
   */
  | { readonly kind: "honour"; readonly key: string; readonly saleId: string }
  /**
   * Gives back part or all of what a sale of this merchant charged, on whichever of its terminals it was sold. `key` is
   * the refund's own idempotency key; the same key with another sale or amount is a key conflict.
   */
  | {
      readonly kind: "refund";
      readonly key: string;
      readonly saleId: string;
      readonly amount: Money;
      readonly timeMs: number;
    };

/** Why the ledger gives no money back, for good: nothing was moved under this key and nothing will be. */
export type RefundRefusal =
  /** More than is left of the sale: all refunds together never exceed it. */
  | "exceeds"
  /** No money was taken for the sale: declined, reversed, or a sale that this merchant never made. */
  | "not-charged"
  /** A void of a sale of which part was given back already: refund the rest. */
  | "partly-refunded"
  /** The gateway refuses, e.g. because its time for refunds is over. */
  | "gateway";

export type LedgerOutcome =
  | {
      readonly kind: "approved";
      readonly authorisation: string;
      readonly gateway: string;
      readonly amount: Money;
    }
  | { readonly kind: "declined"; readonly reason: DeclineReason; readonly gateway: string }
  /** The gateway has not decided or has not answered: unknown is a state, ask again under the same key. */
  | { readonly kind: "pending" }
  | { readonly kind: "reversed" }
  /** `amount` was given back under the refund's key; `total` is the sum of all refunds of the sale by then. */
  | { readonly kind: "refunded"; readonly amount: Money; readonly total: Money; readonly gateway: string }
  | { readonly kind: "refund-refused"; readonly reason: RefundRefusal }
  /** Answer to a query for a key that the ledger never saw. */
  | { readonly kind: "not-found" }
  /** The request itself was refused and will be refused again; an alarm, never dropped. */
  | { readonly kind: "refused"; readonly reason: "key-conflict" | "invalid" | "unknown-terminal" };

/** The ledger's signed answer to one outbox row. The row is done when this is in the journal. */
export type LedgerAnswer = {
  /** Id of the outbox row that is answered. */
  readonly requestId: string;
  readonly key: string;
  readonly outcome: LedgerOutcome;
};
