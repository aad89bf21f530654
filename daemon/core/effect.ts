/**
 * What the core wants done, carried out by daemon/shell after the state that asked for it is on disk.
 *
 * Every effect has a stable id made from the sale and a counter in the state, so that re-issuing it after a restart
 * is recognised. Carrying one out twice is harmless: speech repeats, a timer is replaced, an outbox row exists already,
 * and a second receipt says COPY.
 */
import type { LedgerRequest } from "./clearing.ts";
import type { Language } from "./menu.ts";
import type { Money } from "./money.ts";
import type { Prompt } from "./prompt.ts";
import type { Paper } from "./receipt.ts";
import type { BasketLine } from "./sale.ts";
import type { SoldSale, StaffAnswer } from "./staff.ts";

export type Effect = {
  readonly id: string;
} /** Interrupts whatever is being said. `speech.ended` answers it. */ & (
  | { readonly kind: "speech.say"; readonly prompt: Prompt; readonly language: Language }
  | {
      readonly kind: "ear.open";
      readonly expectation: "order" | "confirmation";
      readonly lines: readonly BasketLine[];
    }
  | { readonly kind: "ear.close" }
  | { readonly kind: "card.arm" }
  | { readonly kind: "card.disarm" }
  /** Becomes an outbox row in the same transaction as the event. */
  | { readonly kind: "ledger.send"; readonly request: LedgerRequest }
  | { readonly kind: "printer.print"; readonly paper: Paper }
  /** Fires once as `timer.fired` with this effect's id; a new timer of the same name replaces it. */
  | {
      readonly kind: "timer.start";
      readonly name: string;
      readonly purpose: TimerPurpose;
      readonly afterMs: number;
    }
  | { readonly kind: "timer.cancel"; readonly name: string }
  | { readonly kind: "alarm.raise"; readonly alarm: Alarm }
  /** Becomes a row beside the journal in the same transaction, so that staff can find the sale long after. */
  | { readonly kind: "sale.record"; readonly sale: SoldSale }
  /**
   * Likewise: what was given back of a sale, or that no money ever came for it (`unpaid`). `key` makes recording it
   * twice harmless.
   */
  | {
      readonly kind: "refund.record";
      readonly key: string;
      readonly saleId: string;
      readonly amount: Money;
      readonly purpose: "refund" | "void" | "unpaid";
    }
  /** To whoever asked on behalf of staff; nobody may be there any more. */
  | { readonly kind: "staff.answer"; readonly requestId: string; readonly answer: StaffAnswer }
);

/** What a timer waits for. A `no-input` timer does not run out while the customer is speaking. */
export type TimerPurpose = "no-input" | "card" | "answer" | "query" | "print" | "settle";

export type Alarm =
  | { readonly kind: "staff-called"; readonly saleId: string }
  | { readonly kind: "receipt-not-printed"; readonly saleId: string }
  | {
      readonly kind: "offline-declined";
      readonly saleId: string;
      readonly key: string;
      readonly reason: string;
    }
  | { readonly kind: "amount-mismatch"; readonly saleId: string; readonly key: string }
  | {
      readonly kind: "request-refused";
      readonly saleId: string;
      readonly key: string;
      readonly reason: string;
    }
  | { readonly kind: "charge-unresolved"; readonly saleId: string; readonly key: string }
  /** The ledger refuses to give money back for which a slip may have been handed out already. */
  | {
      readonly kind: "refund-refused";
      readonly saleId: string;
      readonly key: string;
      readonly reason: string;
    }
  /** A request can never be sent and is among the dead letters. */
  | {
      readonly kind: "request-buried";
      readonly saleId: string;
      readonly key: string;
      readonly reason: string;
    }
  /** The ledger does not accept this journal: nothing is sold until somebody has looked. */
  | { readonly kind: "journal-barred"; readonly reason: string }
  /** The ledger charged a sale that this journal, which was damaged, knows nothing of. */
  | { readonly kind: "sale-forgotten"; readonly saleId: string; readonly key: string };
