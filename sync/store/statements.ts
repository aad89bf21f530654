/** The SQL of the store, prepared once for each opening, with the shapes of rows and parameters. */
import type Database from "better-sqlite3";
import type { Link, StoredRecord, StoredRow } from "./chain.ts";

export type IdentityRow = {
  readonly terminal: string;
  readonly journal_id: string;
  readonly predecessor: string | null;
  readonly boots: number;
  readonly openings: string;
  readonly clean: number;
  readonly hash: Uint8Array | null;
};
export type SealRow = {
  readonly synced: number;
  readonly journal_id: string;
  readonly position: number;
  readonly link: Uint8Array;
  readonly waiting: number;
  readonly waiting_digest: Uint8Array;
  readonly last_row: number;
  readonly hash: Uint8Array;
};
type SnapshotRow = {
  readonly position: number;
  readonly link: Uint8Array | null;
  readonly hash: Uint8Array;
  readonly body: string;
};
type WaitingRow = StoredRow & { readonly created_ms: number; readonly sent_count: number };
type DeadRow = StoredRow & { readonly reason: string; readonly at_ms: number };
type BodyRow = { readonly position: number; readonly body: string; readonly hash: Uint8Array };
export type DenyRow = {
  readonly version: number;
  readonly count: number;
  readonly coded: Uint8Array;
  readonly hash: Uint8Array;
};

// The return type is what the store reads; inferring it would lose the row shapes.
export function statementsOf(database: Database.Database) {
  const read = <Parameters extends unknown[], Row>(sql: string) => database.prepare<Parameters, Row>(sql);
  const write = <Parameters extends unknown[]>(sql: string) => database.prepare<Parameters>(sql);
  return {
    identity: read<[], IdentityRow>(
      "SELECT terminal, journal_id, predecessor, boots, openings, clean, hash FROM identity",
    ),
    saveIdentity: write<
      [
        terminal: string,
        journalId: string,
        predecessor: string | null,
        boots: number,
        openings: string,
        clean: number,
        hash: Uint8Array,
      ]
    >(
      "INSERT OR REPLACE INTO identity (only, terminal, journal_id, predecessor, boots, openings, clean, hash) VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
    ),
    anchor: read<[], { position: number; link: Uint8Array; hash: Uint8Array }>(
      "SELECT position, link, hash FROM anchor",
    ),
    saveAnchor: write<[position: number, link: Uint8Array, hash: Uint8Array]>(
      "INSERT OR REPLACE INTO anchor (only, position, link, hash) VALUES (1, ?, ?, ?)",
    ),
    verified: read<[], Link>("SELECT position, hash FROM verified"),
    saveVerified: write<[position: number, hash: Uint8Array]>(
      "INSERT OR REPLACE INTO verified (only, position, hash) VALUES (1, ?, ?)",
    ),
    seal: read<[], SealRow>(
      "SELECT synced, journal_id, position, link, waiting, waiting_digest, last_row, hash FROM seal",
    ),
    saveSeal: write<
      [
        synced: number,
        journalId: string,
        position: number,
        link: Uint8Array,
        waiting: number,
        digest: Uint8Array,
        lastRow: number,
        hash: Uint8Array,
      ]
    >(
      "INSERT OR REPLACE INTO seal (only, synced, journal_id, position, link, waiting, waiting_digest, last_row, hash) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)",
    ),
    snapshot: read<[], SnapshotRow>("SELECT position, link, hash, body FROM snapshot"),
    saveSnapshot: write<[position: number, link: Uint8Array, hash: Uint8Array, body: string]>(
      "INSERT OR REPLACE INTO snapshot (only, position, link, hash, body) VALUES (1, ?, ?, ?, ?)",
    ),
    keptEvent: read<[kind: string, upTo: number], BodyRow>(
      "SELECT position, body, hash FROM kept_event WHERE kind = ? AND position <= ?",
    ),
    keepEvent: write<[kind: string, position: number, hash: Uint8Array, body: string]>(
      "INSERT OR REPLACE INTO kept_event (kind, position, hash, body) VALUES (?, ?, ?, ?)",
    ),
    link: read<[position: number], Link>("SELECT position, hash FROM journal WHERE position = ?"),
    records: read<[from: number, limit: number], StoredRecord>(
      "SELECT position, body, hash FROM journal WHERE position >= ? ORDER BY position LIMIT ?",
    ),
    lastOfKind: read<[kind: string, upTo: number], { position: number; body: string }>(
      "SELECT position, body FROM journal WHERE kind = ? AND position <= ? ORDER BY position DESC LIMIT 1",
    ),
    insertRecord: write<[position: number, body: string, hash: Uint8Array]>(
      "INSERT INTO journal (position, body, hash) VALUES (?, ?, ?)",
    ),
    timesFrom: read<[from: number, limit: number], Link & { at_ms: number }>(
      "SELECT position, hash, at_ms FROM journal WHERE position >= ? ORDER BY position LIMIT ?",
    ),
    forgetEvents: write<[upTo: number]>("DELETE FROM journal WHERE position <= ?"),
    pending: read<[after: number, limit: number], WaitingRow>(
      "SELECT position, id, request, hash, created_ms, sent_count FROM outbox WHERE status = 'waiting' AND position > ? ORDER BY position LIMIT ?",
    ),
    lastRow: database
      .prepare("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'")
      .pluck(),
    insertRow: write<[position: number, id: string, request: string, hash: Uint8Array, createdMs: number]>(
      "INSERT INTO outbox (position, id, request, hash, created_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
    ),
    inheritRow: write<
      [
        position: number,
        id: string,
        request: string,
        hash: Uint8Array,
        status: string,
        createdMs: number,
        sentCount: number,
        acknowledgedMs: number | null,
        answer: string | null,
      ]
    >(
      "INSERT INTO outbox (position, id, request, hash, status, created_ms, sent_count, acknowledged_ms, answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ),
    requestOf: read<[id: string], { request: string }>("SELECT request FROM outbox WHERE id = ?"),
    acknowledge: read<[atMs: number, answer: string, id: string], Link>(
      "UPDATE outbox SET status = 'acknowledged', acknowledged_ms = ?, answer = ? WHERE id = ? AND status = 'waiting' RETURNING position, hash",
    ),
    addSent: write<[count: number, id: string]>("UPDATE outbox SET sent_count = sent_count + ? WHERE id = ?"),
    bury: read<[id: string], Link>(
      "UPDATE outbox SET status = 'dead' WHERE id = ? AND status = 'waiting' RETURNING position, hash",
    ),
    insertDeadLetter: write<[id: string, reason: string, atMs: number]>(
      "INSERT INTO dead_letter (id, reason, at_ms) VALUES (?, ?, ?)",
    ),
    deadLetters: read<[], DeadRow>(
      "SELECT position, id, reason, at_ms, request, hash FROM dead_letter JOIN outbox USING (id) ORDER BY outbox.position",
    ),
    answeredFrom: read<[limit: number], { position: number; at_ms: number }>(
      "SELECT position, acknowledged_ms AS at_ms FROM outbox WHERE status = 'acknowledged' AND id NOT IN (SELECT id FROM dead_letter) ORDER BY position LIMIT ?",
    ),
    forgetRow: write<[position: number]>("DELETE FROM outbox WHERE position = ?"),
    lastCounter: read<[token: string], { counter: number; hash: Uint8Array }>(
      "SELECT counter, hash FROM tap_counter WHERE token = ?",
    ),
    counters: read<[], { token: string }>("SELECT token FROM tap_counter"),
    saveCounter: write<[token: string, counter: number, hash: Uint8Array]>(
      "INSERT INTO tap_counter (token, counter, hash) VALUES (?, ?, ?) ON CONFLICT (token) DO UPDATE SET counter = excluded.counter, hash = excluded.hash WHERE excluded.counter > counter",
    ),
    insertSale: write<[saleId: string, atMs: number, hash: Uint8Array, body: string]>(
      "INSERT INTO sold_sale (sale_id, at_ms, hash, body) VALUES (?, ?, ?, ?) ON CONFLICT (sale_id) DO NOTHING",
    ),
    insertRefund: write<[key: string, saleId: string, atMs: number, hash: Uint8Array, body: string]>(
      "INSERT INTO sold_refund (key, sale_id, at_ms, hash, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
    ),
    sale: read<[saleId: string], BodyRow>("SELECT position, body, hash FROM sold_sale WHERE sale_id = ?"),
    sales: read<[limit: number], BodyRow>(
      "SELECT position, body, hash FROM sold_sale ORDER BY position DESC LIMIT ?",
    ),
    refundsOf: read<[saleId: string], BodyRow>(
      "SELECT position, body, hash FROM sold_refund WHERE sale_id = ? ORDER BY position",
    ),
    refunds: read<[], BodyRow>("SELECT position, body, hash FROM sold_refund"),
    salesCount: database.prepare("SELECT count(*) FROM sold_sale").pluck(),
    oldestSales: read<[limit: number], { position: number; at_ms: number }>(
      "SELECT position, at_ms FROM sold_sale ORDER BY position LIMIT ?",
    ),
    forgetSale: write<[position: number]>("DELETE FROM sold_sale WHERE position = ?"),
    oldestRefunds: read<[limit: number], { position: number; at_ms: number }>(
      "SELECT position, at_ms FROM sold_refund WHERE sale_id NOT IN (SELECT sale_id FROM sold_sale) ORDER BY position LIMIT ?",
    ),
    forgetRefund: write<[position: number]>("DELETE FROM sold_refund WHERE position = ?"),
    denyList: read<[], DenyRow>("SELECT version, count, coded, hash FROM deny_list"),
    saveDenyList: write<[version: number, count: number, coded: Uint8Array, hash: Uint8Array]>(
      "INSERT OR REPLACE INTO deny_list (only, version, count, coded, hash) VALUES (1, ?, ?, ?, ?)",
    ),
  };
}

export type Statements = ReturnType<typeof statementsOf>;
