/**
 * What the ledger asks of a database: a few whole operations, each one atomic and durable when it
 * returns, or when the promise that it returns resolves.
 * No query language crosses this line, so another database is another implementation of this interface.
 *
 * Every implementation refuses (throws, nothing is stored) a change whose debits and credits differ, a second
 * transfer of the same id, and a second resolution of the same hold.
 */
import type { CardProof, RefundRefusal, SoldLine } from "../../daemon/core/clearing.ts";
import type { Money } from "../../daemon/core/money.ts";
import type { DeclineReason } from "../../daemon/core/prompt.ts";
import type { Charge, ChargeState, Learnt } from "./charge.ts";
import type { Eventual } from "./eventual.ts";
import type { AccountKind, Layer } from "./posting.ts";
import type { Refund, RefundLearnt, RefundState } from "./refund.ts";
import type { OutboxPlace, TerminalRegistry } from "./registry.ts";

export type NewCharge = {
  readonly terminal: string;
  readonly merchant: string;
  readonly gateway: string;
  readonly key: string;
  readonly bodyHash: string;
  readonly saleId: string;
  readonly sequence: number;
  readonly amount: Money;
  readonly vat: Money;
  readonly card: CardProof;
  /** The card is on the deny list: declined as card-blocked, the gateway is not asked. */
  readonly denied: boolean;
  readonly mode: "online" | "offline";
  readonly lines: readonly SoldLine[];
  readonly timeMs: number;
  /** Where it lay in the terminal's journal; null when it is not known which journal that is. */
  readonly outbox: OutboxPlace | null;
  /** When to ask for the outcome, should it not be known by then. */
  readonly nextResolveMs: number;
};

export type Opened =
  /** New: the charge, its holds and the first attempt are stored; call the gateway now. */
  | { readonly kind: "opened"; readonly charge: Charge; readonly attempt: number }
  /** New, and decided without the gateway: a replayed or denied card, or a key that was reversed before it arrived. */
  | { readonly kind: "decided"; readonly charge: Charge }
  /** Seen before with the same body. */
  | { readonly kind: "known"; readonly charge: Charge }
  /** Seen before with another body. */
  | { readonly kind: "conflict"; readonly charge: Charge };

export type NewRefund = {
  /** The terminal that asks. */
  readonly terminal: string;
  /** The charge is looked for among all sales of this merchant. */
  readonly merchant: string;
  readonly key: string;
  readonly saleId: string;
  readonly amount: Money;
  /** Whether the gateway gives back a part of a charge. */
  readonly partialRefund: boolean;
  readonly timeMs: number;
  /** Where it lay in the terminal's journal; null when it is not known which journal that is. */
  readonly outbox: OutboxPlace | null;
  /** When to ask for the outcome, should it not be known by then. */
  readonly nextResolveMs: number;
};

export type OpenedRefund =
  /** New: its amount is reserved and the first attempt stored; call the gateway now. */
  | { readonly kind: "opened"; readonly refund: Refund; readonly attempt: number }
  /** New, and refused for good without the gateway. */
  | { readonly kind: "decided"; readonly refund: Refund }
  /** Nothing is stored: whether the sale was charged is not known yet. */
  | { readonly kind: "undecided" }
  /** Nothing is stored: the amount is in another currency than the charge. */
  | { readonly kind: "other-currency" }
  /** Seen before with the same sale and amount. */
  | { readonly kind: "known"; readonly refund: Refund }
  /** Seen before with another sale or amount. */
  | { readonly kind: "conflict"; readonly refund: Refund };

/** One thing learnt of a refund: moves its state, posts it when it was given, closes the attempt; all or nothing. */
export type RefundSettlement = {
  readonly learnt: RefundLearnt;
  readonly attempt: { readonly id: number; readonly result: string };
  /** When to ask again, should it stay unresolved. */
  readonly nextResolveMs: number;
  readonly alarms: readonly Raise[];
  readonly nowMs: number;
};

/** What became of the wish to reverse a charge. */
export type ReversalAsked =
  | { readonly kind: "reversing"; readonly charge: Charge }
  /** Nothing changed: something of it was given back, or may have been. */
  | { readonly kind: "refunded" };

export type Operation = "authorise" | "query" | "reverse" | "refund";

export type AlarmKind =
  | "key-conflict"
  | "unknown-terminal"
  | "invalid-request"
  | "card-replayed"
  | "card-counter-late"
  | "card-denied"
  | "gateway-mismatch"
  | "gateway-refused-reversal"
  | "offline-declined"
  | "pending-too-long"
  | "dead-letter"
  | "queue-full"
  /** See journal-registry.ts. */
  | "journal-copied"
  | "journal-restored"
  | "journal-replaced";

/** One row a kind and subject; repetitions count. */
export type Alarm = {
  readonly kind: AlarmKind;
  readonly subject: string;
  readonly detail: string;
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
};

export type Raise = { readonly kind: AlarmKind; readonly subject: string; readonly detail: string };

/** One thing learnt of a charge: moves its state, posts the steps, closes the attempt; all or nothing. */
export type Settlement = {
  readonly learnt: Exclude<Learnt, { kind: "reversal-asked" }>;
  readonly attempt: { readonly id: number; readonly result: string } | null;
  /** When to ask again, should the charge stay unresolved. */
  readonly nextResolveMs: number;
  readonly alarms: readonly Raise[];
  readonly nowMs: number;
};

export type DeadLetter = { readonly topic: string; readonly payload: Uint8Array; readonly reason: string };

export type StatementTransaction = {
  readonly terminal: string;
  readonly key: string;
  readonly saleId: string;
  readonly sequence: number;
  readonly amount: Money;
  readonly mode: "online" | "offline";
  readonly state: ChargeState;
  readonly authorisation: string | null;
  readonly declineReason: DeclineReason | null;
  readonly gateway: string;
  readonly card: string;
  /** Calls to the gateway, those for refunds left out. */
  readonly attempts: number;
  readonly timeMs: number;
  readonly receivedMs: number;
  readonly settledMs: number | null;
  /** What was given back of it, in minor units. */
  readonly refundedMinor: bigint;
  readonly refunds: readonly StatementRefund[];
};

/** A refund in the order in which it was asked for. */
export type StatementRefund = {
  /** The terminal that asked. */
  readonly terminal: string;
  readonly key: string;
  readonly minor: bigint;
  readonly state: RefundState;
  readonly refusal: RefundRefusal | null;
  readonly timeMs: number;
  readonly receivedMs: number;
  readonly settledMs: number | null;
};

export type AccountBalance = {
  readonly account: string;
  readonly kind: AccountKind;
  readonly currency: string;
  readonly layer: Layer;
  readonly debit: bigint;
  readonly credit: bigint;
};

export type StateTotal = {
  readonly state: ChargeState;
  readonly currency: string;
  readonly count: number;
  readonly minor: bigint;
};

export type RefundTotal = {
  readonly state: RefundState;
  readonly currency: string;
  readonly count: number;
  readonly minor: bigint;
};

export type Transactions = {
  readonly transactions: readonly StatementTransaction[];
  /** More transactions exist than were listed. */
  readonly truncated: boolean;
};

export type Statement = Transactions & {
  readonly accounts: readonly AccountBalance[];
  readonly totals: readonly StateTotal[];
  readonly refundTotals: readonly RefundTotal[];
  /** Debits equal credits in every currency and layer, summed from every entry of the whole ledger. */
  readonly balanced: boolean;
};

export type StatementFilter = {
  readonly terminal?: string;
  readonly key?: string;
  readonly limit: number;
};

/** Distinct subjects a kind of alarm may have; later ones are counted together under OVERFLOW_SUBJECT. */
export const MAX_ALARMS_PER_KIND = 1_000;
export const OVERFLOW_SUBJECT = "(others)";
/** Letters that are kept whole up to this; the rest of a longer one is cut and its length noted. */
export const MAX_DEAD_LETTER_BYTES = 65_536;
export const MAX_DEAD_LETTERS = 10_000;

export { RESOLVE_HORIZON_MS } from "./patience.ts";

export interface LedgerStorage extends TerminalRegistry {
  /** Brings the database up to date and takes the only writer's place. Faults "journal.*". */
  open(): Eventual<void>;
  close(): Eventual<void>;

  openCharge(charge: NewCharge, nowMs: number): Eventual<Opened>;
  find(terminal: string, key: string): Eventual<Charge | undefined>;
  /** Remembers that a key was reversed before its authorisation arrived. Returns false when the charge exists. */
  entomb(terminal: string, key: string, saleId: string, nowMs: number): Eventual<boolean>;
  isEntombed(terminal: string, key: string): Eventual<boolean>;

  /** The row that is written before every call to a gateway; gives its number. */
  beginAttempt(charge: Charge, operation: Operation, nowMs: number): Eventual<number>;
  /**
   * The row of another authorise call, in one transaction with the look whether it may be: null, and nothing is stored,
   * when such a call began at `sentBeforeMs` or later. Null for `sentBeforeMs` allows it at any time. Throws when the
   * charge is not in the state that it is given in any more.
   */
  beginResend(charge: Charge, sentBeforeMs: number | null, nowMs: number): Eventual<number | null>;
  /**
   * The goods of this charge were handed over although nobody had answered: its mode becomes offline, and should it be
   * declined already, the shop's claim is posted with an alarm. A key that never came is remembered for when it does;
   * undefined then. Throws when the charge is of another sale.
   */
  honour(terminal: string, key: string, saleId: string, nowMs: number): Eventual<Charge | undefined>;
  /**
   * Moves a charge that is not final, or approved, to "reversing", unless a refund of it exists that is not refused:
   * in one transaction, so that a charge is never both reversed and refunded.
   */
  askReversal(charge: Charge, nextResolveMs: number, nowMs: number): Eventual<ReversalAsked>;
  /**
   * Moves the charge from the state and mode it is given in; throws when it is not in them any more. Not for asking
   * for a reversal, which may be refused.
   */
  settle(charge: Charge, settlement: Settlement): Eventual<Charge>;
  /** Unresolved charges whose time to ask has come, longest due first. */
  due(nowMs: number, limit: number): Eventual<readonly Charge[]>;

  /**
   * Finds the approved charge of the sale within the merchant, reserves the amount and stores the first attempt, in
   * one transaction: all refunds of a charge that are not refused never exceed it.
   */
  openRefund(refund: NewRefund, nowMs: number): Eventual<OpenedRefund>;
  findRefund(terminal: string, key: string): Eventual<Refund | undefined>;
  /** The row that is written before every call to a gateway for a refund; gives its number. */
  beginRefundAttempt(refund: Refund, nowMs: number): Eventual<number>;
  /** Moves the refund from the state it is given in; throws when it is not in that state any more. */
  settleRefund(refund: Refund, settlement: RefundSettlement): Eventual<Refund>;
  /** Unresolved refunds whose time to ask has come, longest due first. */
  dueRefunds(nowMs: number, limit: number): Eventual<readonly Refund[]>;

  /**
   * Makes every unresolved charge and refund due now: after a start nothing is known to be on its way. Gives their
   * number.
   */
  makeAllDue(nowMs: number): Eventual<number>;

  raise(alarm: Raise, nowMs: number): Eventual<void>;
  bury(letter: DeadLetter, nowMs: number): Eventual<void>;
  alarms(limit: number): Eventual<readonly Alarm[]>;
  /** What the filter asks for, without the sums of the whole ledger, which take as long as it is large. */
  transactions(filter: StatementFilter): Eventual<Transactions>;
  statement(filter: StatementFilter): Eventual<Statement>;
}

/** A storage that answers at once: SQLite's, and the one in memory. */
export type PromptLedgerStorage = {
  [Name in keyof LedgerStorage]: (
    ...given: Parameters<LedgerStorage[Name]>
  ) => Awaited<ReturnType<LedgerStorage[Name]>>;
};
