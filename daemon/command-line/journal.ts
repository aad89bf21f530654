/** The journal of a terminal that is stopped: checked, or continued by a successor that the ledger accepts. */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { adoptJournal } from "../../sync/store/salvage.ts";
import type { SalvageReport } from "../../sync/store/salvage-report.ts";
import { SqliteStore } from "../../sync/store/sqlite-store.ts";
import { readConfig, saleSettings } from "../config.ts";
import type { SaleEvent } from "../core/event.ts";
import type { TerminalState } from "../core/sale.ts";
import { journalPath, journalRules } from "../journal-keeper.ts";
import { Complaint, EXIT } from "./exit-status.ts";
import type { Place } from "./place.ts";

/** Journals are named by 16 random bytes (sync/store). */
const JOURNAL_ID = /^[0-9a-f]{32}$/;

/**
 * Reads the file and the whole hash chain. Throws Fault "journal.damaged" with the first bad position, "journal.locked"
 * when the terminal runs, "journal.newer" or "journal.unwritable", and a Complaint when there is no journal or this user
 * may not open it.
 */
export function verifyJournal(place: Place): { readonly events: number } {
  if (place.terminal === null)
    throw new Complaint(EXIT.usage, "whose journal? Name the terminal's settings with --config FILE");
  const path = journalPath(place);
  // Opening a journal makes one where there is none; a mistyped folder must not look like a new shop.
  const bytes = sizeOf(path);
  if (bytes === null) throw new Complaint(EXIT.unclear, `there is no journal at ${path}; check --config`);
  if (bytes === 0)
    throw new Complaint(
      EXIT.damaged,
      `the journal is empty: ${path} has no bytes. Put the newest copy back, or run: saypay journal adopt --predecessor ID, with the id that the ledger's alarm names when this terminal starts`,
    );
  const store = new SqliteStore<SaleEvent, TerminalState>({ path, terminal: place.terminal });
  store.open();
  try {
    return store.verify();
  } finally {
    store.close();
  }
}

/**
 * Makes a successor of the journal that the settings name, and lays the old one aside. `predecessor`: the id that the
 * ledger knows, for a journal that is new or lost. The settings must be valid: what the old journal has not folded yet is
 * folded by them. Throws Fault "settings.invalid", "journal.locked", "journal.newer" or "journal.unwritable".
 */
export function adopt(configPath: string, predecessor: string | null): SalvageReport {
  if (predecessor !== null && !JOURNAL_ID.test(predecessor))
    throw new Complaint(
      EXIT.usage,
      `${predecessor} is no journal's id; the ledger's alarm names it, 32 digits from 0 to f`,
    );
  const config = readConfig(configPath);
  const path = journalPath(config);
  if ((sizeOf(path) ?? 0) === 0 && predecessor === null)
    throw new Complaint(
      EXIT.usage,
      `there is no journal at ${path}; name the one that the ledger knows (its alarm says which) with --predecessor ID`,
    );
  const place = { path, terminal: config.terminal };
  return adoptJournal(place, Date.now(), journalRules(saleSettings(config)), predecessor);
}

/**
 * Bytes of the journal, null where there is none. Throws a Complaint when it is another user's: of what root writes here,
 * the terminal could open nothing afterwards.
 */
function sizeOf(path: string): number | null {
  try {
    const { uid } = statSync(dirname(path));
    const own = process.getuid?.();
    if (own === 0 && uid !== own)
      throw new Complaint(
        EXIT.noRight,
        `${dirname(path)} belongs to another user, and the terminal could not open what root writes there; run this as that user: sudo -u "$(stat -c %U ${dirname(path)})" saypay ...`,
      );
    return statSync(path).size;
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : null;
    if (code === "ENOENT") return null;
    if (code !== "EACCES") throw cause;
    throw new Complaint(
      EXIT.noRight,
      `no right to ${dirname(path)}; run this as the user that the terminal runs as (sudo -u USER saypay ...)`,
    );
  }
}

/** What was carried over, in one line and what to do next. */
export function adoptedText(report: SalvageReport): string {
  const { journalId, predecessor, setAside, waiting, waitingLost, sales, events } = report;
  const kept = events === null ? "no events" : `events ${events.from} to ${events.to}`;
  const lost = waitingLost === null || waitingLost === 0 ? "" : `, ${waitingLost} requests lost`;
  const old = setAside === null ? "" : `; the old one lies at ${setAside}`;
  return [
    `adopted: journal ${journalId} continues ${predecessor ?? "none"} with ${kept}, ${sales} sales, ${waiting} requests that wait${lost}${old}.`,
    "Start the terminal: it sells when the ledger has told what it remembers.",
  ].join("\n");
}
