/**
 * What a terminal and the ledger say to each other before any request: which journal the terminal sells with, and
 * whether the ledger accepts it.
 *
 * A terminal greets each time its link comes up, before it sends a row. The ledger remembers of every terminal the
 * journal, how often it was opened, the random number of that opening and the highest outbox position that it has seen
 * an authorisation at. A second machine with the same journal, a backup that was put back and a journal that came from
 * nowhere do not fit, and are told so by name.
 */
import type { BarReason, RecalledSale } from "../../daemon/core/staff.ts";

/** Terminal to ledger. */
export type Greeting = {
  readonly kind: "greeting";
  /** Random: the answer names it, so that an old answer cannot be played again. */
  readonly nonce: string;
  readonly journalId: string;
  readonly predecessor: string | null;
  readonly boots: number;
  readonly bootNonce: string;
  /** The highest position that a row of this journal's outbox ever had. */
  readonly lastOutboxPosition: number;
};

/** Terminal to ledger: what do you remember of me? One page of sales with a sequence above `afterSequence`. */
export type RecallQuestion = {
  readonly kind: "recall";
  readonly nonce: string;
  readonly afterSequence: number;
};

/** Ledger to terminal, signed. */
export type GreetingAnswer = {
  readonly kind: "greeted";
  readonly nonce: string;
  readonly verdict: "welcome" | BarReason | "unknown-terminal";
};

/** Ledger to terminal, signed. At most RECALL_PAGE sales, in the order of their sequences. */
export type RecallAnswer = {
  readonly kind: "recalled";
  readonly nonce: string;
  /** The highest sequence that the ledger has seen of this terminal, 0 when none. */
  readonly lastSequence: number;
  readonly sales: readonly RecalledSale[];
  /** More sales follow after the last one's sequence. */
  readonly more: boolean;
};

export const RECALL_PAGE = 40;

/**
 * How far back a recall goes: sales that the ledger received longer ago than this need no terminal to know them.
 */
export const RECALL_DAYS = 30;
