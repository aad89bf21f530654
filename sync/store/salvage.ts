/**
 * A damaged journal is set aside, never deleted, and continued by a new one that holds what still proves itself: the
 * events that the hash chain vouches for, the state, the requests that wait (also those after a gap), card counters,
 * sales and refunds. The new journal names the old one as its predecessor, so that the ledger accepts it and tells what
 * else it remembers.
 *
 * Assumes one place of damage at a time or many; what is lost is told, never filled in.
 */
import { FileLock } from "./file-lock.ts";
import { RawFile } from "./raw-file.ts";
import type { JournalPlace, SalvageReport, SalvageRules } from "./salvage-report.ts";
import { type Adopted, saveFrom } from "./saved-journal.ts";
import { discardDraft, draftPathOf, putInPlace, replaceByDraft } from "./set-aside.ts";
import { realPathOf } from "./sqlite-file.ts";
import type { JournalEvent } from "./store.ts";
import { writeSuccessor } from "./successor.ts";

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
  return succeed(place, "adopted", nowMs, rules, { predecessor });
}

function succeed<Event extends JournalEvent, State>(
  place: JournalPlace,
  reason: string,
  nowMs: number,
  rules: SalvageRules<Event, State>,
  adopted: Adopted | null,
): SalvageReport {
  const path = realPathOf(place.path);
  const lock = new FileLock(path);
  lock.take();
  const file = new RawFile(path);
  try {
    putInPlace(path);
    discardDraft(path);
    file.open();
    const saved = saveFrom(file, { path, terminal: place.terminal }, rules, adopted);
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
