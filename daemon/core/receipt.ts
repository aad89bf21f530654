/** A receipt as data: what must be on the paper. Columns, characters and cuts are the printer's business. */
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
  /** Any paper after the first that may have come out is marked COPY. */
  readonly copy: boolean;
};

/** VAT contained in a total that includes it, rounded half up: total * p / (100 + p). */
export function vatIn(total: Money, percent: number): Money {
  const p = BigInt(percent);
  const divisor = 100n + p;
  return { minor: (total.minor * p * 2n + divisor) / (divisor * 2n), currency: total.currency };
}
