/**
 * What the ledger keeps of terminals and cards beside their charges: the journal that each terminal sells with, and the
 * cards that are denied. Part of the storage's contract (storage.ts), with its promises: every operation is atomic.
 */
import type { Money } from "../../daemon/core/money.ts";
import type { RecalledSale } from "../../daemon/core/staff.ts";
import type { ChargeState } from "./charge.ts";
import type { Eventual } from "./eventual.ts";
import type { JournalClaim, KnownJournal, Verdict } from "./journal-registry.ts";

/** Where a request lay in the journal that it came from. */
export type OutboxPlace = { readonly journalId: string; readonly position: number };

/** Who asks, for whom it sells, and from where in its journal; null when it is not known which journal that is. */
export type Sender = {
  readonly terminal: string;
  readonly merchant: string;
  readonly outbox: OutboxPlace | null;
};

export type TerminalRecord = KnownJournal & {
  readonly terminal: string;
  /** When this journal was welcomed first and last. */
  readonly firstMs: number;
  readonly lastMs: number;
};

export type RecallSearch = {
  readonly afterSequence: number;
  /** Charges that the ledger received earlier are left out. */
  readonly sinceMs: number;
  readonly limit: number;
};

export type Remembered = {
  /** The highest sequence ever seen of the terminal, 0 when none. */
  readonly lastSequence: number;
  /** By sequence; of one sequence, those that took money or may have come first. */
  readonly sales: readonly RecalledSale[];
};

/** `card` stands for the card everywhere in here: the deny list's hash of its token (wire/deny-list.ts), in hex. */
export type DeniedCard = {
  readonly card: string;
  /** As it is on receipts, null when it was denied by a token that never paid here. */
  readonly masked: string | null;
  readonly reason: string;
  /** Who denied it, for people. */
  readonly by: string;
  readonly sinceMs: number;
};

export type Denied = {
  /** Grows with every change, 0 before the first. */
  readonly version: number;
  readonly cards: readonly DeniedCard[];
};

export type CardOfCharge = { readonly card: string | null; readonly masked: string };

export interface TerminalRegistry {
  /**
   * Judges a journal by `verdictOf`, remembers it when it is welcome, raises an alarm when not. The highest position of
   * a known journal is kept by `openCharge` and `openRefund`, from `outbox`.
   */
  greet(terminal: string, claim: JournalClaim, nowMs: number): Eventual<Verdict>;
  /** Lets a journal in although it does not continue the one that is known. False for a terminal that never greeted. */
  expectJournal(terminal: string, journalId: string): Eventual<boolean>;
  /** Terminals that greeted, by name. */
  terminals(limit: number): Eventual<readonly TerminalRecord[]>;
  recall(terminal: string, search: RecallSearch): Eventual<Remembered>;

  denied(): Eventual<Denied>;
  /** Denies a card, or replaces why it is denied. Gives the version of the list afterwards. */
  deny(card: Omit<DeniedCard, "sinceMs">, nowMs: number): Eventual<number>;
  /** Takes a card off the list. Gives the version afterwards, undefined when it is not on the list. */
  allow(card: string, by: string, nowMs: number): Eventual<number | undefined>;
  /** The card that a charge was made with; `card` is null when its charge is older than the register of cards. */
  cardOfCharge(terminal: string, key: string): Eventual<CardOfCharge | undefined>;
}

/** The version after a change: more than the one before, also in a ledger whose books were put back from a backup. */
export function nextVersion(version: number, nowMs: number): number {
  return Math.max(version + 1, Math.trunc(nowMs));
}

/** What the terminal is told of the state of a charge that it recalls. */
export function recalledState(state: ChargeState): RecalledSale["state"] {
  switch (state) {
    case "attempting":
    case "pending":
    // On its way back and not there yet: the terminal goes on asking.
    case "reversing":
      return "pending";
    case "approved":
    case "declined":
    case "reversed":
      return state;
  }
}

export type ChargeToRecall = {
  readonly saleId: string;
  readonly sequence: number;
  readonly key: string;
  readonly amount: Money;
  readonly state: ChargeState;
  readonly timeMs: number;
};

export function recalledSale(charge: ChargeToRecall, refundedMinor: bigint): RecalledSale {
  const { saleId, sequence, key, amount, state, timeMs } = charge;
  return { saleId, sequence, key, amount, state: recalledState(state), refundedMinor, timeMs };
}
