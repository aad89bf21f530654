/**
 * What the terminal can say: a closed union of prompts with their values. The words in each language, the reading of
 * numbers and the sound belong to models/speaking; the customer display shows the same words as captions.
 */
import type { Options } from "./intent.ts";
import type { Money } from "./money.ts";

export type SpokenLine = { readonly itemId: string; readonly quantity: number; readonly options: Options };

export type Prompt =
  | { readonly kind: "welcome" }
  | { readonly kind: "read-back"; readonly lines: readonly SpokenLine[]; readonly total: Money }
  | { readonly kind: "ask-change" }
  | { readonly kind: "basket-empty" }
  | { readonly kind: "item-unknown" }
  | { readonly kind: "not-in-basket" }
  | { readonly kind: "quantity-question"; readonly itemId: string; readonly quantity: number }
  | { readonly kind: "quantity-refused"; readonly limit: number }
  | { readonly kind: "price"; readonly itemId: string; readonly price: Money }
  | { readonly kind: "tap-card"; readonly total: Money }
  | { readonly kind: "tap-again"; readonly reason: CardProblem }
  | { readonly kind: "authorising" }
  | { readonly kind: "approved"; readonly total: Money }
  | { readonly kind: "approved-offline"; readonly total: Money }
  | { readonly kind: "declined"; readonly reason: DeclineReason }
  | { readonly kind: "checking" }
  | { readonly kind: "not-charged" }
  /** `reason`: which limit of selling without the ledger says no. */
  | { readonly kind: "offline-refused"; readonly reason: OfflineLimit | "ledger-silent" }
  | { readonly kind: "cannot-cancel-now" }
  | { readonly kind: "cancelled" }
  | { readonly kind: "timed-out" }
  | { readonly kind: "no-input" }
  | { readonly kind: "no-match" }
  | { readonly kind: "help" }
  | { readonly kind: "staff-called" }
  | { readonly kind: "receipt-problem"; readonly reason: PrintProblem }
  | { readonly kind: "out-of-order" };

export type CardProblem =
  | "wrong-card"
  | "torn-away"
  | "two-cards"
  | "replayed"
  | "unverified"
  | "reader-fault";

export type DeclineReason =
  | "insufficient-funds"
  | "card-blocked"
  | "limit-exceeded"
  | "not-honoured"
  | "card-replayed";

export type PrintProblem = "paper-out" | "cover-open" | "offline";

/** Which limit of selling without the ledger says no, see offline.ts. */
export type OfflineLimit =
  | "disabled"
  /**
   * The ledger does not accept this journal, or not yet: wiping, copying or damaging a journal must not wipe the limits
   * that are counted in it.
   */
  | "not-welcomed"
  /** The terminal could not check the card's cryptogram itself. */
  | "unverified"
  | "denied"
  | "per-sale"
  | "total"
  | "count"
  | "age"
  | "per-card"
  | "per-card-hour";
