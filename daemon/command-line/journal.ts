/** The journal of a terminal that is stopped: checked, or taken over when the ledger does not accept it any more. */
import { existsSync } from "node:fs";
import { SqliteStore } from "../../sync/store/sqlite-store.ts";
import type { SaleEvent } from "../core/event.ts";
import type { TerminalState } from "../core/sale.ts";
import { Complaint, EXIT } from "./exit-status.ts";
import type { Place } from "./place.ts";

/**
 * Reads the file and the whole hash chain. Throws Fault "journal.damaged" with the first bad position, "journal.locked"
 * when the terminal runs, "journal.newer" or "journal.unwritable", and a Complaint when there is no journal.
 */
export function verifyJournal(place: Place): { readonly events: number } {
  const store = new SqliteStore<SaleEvent, TerminalState>({
    path: existing(place.journal),
    terminal: terminalOf(place),
  });
  store.open();
  try {
    return store.verify();
  } finally {
    store.close();
  }
}

/** Opening a journal makes one where there is none; a mistyped folder must not look like a new shop. */
function existing(path: string): string {
  if (existsSync(path)) return path;
  throw new Complaint(EXIT.unclear, `there is no journal at ${path}; check --config or --data`);
}

function terminalOf({ terminal }: Place): string {
  if (terminal !== null) return terminal;
  throw new Complaint(EXIT.usage, "whose journal? Name the terminal's settings with --config FILE");
}
