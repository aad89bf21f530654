/** What comes out of the printer, as data: what must be on the paper. Columns, characters and cuts are the printer's business. */
import type { Language } from "./menu.ts";
import type { Money } from "./money.ts";

export type Merchant = {
  readonly name: string;
  /** Korean business registration number, printed as given. */
  readonly registration: string;
  readonly address: string;
  readonly phone: string;
  readonly representative: string;
};

export type ReceiptLine = {
  readonly name: string;
  /** Option names that differ from the default, in the receipt's language. */
  readonly options: readonly string[];
  readonly quantity: number;
  readonly unitPrice: Money;
  readonly amount: Money;
};

export type Receipt = {
  readonly saleId: string;
  /** Number that the customer is called by. */
  readonly number: number;
  readonly merchant: Merchant;
  readonly terminal: string;
  readonly language: Language;
  /** Milliseconds since 1970 by the terminal's clock, a hint only. */
  readonly timeMs: number;
  readonly lines: readonly ReceiptLine[];
  readonly total: Money;
  readonly vat: Money;
  readonly vatPercent: number;
  readonly payment:
    | { readonly kind: "approved"; readonly authorisation: string; readonly card: string }
    | { readonly kind: "approved-offline"; readonly card: string };
  /** What went back to the customer since, on a reprint of such a sale: it must not pass for one that stands. */
  readonly givenBack?: Money;
  /** Any paper after the first that may have come out is marked COPY. */
  readonly copy: boolean;
};

/** Handed to a customer who got money back, or who will get it when the ledger can be reached. */
export type RefundSlip = {
  readonly saleId: string;
  /** The sale's number, null when it was sold on another terminal. */
  readonly number: number | null;
  readonly merchant: Merchant;
  readonly terminal: string;
  readonly language: Language;
  readonly timeMs: number;
  readonly amount: Money;
  /** What the sale was, null when it was sold on another terminal. */
  readonly saleAmount: Money | null;
  /** Masked card, null when it was sold on another terminal. */
  readonly card: string | null;
  /** `requested`: the ledger has not answered yet; no money has moved. */
  readonly status: "requested" | "done";
  /** `void`: the whole sale was taken back before settlement. */
  readonly purpose: "refund" | "void";
  readonly copy: boolean;
};

export type Total = { readonly count: number; readonly minor: bigint };

/** What a business day came to. Every total is in the menu's currency. */
export type DayTotals = {
  /** Approved by the ledger while the customer waited. */
  readonly card: Total;
  /** Approved by the terminal without the ledger, whatever became of them later. */
  readonly cardOffline: Total;
  /** Money given back for sales of this day or of an earlier one. */
  readonly refunds: Total;
  readonly voids: Total;
  /** Offline sales of this day or of an earlier one of which the ledger said today that the money will not come. */
  readonly declinedAfter: Total;
  /** Charges that staff closed without the ledger's word. */
  readonly dismissed: Total;
};

export type DayReport = {
  readonly merchant: Merchant;
  readonly terminal: string;
  readonly language: Language;
  /** 1 for the terminal's first day. */
  readonly day: number;
  /** Sale numbers of the day, null when nothing was sold. */
  readonly firstNumber: number | null;
  readonly lastNumber: number | null;
  readonly openedMs: number;
  readonly closedMs: number;
  readonly currency: string;
  readonly totals: DayTotals;
  /** card + cardOffline - refunds - voids - declinedAfter - dismissed. */
  readonly netMinor: bigint;
  /** Offline sales that the ledger has not settled yet, of this day or an earlier one: in the totals, and not safe yet. */
  readonly queued: Total;
  /** Refunds and voids that wait for the ledger: not in the totals. */
  readonly refundsQueued: Total;
  readonly copy: boolean;
};

export type Paper =
  | { readonly kind: "receipt"; readonly receipt: Receipt }
  | { readonly kind: "refund"; readonly slip: RefundSlip }
  | { readonly kind: "day"; readonly report: DayReport };

/** VAT contained in a total that includes it, rounded half up: total * p / (100 + p). */
export function vatIn(total: Money, percent: number): Money {
  const p = BigInt(percent);
  const divisor = 100n + p;
  return { minor: (total.minor * p * 2n + divisor) / (divisor * 2n), currency: total.currency };
}
