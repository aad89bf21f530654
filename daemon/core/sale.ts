/**
 * The state of a terminal: at most one sale at the counter, the charges that wait for the ledger, and the totals
 * that the offline policy counts. Everything here is plain data, so that the journal can hold it.
 */
import type { CardProof, CardStanding, SoldLine } from "./clearing.ts";
import type { Options } from "./intent.ts";
import type { Language } from "./menu.ts";
import type { Money } from "./money.ts";
import type { DayTotals, Paper, Receipt, RefundSlip, Total } from "./receipt.ts";

export type BasketLine = { readonly itemId: string; readonly quantity: number; readonly options: Options };

/** Last mentioned line last. */
export type Basket = readonly BasketLine[];

export type Charge = {
  /** Idempotency key of this charge and of nothing else. */
  readonly key: string;
  readonly amount: Money;
  /** VAT contained in the amount. */
  readonly vat: Money;
  /** Priced when the card was tapped: a menu that changes later does not change what was charged. */
  readonly lines: readonly SoldLine[];
  readonly card: CardProof;
  /** What the terminal knew of the card at the tap: selling without the ledger depends on it. */
  readonly standing: CardStanding;
  readonly timeMs: number;
};

/**
 * listening -> basket / read-back -> awaiting-card -> authorising -> receipt -> (closed), with quantity-question
 * and uncertain on the side. Approved, declined, cancelled and the like are endings: a sale that has one is closed.
 */
export type Phase = OrderingPhase | PaymentPhase;

/** Nothing can be charged yet. */
export type OrderingPhase =
  | { readonly kind: "listening" }
  | { readonly kind: "basket" }
  /** A quantity over the limit waits for a yes before it enters the basket. */
  | {
      readonly kind: "quantity-question";
      readonly itemId: string;
      readonly quantity: number;
      readonly options: Options;
      /** Units of another line that go when this one comes, see QuantityQuestion. */
      readonly replaces?: BasketLine;
    }
  /**
   * `reading` is the effect id of the speech that tells order and amount; `told`: it was spoken to the end, or is on
   * the display because it cannot be spoken.
   */
  | {
      readonly kind: "read-back";
      readonly total: Money;
      readonly reading: string | null;
      readonly told: boolean;
    };

/** The amount is agreed. */
export type PaymentPhase =
  | { readonly kind: "awaiting-card"; readonly total: Money }
  | { readonly kind: "authorising"; readonly charge: Charge }
  /** Sent and unanswered: unknown is a state. `queries` counts how often it was asked for under the same key. */
  | { readonly kind: "uncertain"; readonly charge: Charge; readonly queries: number }
  | ReceiptPhase;

export type ReceiptPhase = {
  readonly kind: "receipt";
  readonly charge: Charge;
  readonly result: Paid;
  /** As it was when the sale was paid: a menu that changes meanwhile does not change it. Version 1 kept none. */
  readonly receipt?: Receipt;
  readonly attempt: number;
  readonly copy: boolean;
  /** Effect id of the attempt that is at the printer, null while waiting to try again. */
  readonly printing: string | null;
};

export function isOrdering(phase: Phase): phase is OrderingPhase {
  const { kind } = phase;
  return kind === "listening" || kind === "basket" || kind === "quantity-question" || kind === "read-back";
}

export type Paid =
  | { readonly kind: "approved"; readonly authorisation: string }
  | { readonly kind: "approved-offline" };

export type Ending = "approved" | "approved-offline" | "declined" | "cancelled" | "timed-out" | "reversed";

export type Sale = {
  readonly id: string;
  readonly sequence: number;
  readonly language: Language;
  readonly basket: Basket;
  readonly phase: Phase;
  /** How many charges this sale has tried; the n-th has the key `${id}/n`. */
  readonly attempts: number;
  /** No-input and no-match in a row. */
  readonly misses: number;
  /** Effects numbered so far: gives each a stable id. */
  readonly effects: number;
  readonly startedMs: number;
  /** Effect id of the speech whose end opens the ear. */
  readonly saying: string | null;
  /** Effect id of the sale's one timer; a timer with another id is a late one and is ignored. */
  readonly timer: string | null;
};

/** A charge whose outcome the ledger still owes: approved offline, or under reversal. */
export type OpenCharge = {
  readonly saleId: string;
  readonly key: string;
  readonly amount: Money;
  readonly token: string;
  readonly timeMs: number;
  readonly purpose: "offline" | "reversal";
  /** Queries sent because the ledger answered "pending". */
  readonly queries: number;
  /** The ledger's last word was "pending", so a timer waits to ask again; false: a request is in the outbox. */
  readonly pending: boolean;
};

/** Money on its way back: a refund or a void that the ledger has not answered for good. */
export type OpenRefund = {
  /** Of the staff's request, under which the outcome is told. */
  readonly requestId: string;
  readonly saleId: string;
  /** The refund's own key; for a void the charge's. */
  readonly key: string;
  readonly amount: Money;
  readonly timeMs: number;
  readonly purpose: "refund" | "void";
  /** Sendings beyond the first because the ledger answered "pending". */
  readonly repeats: number;
  /** As in OpenCharge. */
  readonly pending: boolean;
  /** The offline approval that a void takes back before the ledger has settled it. */
  readonly charge: OpenCharge | null;
  /** What the slip will say. */
  readonly slip: RefundSlip;
};

/** Paper that staff asked for. The first one is at the printer, unless a customer's receipt is. */
export type StaffPaper = {
  readonly id: string;
  readonly paper: Paper;
  readonly attempt: number;
  /** Effect id of the attempt that is at the printer, null while waiting. */
  readonly printing: string | null;
  /** Timer of the wait before the next attempt, null when there is none. */
  readonly waiting: string | null;
};

/** An offline approval of the last hour, settled or not: what the limit per card and hour counts. */
export type OfflineTap = { readonly token: string; readonly timeMs: number };

/** Why the ledger does not accept a journal. The terminal sells nothing until somebody has adopted or replaced it. */
export type BarReason =
  /** Another machine runs with a copy of this journal. */
  | "copied"
  /** The ledger has seen more of this journal than it holds: an old backup was put back, or an older copy runs. */
  | "restored"
  /** The ledger knows another journal of this terminal, and this one does not say that it continues it. */
  | "replaced";

/** Whether the ledger accepts the journal that this terminal sells with. */
export type Standing =
  /** It was never asked: nothing is sold without it. */
  | { readonly kind: "new" }
  | { readonly kind: "welcome" }
  /** The journal was damaged and mended: nothing is sold until the ledger has told what it remembers. */
  | { readonly kind: "recalling" }
  /** Once it is accepted after all, it waits for what the ledger remembers: it may have missed some of it. */
  | { readonly kind: "barred"; readonly reason: BarReason };

export type BusinessDay = {
  readonly number: number;
  /** Null until something happens in it. */
  readonly openedMs: number | null;
  /** Numbers of the first and the last sale that were paid. */
  readonly firstNumber: number | null;
  readonly lastNumber: number | null;
  readonly totals: DayTotals;
};

export type ClosedSale = {
  readonly saleId: string;
  readonly sequence: number;
  readonly ending: Ending;
  readonly total: Money | null;
};

export type TerminalState = {
  readonly sale: Sale | null;
  readonly lastSequence: number;
  readonly linkUp: boolean;
  readonly standing: Standing;
  readonly openCharges: readonly OpenCharge[];
  readonly openRefunds: readonly OpenRefund[];
  readonly offlineTaps: readonly OfflineTap[];
  readonly papers: readonly StaffPaper[];
  /** Papers numbered so far: gives each a stable id. */
  readonly lastPaper: number;
  readonly day: BusinessDay;
  /** The most recent sales, newest last, at most RECENT_SALES. */
  readonly recent: readonly ClosedSale[];
};

export const RECENT_SALES = 20;

const NOTHING: Total = { count: 0, minor: 0n };

export const EMPTY_TOTALS: DayTotals = {
  card: NOTHING,
  cardOffline: NOTHING,
  refunds: NOTHING,
  voids: NOTHING,
  declinedAfter: NOTHING,
  dismissed: NOTHING,
};

export const EMPTY_TERMINAL: TerminalState = {
  sale: null,
  lastSequence: 0,
  linkUp: false,
  standing: { kind: "new" },
  openCharges: [],
  openRefunds: [],
  offlineTaps: [],
  papers: [],
  lastPaper: 0,
  day: { number: 1, openedMs: null, firstNumber: null, lastNumber: null, totals: EMPTY_TOTALS },
  recent: [],
};
