/**
 * The journal and the outbox of one terminal, as the daemon sees them.
 *
 * The daemon takes all waiting events, folds them through the core's pure step, calls `append` once and carries the
 * effects out afterwards. `append` is one synchronous transaction: events, state, outbox rows, acknowledgements and
 * card counters are on disk together or not at all, so nothing is ever said, printed or sent that a power cut undoes.
 *
 * Assumptions: one writer (a lock refuses a second); order comes from positions, never from a clock; times are hints
 * that the events bring along. Events and states are plain data: objects, arrays, strings, booleans, null, finite
 * numbers and bigint.
 */
import type { LedgerAnswer, LedgerRequest } from "../../daemon/core/clearing.ts";
import type { Money } from "../../daemon/core/money.ts";
import type { FoundSale, SoldSale } from "../../daemon/core/staff.ts";
import type { DenyList } from "../wire/deny-list.ts";

export type JournalEvent = { readonly kind: string; readonly atMs: number };

/** What one transaction writes. */
export type Commit<Event extends JournalEvent, State> = {
  /** At least one: no state changes without a cause. */
  readonly events: readonly Event[];
  /** The state after the last of the events. */
  readonly state: State;
  /** `id` is the stable effect id. A row that exists already is left as it is. */
  readonly outbox: readonly { readonly id: string; readonly request: LedgerRequest }[];
  /** Answers that are in `events`; each ends its outbox row. An answer to no waiting row changes nothing. */
  readonly acknowledged: readonly LedgerAnswer[];
  /** A counter lower than the one stored changes nothing. */
  readonly cardCounters: readonly { readonly token: string; readonly counter: number }[];
  /**
   * false: written in order and safe from the death of this process, but not synced: a power cut may take it, together
   * with everything after it. The next synced append makes it durable too. Default true.
   */
  readonly synced?: boolean;
  /** Sales that were paid. One that is recorded already is left as it is. */
  readonly sold?: readonly SoldSale[];
  /** What was given back. A key that is recorded already is left as it is, so recording twice counts once. */
  readonly refunds?: readonly SoldRefund[];
};

/** What became of a sale's money. `unpaid`: the ledger declined it after the goods were gone, so none ever came. */
export type SoldRefund = {
  readonly key: string;
  readonly saleId: string;
  readonly amount: Money;
  readonly purpose: "refund" | "void" | "unpaid";
};

/** Which journal this is, for the ledger, which refuses a copied SD card and a backup that was put back. */
export type JournalIdentity = {
  /** Random, made with the journal. */
  readonly journalId: string;
  /** The journal that this one continues after it was damaged or adopted, null for a first one. */
  readonly predecessor: string | null;
  /** How often it was opened, this time included; on disk before open() returns. */
  readonly boots: number;
  /** Random, made at this opening. */
  readonly bootNonce: string;
  /**
   * The nonces of its openings, oldest first, from the last one that the ledger is known to have welcomed (or from the
   * first of this journal) to the present one. At most MAX_OPENINGS: the first and the newest stay.
   */
  readonly openings: readonly string[];
  /** The highest position that an outbox row ever had. */
  readonly lastOutboxPosition: number;
};

/** What may be forgotten. Waiting rows, dead letters and the newest state are never pruned. */
export type Retention = {
  /** Journalled events, answered outbox rows and sold sales older than this may go. */
  readonly keepMs: number;
  /** Events that stay in any case, newest first. */
  readonly keepEvents: number;
};

export type JournalRecord<Event extends JournalEvent> = {
  /** 1 for the first event, without gaps. */
  readonly position: number;
  readonly event: Event;
  /** SHA-256 in the chain, see chain.ts. */
  readonly hash: Uint8Array;
};

export type Opened<Event extends JournalEvent, State> = {
  /**
   * The state after an append not long ago, null in a new journal (or when support removed the snapshot). A state can be
   * large (ten thousand sales that wait for the ledger are megabytes), so it is written when the events since the last
   * one weigh as much as it, and at close(): the cost of an append does not grow with what waits.
   */
  readonly state: State | null;
  /** Position of the event after which `state` was taken, 0 when it is null. */
  readonly statePosition: number;
  /** Events after `statePosition`, read as they are asked for. Their settings are found by `lastOfKind`. */
  readonly tail: Iterable<JournalRecord<Event>>;
};

export type OutboxRow = {
  /** Grows with every row, across restarts; the ledger sees it as the terminal's order. */
  readonly position: number;
  readonly id: string;
  readonly request: LedgerRequest;
  readonly createdMs: number;
  /** Times the row was handed to the broker, a hint for support: it lags until the next append. */
  readonly sentCount: number;
};

export type DeadLetter = {
  readonly id: string;
  readonly reason: string;
  readonly atMs: number;
  readonly request: LedgerRequest;
};

/** What the uplink needs of the store. */
export interface Outbox {
  /** Rows that wait for the ledger's answer, in order, after a position, at most `limit`. */
  pending(afterPosition: number, limit: number): readonly OutboxRow[];
  /** How many rows wait. */
  depth(): number;
  /** Counts one sending. Written with the next append: it is a hint and not worth a sync of its own. */
  markSent(id: string): void;
  /** Takes a row that cannot be sent out of the queue, and keeps it. A row that does not wait is left as it is. */
  deadLetter(id: string, reason: string, atMs: number): void;
}

export interface Store<Event extends JournalEvent, State> extends Outbox {
  /**
   * Opens, migrates, locks and verifies. Throws Fault "journal.locked", "journal.damaged", "journal.newer",
   * "journal.unwritable", or "settings.invalid" when the journal belongs to another terminal.
   */
  open(): Opened<Event, State>;
  /**
   * Writes one transaction and returns the position of its last event. Throws Fault "journal.unwritable" (nothing
   * was written, or it is unknown: the store refuses everything until it is opened again, so restart and replay) and
   * plain Error when the caller breaks a rule, e.g. another request under the id of an existing row.
   */
  append(commit: Commit<Event, State>): number;
  /** Events from a position on (default: all), to fold the journal again. */
  events(fromPosition?: number): Iterable<JournalRecord<Event>>;
  /**
   * The last event of a kind at or before a position, null when there is none. The last one of "settings.applied" is
   * found even when it was pruned, because the tail is folded by it.
   */
  lastOfKind(kind: Event["kind"], upToPosition: number): Event | null;
  /** Checks the whole chain and the file. Throws Fault "journal.damaged" that names the first bad position. */
  verify(): { readonly events: number };
  /** Requests that the ledger refused or that could not be sent, oldest first. */
  deadLetters(): readonly DeadLetter[];
  /** The highest counter journalled for a card, null when it was never seen. */
  lastCounter(token: string): number | null;
  /** Which journal this is and how often it was opened. */
  identity(): JournalIdentity;
  /**
   * The ledger has welcomed this opening: the ones before it need not be named any more. Durable when it returns; writes
   * once an opening, later calls are free.
   */
  markWelcomed(): void;
  /** A sale that was paid, with what was given back of it since; null when it is not (or no more) known here. */
  soldSale(saleId: string): FoundSale | null;
  /** The most recent sales that were paid, newest first. */
  soldSales(limit: number): readonly FoundSale[];
  /** Keeps the ledger's deny list; an older version than the one kept changes nothing. */
  saveDenyList(list: DenyList): void;
  /** The newest deny list that was kept, null when none ever came. */
  denyList(): DenyList | null;
  /**
   * Moves the log into the file when it has grown. SQLite would do that inside some commit, and a customer would wait for
   * its syncs between tap and approval; called when nobody is at the counter, it costs nobody anything.
   */
  tidy(): void;
  /**
   * Forgets what is older than the retention, a bounded piece at a time; call again while it answers true. The chain
   * goes on from the last link that was forgotten, which stays.
   */
  prune(retention: Retention, nowMs: number): boolean;
  /** Ends the store; harmless when it is not open. */
  close(): void;
}

/** The time of the last event. Throws plain Error when there is none, or when a time is not in whole milliseconds. */
export function lastTimeOf(events: readonly JournalEvent[]): number {
  const last = events.at(-1);
  if (last === undefined) throw new Error("an append needs an event: no state changes without a cause");
  const fraction = events.find((event) => !Number.isSafeInteger(event.atMs));
  if (fraction !== undefined)
    throw new Error(`${fraction.kind}.atMs is ${fraction.atMs}, not whole milliseconds`);
  return last.atMs;
}
