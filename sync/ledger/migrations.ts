/**
 * The ledger's tables as data: migration n brings a database from user_version n to n + 1. A released migration is
 * never changed; a change of the tables is a new one at the end.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;

  CREATE TABLE terminals (
    id TEXT PRIMARY KEY, merchant TEXT NOT NULL, first_seen_ms INTEGER NOT NULL, last_seen_ms INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE charges (
    id INTEGER PRIMARY KEY,
    terminal TEXT NOT NULL REFERENCES terminals(id),
    key TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    sale_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    merchant TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    vat_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('online', 'offline')),
    card TEXT NOT NULL,
    card_masked TEXT NOT NULL,
    card_token TEXT,
    lines TEXT NOT NULL,
    state TEXT NOT NULL
      CHECK (state IN ('attempting', 'pending', 'approved', 'declined', 'reversing', 'reversed')),
    gateway TEXT NOT NULL,
    gateway_key TEXT NOT NULL UNIQUE,
    authorisation TEXT,
    decline_reason TEXT,
    resolve_count INTEGER NOT NULL DEFAULT 0,
    next_resolve_ms INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    settled_ms INTEGER,
    UNIQUE (terminal, key)
  ) STRICT;
  CREATE INDEX charges_by_key ON charges (key);
  CREATE INDEX charges_due ON charges (next_resolve_ms) WHERE state IN ('attempting', 'pending', 'reversing');

  CREATE TABLE tombstones (
    terminal TEXT NOT NULL, key TEXT NOT NULL, sale_id TEXT NOT NULL, received_ms INTEGER NOT NULL,
    PRIMARY KEY (terminal, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    charge_id INTEGER NOT NULL REFERENCES charges(id),
    operation TEXT NOT NULL CHECK (operation IN ('authorise', 'query', 'reverse', 'refund')),
    gateway_key TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    finished_ms INTEGER,
    result TEXT
  ) STRICT;
  CREATE INDEX attempts_of_charge ON attempts (charge_id);

  CREATE TABLE card_taps (
    card TEXT NOT NULL, counter INTEGER NOT NULL, terminal TEXT NOT NULL, key TEXT NOT NULL,
    PRIMARY KEY (card, counter)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE accounts (
    code TEXT NOT NULL, currency TEXT NOT NULL, kind TEXT NOT NULL, PRIMARY KEY (code, currency)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE transfers (
    id TEXT PRIMARY KEY,
    charge_id INTEGER NOT NULL REFERENCES charges(id),
    kind TEXT NOT NULL CHECK (kind IN ('hold', 'post', 'void', 'claim', 'mirror')),
    debit TEXT NOT NULL,
    credit TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    resolves TEXT UNIQUE REFERENCES transfers(id),
    booked_ms INTEGER NOT NULL,
    CHECK (debit <> credit)
  ) STRICT;

  CREATE TABLE entries (
    transfer_id TEXT NOT NULL REFERENCES transfers(id),
    line INTEGER NOT NULL,
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    layer TEXT NOT NULL CHECK (layer IN ('pending', 'posted')),
    side TEXT NOT NULL CHECK (side IN ('debit', 'credit')),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    PRIMARY KEY (transfer_id, line),
    FOREIGN KEY (account, currency) REFERENCES accounts (code, currency)
  ) STRICT, WITHOUT ROWID;

  CREATE TRIGGER transfers_stay BEFORE UPDATE ON transfers BEGIN SELECT RAISE(ABORT, 'transfers are immutable'); END;
  CREATE TRIGGER transfers_remain BEFORE DELETE ON transfers BEGIN SELECT RAISE(ABORT, 'transfers are immutable'); END;
  CREATE TRIGGER entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are immutable'); END;
  CREATE TRIGGER entries_remain BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are immutable'); END;

  CREATE TABLE alarms (
    kind TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL, count INTEGER NOT NULL,
    first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, PRIMARY KEY (kind, subject)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY, topic TEXT NOT NULL, payload BLOB NOT NULL, bytes INTEGER NOT NULL, reason TEXT NOT NULL,
    received_ms INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE audit (
    number INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, event TEXT NOT NULL, hash BLOB NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE refunds (
    id INTEGER PRIMARY KEY,
    terminal TEXT NOT NULL,
    key TEXT NOT NULL,
    charge_id INTEGER REFERENCES charges(id),
    merchant TEXT NOT NULL,
    sale_id TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('attempting', 'pending', 'refunded', 'refused')),
    refusal TEXT,
    total_minor INTEGER,
    refund_key TEXT NOT NULL UNIQUE,
    resolve_count INTEGER NOT NULL DEFAULT 0,
    next_resolve_ms INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    settled_ms INTEGER,
    UNIQUE (terminal, key),
    CHECK (charge_id IS NOT NULL OR state = 'refused'),
    CHECK ((refusal IS NOT NULL) = (state = 'refused')),
    CHECK ((total_minor IS NOT NULL) = (state = 'refunded'))
  ) STRICT;
  CREATE INDEX refunds_of_charge ON refunds (charge_id);
  CREATE INDEX refunds_due ON refunds (next_resolve_ms) WHERE state IN ('attempting', 'pending');
  CREATE INDEX charges_of_sale ON charges (sale_id);

  -- What storage.ts promises, also when a program forgets it: all refunds of a charge together never exceed it.
  CREATE TRIGGER refunds_fit BEFORE INSERT ON refunds WHEN NEW.state <> 'refused' BEGIN
    SELECT RAISE(ABORT, 'refunds exceed the charge') WHERE NEW.amount_minor >
      (SELECT amount_minor FROM charges WHERE id = NEW.charge_id)
      - (SELECT COALESCE(SUM(amount_minor), 0) FROM refunds WHERE charge_id = NEW.charge_id AND state <> 'refused');
  END;
  CREATE TRIGGER refunds_remain BEFORE DELETE ON refunds BEGIN SELECT RAISE(ABORT, 'refunds are kept'); END;

  -- Goods handed over for a charge that has not arrived.
  CREATE TABLE honours (
    terminal TEXT NOT NULL, key TEXT NOT NULL, sale_id TEXT NOT NULL, received_ms INTEGER NOT NULL,
    PRIMARY KEY (terminal, key)
  ) STRICT, WITHOUT ROWID;

  ALTER TABLE attempts ADD COLUMN refund_id INTEGER REFERENCES refunds(id);

  -- A check cannot be changed in place: the table is written anew with one kind of transfer more.
  CREATE TABLE transfers_2 (
    id TEXT PRIMARY KEY,
    charge_id INTEGER NOT NULL REFERENCES charges(id),
    kind TEXT NOT NULL CHECK (kind IN ('hold', 'post', 'void', 'claim', 'mirror', 'refund')),
    debit TEXT NOT NULL,
    credit TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    resolves TEXT UNIQUE REFERENCES transfers(id),
    booked_ms INTEGER NOT NULL,
    CHECK (debit <> credit)
  ) STRICT;
  INSERT INTO transfers_2 SELECT * FROM transfers;
  DROP TABLE transfers;
  ALTER TABLE transfers_2 RENAME TO transfers;
  CREATE TRIGGER transfers_stay BEFORE UPDATE ON transfers BEGIN SELECT RAISE(ABORT, 'transfers are immutable'); END;
  CREATE TRIGGER transfers_remain BEFORE DELETE ON transfers BEGIN SELECT RAISE(ABORT, 'transfers are immutable'); END;
  `,
  `
  -- Every journal that a terminal was welcomed with, and how far each was seen.
  CREATE TABLE journals (
    terminal TEXT NOT NULL, journal_id TEXT NOT NULL, predecessor TEXT, boots INTEGER NOT NULL,
    boot_nonce TEXT NOT NULL, highest_position INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
    PRIMARY KEY (terminal, journal_id)
  ) STRICT, WITHOUT ROWID;

  -- The one that each terminal sells with, and one that an operator lets in next.
  CREATE TABLE terminal_journals (
    terminal TEXT PRIMARY KEY, journal_id TEXT NOT NULL, expected TEXT,
    FOREIGN KEY (terminal, journal_id) REFERENCES journals (terminal, journal_id)
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX charges_of_terminal ON charges (terminal, sequence);

  -- By which hash a card of the books is denied.
  CREATE TABLE cards (card TEXT PRIMARY KEY, deny_hash TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE denied_cards (
    card TEXT PRIMARY KEY, masked TEXT, reason TEXT NOT NULL, by_whom TEXT NOT NULL, since_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE deny_changes (
    version INTEGER PRIMARY KEY, change TEXT NOT NULL CHECK (change IN ('denied', 'allowed')), card TEXT NOT NULL,
    by_whom TEXT NOT NULL, time_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TRIGGER deny_changes_stay BEFORE UPDATE ON deny_changes
    BEGIN SELECT RAISE(ABORT, 'deny changes are immutable'); END;
  CREATE TRIGGER deny_changes_remain BEFORE DELETE ON deny_changes
    BEGIN SELECT RAISE(ABORT, 'deny changes are immutable'); END;
  `,
];
