/**
 * What the ledger asks of a database: a few whole operations, each one atomic and durable when it
 * returns, or when the promise that it returns resolves.
 * No query language crosses this line, so another database is another implementation of this interface.
 *
 * Every implementation refuses (throws, nothing is stored) a change whose debits and credits differ, a second
 * transfer of the same id, and a second resolution of the same hold.
 */
import type { CardProof, SoldLine } from "../../daemon/core/clearing.ts";
import type { Money } from "../../daemon/core/money.ts";
import type { DeclineReason } from "../../daemon/core/prompt.ts";
import type { Charge, ChargeState, Learnt } from "./charge.ts";
import type { AccountKind, Layer } from "./posting.ts";

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
  | "queue-full";

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
  readonly learnt: Learnt;
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
  readonly attempts: number;
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

export type Statement = {
  readonly transactions: readonly StatementTransaction[];
  /** More transactions exist than were listed. */
  readonly truncated: boolean;
  readonly accounts: readonly AccountBalance[];
  readonly totals: readonly StateTotal[];
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

/** A value now, or a promise of it: a storage may be of either kind. */
export type Eventual<Value> = Value | Promise<Value>;

export interface LedgerStorage {
  /** Brings the database up to date and takes the only writer's place. Faults "journal.locked", "journal.damaged". */
  open(): Eventual<void>;
  close(): Eventual<void>;

  openCharge(charge: NewCharge, nowMs: number): Eventual<Opened>;
  find(terminal: string, key: string): Eventual<Charge | undefined>;
  /** Remembers that a key was reversed before its authorisation arrived. Returns false when the charge exists. */
  entomb(terminal: string, key: string, saleId: string, nowMs: number): Eventual<boolean>;
  isEntombed(terminal: string, key: string): Eventual<boolean>;

  /** The row that is written before every call to a gateway; gives its number. */
  beginAttempt(charge: Charge, operation: Operation, nowMs: number): Eventual<number>;
  /** When the newest authorise call of the charge began, null when none did. */
  lastAuthoriseMs(charge: Charge): Eventual<number | null>;
  /** Moves the charge from the state it is given in; throws when it is not in that state any more. */
  settle(charge: Charge, settlement: Settlement): Eventual<Charge>;
  /** Unresolved charges whose time to ask has come, longest due first. */
  due(nowMs: number, limit: number): Eventual<readonly Charge[]>;
  /** Makes every unresolved charge due now: after a start nothing is known to be on its way. Gives their number. */
  makeAllDue(nowMs: number): Eventual<number>;

  raise(alarm: Raise, nowMs: number): Eventual<void>;
  bury(letter: DeadLetter, nowMs: number): Eventual<void>;
  alarms(limit: number): Eventual<readonly Alarm[]>;
  statement(filter: StatementFilter): Eventual<Statement>;
}

/** A storage that answers at once: SQLite's, and the one in memory. */
export type PromptLedgerStorage = {
  [Name in keyof LedgerStorage]: (
    ...given: Parameters<LedgerStorage[Name]>
  ) => Awaited<ReturnType<LedgerStorage[Name]>>;
};
