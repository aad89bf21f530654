/**
 * The tables of a journal file. A migration is never changed once released; the number of migrations that a file has
 * seen is its user_version. Times are milliseconds since 1970 by the terminal's clock and are hints.
 */

/** "SpJ1": marks the file as ours (SQLite file format, section 1.3.17, application id). */
export const APPLICATION_ID = 0x53_70_4a_31;

export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE journal_identity (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    terminal TEXT NOT NULL,
    journal_id TEXT NOT NULL
  ) STRICT;

  -- body is the event's canonical JSON and the only copy of what happened; kind and at_ms are views into it for support.
  CREATE TABLE journal (
    position INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    kind TEXT GENERATED ALWAYS AS (json_extract(body, '$.kind')) VIRTUAL,
    at_ms INTEGER GENERATED ALWAYS AS (json_extract(body, '$.atMs')) VIRTUAL
  ) STRICT;

  CREATE INDEX journal_kind ON journal (kind);

  CREATE TABLE state (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    position INTEGER NOT NULL REFERENCES journal (position),
    body TEXT NOT NULL,
    hash BLOB NOT NULL
  ) STRICT;

  -- Up to here the chain was followed before; opening continues from here.
  CREATE TABLE verified (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    position INTEGER NOT NULL,
    hash BLOB NOT NULL
  ) STRICT;

  -- AUTOINCREMENT: a position is never used twice, because the ledger reads it as the terminal's order.
  CREATE TABLE outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    request TEXT NOT NULL,
    hash BLOB NOT NULL,
    status TEXT NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'acknowledged', 'dead')),
    created_ms INTEGER NOT NULL,
    sent_count INTEGER NOT NULL DEFAULT 0,
    acknowledged_ms INTEGER,
    answer TEXT
  ) STRICT;
  CREATE INDEX outbox_waiting ON outbox (position) WHERE status = 'waiting';

  CREATE TABLE dead_letter (
    id TEXT PRIMARY KEY REFERENCES outbox (id),
    reason TEXT NOT NULL,
    at_ms INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE card_counter (
    token TEXT PRIMARY KEY,
    counter INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  // Tables are made anew and not altered, so that the text that SQLite keeps of them is ours to the letter and a file
  // can be compared with it at every opening. Outbox and journal stay as they are, byte for byte.
  `
  -- openings: the random numbers of openings since the ledger last welcomed the journal, with commas between them.
  -- clean: closed in order, so a -wal that is absent is not missed. hash covers the fields; NULL until the first opening.
  CREATE TABLE identity (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    terminal TEXT NOT NULL,
    journal_id TEXT NOT NULL,
    predecessor TEXT,
    boots INTEGER NOT NULL,
    openings TEXT NOT NULL,
    clean INTEGER NOT NULL,
    hash BLOB
  ) STRICT;
  INSERT INTO identity SELECT only, terminal, journal_id, NULL, 0, '', 1, NULL FROM journal_identity;
  DROP TABLE journal_identity;

  -- Written with every append: what vouches for the queue and for the end of the chain. hash covers the other columns;
  -- synced: the transaction that wrote it waited for the disk.
  CREATE TABLE seal (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    synced INTEGER NOT NULL,
    journal_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    link BLOB NOT NULL,
    waiting INTEGER NOT NULL,
    waiting_digest BLOB NOT NULL,
    last_row INTEGER NOT NULL,
    hash BLOB NOT NULL
  ) STRICT;

  -- Written when the events since the last one weigh as much. link is NULL where version 1 took it.
  CREATE TABLE snapshot (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    position INTEGER NOT NULL,
    link BLOB,
    hash BLOB NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  INSERT INTO snapshot SELECT only, position, NULL, hash, body FROM state;
  DROP TABLE state;

  -- The last event that was forgotten: the chain goes on from it.
  CREATE TABLE anchor (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    position INTEGER NOT NULL,
    link BLOB NOT NULL,
    hash BLOB NOT NULL
  ) STRICT;

  -- Events that are found even when they are forgotten, because the tail is folded by them.
  CREATE TABLE kept_event (
    kind TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL,
    body TEXT NOT NULL
  ) STRICT;

  CREATE TABLE tap_counter (
    token TEXT PRIMARY KEY,
    counter INTEGER NOT NULL,
    hash BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO tap_counter SELECT token, counter, counter_hash(token, counter) FROM card_counter;
  DROP TABLE card_counter;

  -- body is canonical JSON.
  CREATE TABLE sold_sale (
    position INTEGER PRIMARY KEY,
    sale_id TEXT NOT NULL UNIQUE,
    at_ms INTEGER NOT NULL,
    hash BLOB NOT NULL,
    body TEXT NOT NULL
  ) STRICT;

  CREATE TABLE sold_refund (
    position INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    sale_id TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    hash BLOB NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX sold_refund_sale ON sold_refund (sale_id);

  CREATE TABLE deny_list (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    version INTEGER NOT NULL,
    count INTEGER NOT NULL,
    hash BLOB NOT NULL,
    coded BLOB NOT NULL
  ) STRICT;
  `,
];
