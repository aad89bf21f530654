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
  | {
      readonly kind: "reverse";
      readonly key: string;
      readonly saleId: string;
      readonly reason: "uncertain" | "cancelled";
    };

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
