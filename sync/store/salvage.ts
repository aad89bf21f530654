/**
 * A damaged journal is set aside, never deleted, and continued by a new one that holds what still proves itself: the
 * events that the hash chain vouches for, the state, the requests that wait (also those after a gap), card counters,
 * sales and refunds. The new journal names the old one as its predecessor, so that the ledger accepts it and tells what
 * else it remembers.
 *
 * Assumes one place of damage at a time or many; what is lost is told, never filled in.
 */
import type { LedgerRequest } from "../../daemon/core/clearing.ts";
import type { SoldSale } from "../../daemon/core/staff.ts";
import { FileLock } from "./file-lock.ts";
import { RawFile } from "./raw-file.ts";
import { saveFrom } from "./saved-journal.ts";
import { discardDraft, draftPathOf, putInPlace, replaceByDraft } from "./set-aside.ts";
import { realPathOf } from "./sqlite-file.ts";
import type { JournalEvent } from "./store.ts";
import { writeSuccessor } from "./successor.ts";

export type JournalPlace = { readonly path: string; readonly terminal: string };

/** What the salvage cannot know: how a state comes from events, and what a journal that lost something may do. */
export type SalvageRules<Event extends JournalEvent, State> = {
  /** The state after these events. `state` null: from nothing, with no events when nothing is left to fold. */
  fold(state: State | null, events: Iterable<Event>): State;
  /** The state that the new journal begins with, given what is known beside it. */
  resume(state: State, saved: Saved): State;
};

export type Saved = {
  /** Requests that wait for the ledger, in their order. */
  readonly waiting: readonly LedgerRequest[];
  /** Sales that were paid, in no order. */
  readonly sold: readonly SoldSale[];
  /** The highest sale number in any request or sale, 0 when there is none. */
  readonly lastSequence: number;
};

export type Range = { readonly from: number; readonly to: number };

export type SalvageReport = {
  /** What was wrong, as the fault said it. */
  readonly reason: string;
  /** Where the old journal lies now, null when there was none. */
  readonly setAside: string | null;
  readonly journalId: string;
  /** The old journal's id, null when it cannot be read any more. */
  readonly predecessor: string | null;
  /** Events in the new journal, by their old positions; null when there are none. */
  readonly events: Range | null;
  /** Events that are lost; null when none is. */
  readonly missing: Range | null;
  /** `failure`: why the events could not be folded. */
  readonly state: { readonly from: "snapshot" | "events" | "nothing"; readonly failure: string | null };
  readonly waiting: number;
  /** Requests that should wait and were not found; null when the snapshot that counts them is lost. */
  readonly waitingLost: number | null;
  readonly deadLetters: number;
  readonly cardCounters: number;
  readonly sales: number;
  readonly refunds: number;
  readonly denyList: number | null;
};

/**
 * Sets a damaged journal aside and puts what is saved of it in its place. `reason` becomes part of the old file's name,
 * `nowMs` too. Throws Fault "journal.unwritable" (nothing was changed), "journal.locked" or "settings.invalid".
 */
export function salvageJournal<Event extends JournalEvent, State>(
  place: JournalPlace,
  reason: string,
  nowMs: number,
  rules: SalvageRules<Event, State>,
): SalvageReport {
  return succeed(place, reason, nowMs, rules, null);
}

/**
 * Makes a successor of a journal that is intact, or missing: for staff who have found out why the ledger does not accept
 * it. `predecessor` is the id to continue instead of the journal's own: that of a journal that is lost, when this one was
 * begun in its place. Null: its own.
 */
export function adoptJournal<Event extends JournalEvent, State>(
  place: JournalPlace,
  nowMs: number,
  rules: SalvageRules<Event, State>,
  predecessor: string | null = null,
): SalvageReport {
  return succeed(place, "adopted", nowMs, rules, predecessor);
}

function succeed<Event extends JournalEvent, State>(
  place: JournalPlace,
  reason: string,
  nowMs: number,
  rules: SalvageRules<Event, State>,
  predecessor: string | null,
): SalvageReport {
  const path = realPathOf(place.path);
  const lock = new FileLock(path);
  lock.take();
  const file = new RawFile(path);
  try {
    putInPlace(path);
    discardDraft(path);
    file.open();
    const saved = saveFrom(file, { path, terminal: place.terminal }, rules, predecessor);
    const draft = realPathOf(draftPathOf(path));
    const journalId = writeSuccessor(draft, saved.inheritance);
    const setAside = replaceByDraft(path, reason, nowMs);
    return { reason, setAside, journalId, ...saved.report };
  } finally {
    file.close();
    discardDraft(path);
    lock.release();
  }
}
