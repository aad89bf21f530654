/** Terminals, their journals and what they recall, on SQLite. Every function runs inside the caller's transaction. */
import type Database from "better-sqlite3";
import { raiseAlarm } from "./alarms-sqlite.ts";
import { type JournalClaim, type KnownJournal, type Verdict, verdictOf } from "./journal-registry.ts";
import { prepared } from "./prepared.ts";
import type { OutboxPlace, RecallSearch, Remembered, TerminalRecord } from "./registry.ts";
import { recalledSale } from "./registry.ts";
import type { Row } from "./row.ts";
import { chargeOf, count, integer, text, textOrNull } from "./row.ts";

type Db = Database.Database;

export function greetJournal(db: Db, terminal: string, claim: JournalClaim, nowMs: number): Verdict {
  const verdict = verdictOf(knownJournal(db, terminal), claim);
  if (verdict.kind !== "welcome") {
    raiseAlarm(db, { kind: `journal-${verdict.kind}`, subject: terminal, detail: verdict.because }, nowMs);
    return verdict;
  }
  const { journalId, predecessor, boots, bootNonce } = claim;
  prepared(
    db,
    `INSERT INTO journals (terminal, journal_id, predecessor, boots, boot_nonce, highest_position, first_ms, last_ms)
     VALUES (@terminal, @journalId, @predecessor, @boots, @bootNonce, 0, @nowMs, @nowMs)
     ON CONFLICT (terminal, journal_id)
     DO UPDATE SET boots = excluded.boots, boot_nonce = excluded.boot_nonce, last_ms = excluded.last_ms`,
  ).run({ terminal, journalId, predecessor, boots, bootNonce, nowMs });
  prepared(
    db,
    `INSERT INTO terminal_journals (terminal, journal_id, expected) VALUES (@terminal, @journalId, NULL)
     ON CONFLICT (terminal) DO UPDATE
     SET journal_id = excluded.journal_id, expected = iif(expected = excluded.journal_id, NULL, expected)`,
  ).run({ terminal, journalId });
  return verdict;
}

export function expectJournal(db: Db, terminal: string, journalId: string): boolean {
  const update = "UPDATE terminal_journals SET expected = ? WHERE terminal = ?";
  return prepared(db, update).run(journalId, terminal).changes > 0;
}

export function readTerminals(db: Db, limit: number): TerminalRecord[] {
  return prepared(db, `${SELECT_JOURNAL} ORDER BY terminal LIMIT ?`)
    .all(limit)
    .map((row) => ({
      terminal: text(row, "terminal"),
      ...journalOf(row),
      firstMs: count(row, "first_ms"),
      lastMs: count(row, "last_ms"),
    }));
}

/** Notes how far the journal was when it asked for money or gave some back; a lower position than the one noted changes nothing. */
export function notePosition(db: Db, terminal: string, { journalId, position }: OutboxPlace): void {
  prepared(
    db,
    `UPDATE journals SET highest_position = @position
     WHERE terminal = @terminal AND journal_id = @journalId AND highest_position < @position`,
  ).run({ terminal, journalId, position });
}

export function recallCharges(db: Db, terminal: string, search: RecallSearch): Remembered {
  const { afterSequence, sinceMs, limit } = search;
  const last = prepared(db, "SELECT COALESCE(MAX(sequence), 0) AS last FROM charges WHERE terminal = ?").get(
    terminal,
  );
  const rows = prepared(
    db,
    `SELECT charges.*, (SELECT COALESCE(SUM(amount_minor), 0) FROM refunds
         WHERE refunds.charge_id = charges.id AND refunds.state = 'refunded') AS refunded_minor
       FROM charges WHERE terminal = @terminal AND sequence > @afterSequence AND received_ms >= @sinceMs
       ORDER BY sequence, state IN ('declined', 'reversed'), id LIMIT @limit`,
  ).all({ terminal, afterSequence, sinceMs, limit });
  return {
    lastSequence: last === undefined ? 0 : count(last, "last"),
    sales: rows.map((row) => recalledSale(chargeOf(row), integer(row, "refunded_minor"))),
  };
}

const SELECT_JOURNAL = "SELECT * FROM terminal_journals JOIN journals USING (terminal, journal_id)";

function knownJournal(db: Db, terminal: string): KnownJournal | null {
  const row = prepared(db, `${SELECT_JOURNAL} WHERE terminal = ?`).get(terminal);
  return row === undefined ? null : journalOf(row);
}

function journalOf(row: Row): KnownJournal {
  return {
    journalId: text(row, "journal_id"),
    boots: count(row, "boots"),
    bootNonce: text(row, "boot_nonce"),
    highestPosition: count(row, "highest_position"),
    expected: textOrNull(row, "expected"),
  };
}
