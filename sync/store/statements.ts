/** The SQL of the store, prepared once for each opening, with the shapes of rows and parameters. */
import type Database from "better-sqlite3";
import type { Link, StoredRecord } from "./chain.ts";

export type Identity = { readonly terminal: string; readonly journal_id: string };
type StateRow = { readonly position: number; readonly body: string; readonly hash: Uint8Array };
type RequestRow = { readonly id: string; readonly request: string; readonly hash: Uint8Array };
type WaitingRow = RequestRow & {
  readonly position: number;
  readonly created_ms: number;
  readonly sent_count: number;
};
type DeadRow = RequestRow & { readonly reason: string; readonly at_ms: number };

// The return type is what the store reads; inferring it would lose the row shapes.
export function statementsOf(database: Database.Database) {
  const read = <Parameters extends unknown[], Row>(sql: string) => database.prepare<Parameters, Row>(sql);
  const write = <Parameters extends unknown[]>(sql: string) => database.prepare<Parameters>(sql);
  return {
    identity: read<[], Identity>("SELECT terminal, journal_id FROM journal_identity"),
    insertIdentity: write<[terminal: string, journalId: string]>(
      "INSERT INTO journal_identity (only, terminal, journal_id) VALUES (1, ?, ?)",
    ),
    verified: read<[], Link>("SELECT position, hash FROM verified"),
    saveVerified: write<[position: number, hash: Uint8Array]>(
      "INSERT INTO verified (only, position, hash) VALUES (1, ?, ?) ON CONFLICT (only) DO UPDATE SET position = excluded.position, hash = excluded.hash",
    ),
    state: read<[], StateRow>("SELECT position, body, hash FROM state"),
    saveState: write<[position: number, body: string, hash: Uint8Array]>(
      "INSERT INTO state (only, position, body, hash) VALUES (1, ?, ?, ?) ON CONFLICT (only) DO UPDATE SET position = excluded.position, body = excluded.body, hash = excluded.hash",
    ),
    link: read<[position: number], Link>("SELECT position, hash FROM journal WHERE position = ?"),
    records: read<[from: number, limit: number], StoredRecord>(
      "SELECT position, body, hash FROM journal WHERE position >= ? ORDER BY position LIMIT ?",
    ),
    lastOfKind: read<[kind: string, upTo: number], { body: string }>(
      "SELECT body FROM journal WHERE kind = ? AND position <= ? ORDER BY position DESC LIMIT 1",
    ),
    insertRecord: write<[position: number, body: string, hash: Uint8Array]>(
      "INSERT INTO journal (position, body, hash) VALUES (?, ?, ?)",
    ),
    pending: read<[after: number, limit: number], WaitingRow>(
      "SELECT position, id, request, hash, created_ms, sent_count FROM outbox WHERE status = 'waiting' AND position > ? ORDER BY position LIMIT ?",
    ),
    depth: database.prepare("SELECT count(*) FROM outbox WHERE status = 'waiting'").pluck(),
    insertRow: write<[id: string, request: string, hash: Uint8Array, createdMs: number]>(
      "INSERT INTO outbox (id, request, hash, created_ms) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
    ),
    requestOf: read<[id: string], { request: string }>("SELECT request FROM outbox WHERE id = ?"),
    acknowledge: write<[atMs: number, answer: string, id: string]>(
      "UPDATE outbox SET status = 'acknowledged', acknowledged_ms = ?, answer = ? WHERE id = ? AND status = 'waiting'",
    ),
    addSent: write<[count: number, id: string]>("UPDATE outbox SET sent_count = sent_count + ? WHERE id = ?"),
    kill: write<[id: string]>("UPDATE outbox SET status = 'dead' WHERE id = ? AND status = 'waiting'"),
    insertDeadLetter: write<[id: string, reason: string, atMs: number]>(
      "INSERT INTO dead_letter (id, reason, at_ms) VALUES (?, ?, ?)",
    ),
    deadLetters: read<[], DeadRow>(
      "SELECT id, reason, at_ms, request, hash FROM dead_letter JOIN outbox USING (id) ORDER BY outbox.position",
    ),
    lastCounter: read<[token: string], { counter: number }>(
      "SELECT counter FROM card_counter WHERE token = ?",
    ),
    saveCounter: write<[token: string, counter: number]>(
      "INSERT INTO card_counter (token, counter) VALUES (?, ?) ON CONFLICT (token) DO UPDATE SET counter = max(counter, excluded.counter)",
    ),
  };
}

export type Statements = ReturnType<typeof statementsOf>;
