/**
 * What staff may ask of a terminal after a sale, what they are told, and what the terminal keeps of a sale for that.
 *
 * Whoever delivers a request looks the sale up in the journal's file and brings it along, because the core keeps only
 * what is under way. The ledger has the last word on money: the checks here give staff an answer at once, and its own
 * hold when two terminals ask at the same time.
 */
import type { Language } from "./menu.ts";
import type { Money } from "./money.ts";
import type { DayReport, Receipt } from "./receipt.ts";
import type { Paid } from "./sale.ts";

/** A sale that was paid, as it is found again by its id. */
export type SoldSale = {
  readonly saleId: string;
  readonly sequence: number;
  /** Business day in which it was sold. */
  readonly day: number;
  /** Key of the charge that was approved. */
  readonly key: string;
  readonly amount: Money;
  readonly result: Paid;
  /** As it was printed; a reprint says COPY. */
  readonly receipt: Receipt;
};

/** With what was given back of it since. */
export type FoundSale = SoldSale & {
  readonly refundedMinor: bigint;
  readonly voided: boolean;
  /** Sold without the ledger, which then declined it: there is no money to give back. */
  readonly unpaid: boolean;
};

export type StaffRequest =
  /** Takes the whole sale back: only on the day it was sold, and when nothing of it was refunded. */
  | { readonly kind: "void"; readonly sale: FoundSale }
  /** `amount` null: all that is left. `sale` null: sold on another terminal, so the amount has to be said. */
  | {
      readonly kind: "refund";
      readonly saleId: string;
      readonly sale: FoundSale | null;
      readonly amount: Money | null;
    }
  | { readonly kind: "reprint"; readonly sale: FoundSale }
  | { readonly kind: "close-day"; readonly language: Language }
  /** Stops waiting for the ledger's word on one charge; staff has found out otherwise what became of it. */
  | { readonly kind: "dismiss"; readonly key: string };

/** Why staff is refused at once. */
export type StaffRefusal =
  | "exceeds"
  | "nothing-left"
  | "amount-needed"
  | "wrong-currency"
  | "already-voided"
  /** The sale was declined after the fact: no money was taken. */
  | "not-charged"
  | "partly-refunded"
  | "another-day"
  | "refund-under-way"
  | "unknown-charge"
  /** A card is being charged or a receipt printed: ask again in a moment. */
  | "sale-at-the-counter"
  | "too-many-waiting"
  | "journal-barred";

/**
 * The first answer comes in the same transaction; "queued" is followed by "refunded" or "not-refunded" under the same
 * request id when the ledger has spoken, which may be days later.
 */
export type StaffAnswer =
  | { readonly kind: "refused"; readonly reason: StaffRefusal }
  /** On its way to the ledger, or waiting for it. */
  | { readonly kind: "queued"; readonly key: string; readonly linkUp: boolean }
  | { readonly kind: "refunded"; readonly amount: Money }
  | { readonly kind: "not-refunded"; readonly reason: string }
  | { readonly kind: "printing" }
  | { readonly kind: "day-closed"; readonly report: DayReport }
  | { readonly kind: "dismissed" };

/** A charge that the ledger made for this terminal. */
export type RecalledSale = {
  readonly saleId: string;
  readonly sequence: number;
  readonly key: string;
  readonly amount: Money;
  readonly state: "approved" | "declined" | "reversed" | "pending";
  readonly refundedMinor: bigint;
  readonly timeMs: number;
};

/** Refunds and voids that may wait for the ledger at once. */
export const MAXIMUM_OPEN_REFUNDS = 50;
/** Papers that may wait for the printer on behalf of staff. */
export const MAXIMUM_STAFF_PAPERS = 10;
