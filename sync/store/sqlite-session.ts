/** What exists while a journal's file is open, and how an opening makes sure of it. */
import { randomBytes, randomUUID } from "node:crypto";
import type Database from "better-sqlite3";
import { Fault } from "../../daemon/core/fault.ts";
import { fromCanonicalJson } from "./canonical-json.ts";
import {
  damaged,
  followChain,
  genesis,
  isRowIntact,
  type Link,
  type StoredRecord,
  sameHash,
  stateHash,
} from "./chain.ts";
import type { FileLock } from "./file-lock.ts";
import { openingsText, readOpenings, withOpening } from "./openings.ts";
import {
  NONE_WAITING,
  type Seal,
  type Snapshot,
  sealHash,
  snapshotHash,
  type Waiting,
  withRow,
} from "./seal.ts";
import { anchorHash, identityHash, type StoredIdentity } from "./sealed-rows.ts";
import { translated } from "./sqlite-fault.ts";
import { type Statements, statementsOf } from "./statements.ts";

/** Rows read at a time when the journal is walked. */
export const PAGE_ROWS = 500;

/** The chain is known to be good up to at most this many events before the last. */
export const VERIFIED_EVERY = 1_000;

/** About a dozen sales, 2 MiB of log: what moving costs is then far above what calling costs. */
export const TIDY_AFTER_APPENDS = 100;

/** Everything that exists while the file is open. */
export type Session = {
  readonly path: string;
  readonly database: Database.Database;
  readonly statements: Statements;
  readonly lock: FileLock;
  identity: StoredIdentity;
  readonly bootNonce: string;
  /** Where the chain begins: the journal's own origin, or the last event that was forgotten. */
  origin: Link;
  head: Link;
  verified: number;
  waiting: Waiting;
  lastRow: number;
  /** As it is on disk, null while there is none. */
  snapshot: Snapshot | null;
  /** The state after the last append of this session, which the snapshot may lag behind; undefined before the first. */
  state: unknown;
  /** Characters of the events since the snapshot was taken. */
  sinceSnapshot: number;
  readonly unsavedSends: Map<string, number>;
  /** Whether the connection's next commit waits for the disk. */
  isSyncing: boolean;
  /** Since the log was last moved into the file. */
  appends: number;
};

export type SessionPlace = {
  readonly path: string;
  readonly terminal: string;
  readonly database: Database.Database;
  readonly lock: FileLock;
  /** Whether a -wal lay beside the file before it was opened. */
  readonly hadWal: boolean;
};

/** Verifies what selling depends on and counts the opening. Throws Fault "journal.damaged" or "settings.invalid". */
export function startSession(place: SessionPlace): Session {
  const { path, database, lock } = place;
  return translated(path, () => {
    const statements = statementsOf(database);
    const identity = readIdentity(place, statements);
    const origin = readAnchor(path, statements) ?? genesis(identity.terminal, identity.journalId);
    const session: Session = {
      path,
      database,
      statements,
      lock,
      identity,
      bootNonce: randomUUID(),
      origin,
      head: origin,
      verified: 0,
      waiting: NONE_WAITING,
      lastRow: Number(statements.lastRow.get()),
      snapshot: null,
      state: undefined,
      sinceSnapshot: 0,
      unsavedSends: new Map(),
      isSyncing: true,
      appends: 0,
    };
    const from = identity.boots === 0 ? origin : trustedLink(session);
    session.head = followChain(from, walk(session, from.position + 1), path);
    session.waiting = readWaiting(session);
    checkSeal(session);
    session.snapshot = readSnapshot(session);
    // How much the tail weighs is not worth reading it: the next append takes a snapshot.
    if (session.snapshot?.link.position !== session.head.position) session.sinceSnapshot = Infinity;
    countBoot(session);
    return session;
  });
}

/**
 * In WAL mode a commit under NORMAL is written in its order and not synced, and the next one under FULL makes it durable
 * too (sqlite.org/pragma.html#pragma_synchronous).
 */
export function setSyncing(session: Session, isSyncing: boolean): void {
  if (session.isSyncing === isSyncing) return;
  session.database.pragma(`synchronous = ${isSyncing ? "FULL" : "NORMAL"}`);
  session.isSyncing = isSyncing;
}

export function saveIdentity(session: Session, identity: StoredIdentity): void {
  const { terminal, journalId, predecessor, boots, clean } = identity;
  const openings = openingsText(identity.openings);
  const hash = identityHash(identity);
  session.statements.saveIdentity.run(terminal, journalId, predecessor, boots, openings, clean ? 1 : 0, hash);
}

/** The end of the chain and the queue, as they are from now on. */
export function saveSeal(
  { statements, identity }: Session,
  { synced, head, waiting, lastRow }: Omit<Seal, "journalId">,
): void {
  const { journalId } = identity;
  const { count, digest } = waiting;
  const hash = sealHash({ synced, journalId, head, waiting, lastRow });
  statements.saveSeal.run(synced ? 1 : 0, journalId, head.position, head.hash, count, digest, lastRow, hash);
}

export function saveSnapshot({ statements }: Session, snapshot: Snapshot): void {
  const { link, body } = snapshot;
  statements.saveSnapshot.run(link.position, link.hash, snapshotHash(snapshot), body);
}

export function saveVerified(session: Session, head: Link): void {
  session.statements.saveVerified.run(head.position, head.hash);
}

/** Page by page, because the binding allows no other statement while one is being read. */
export function* walk(session: Session, fromPosition: number): Generator<StoredRecord> {
  let from = fromPosition;
  for (;;) {
    const start = from;
    const page = translated(session.path, () => session.statements.records.all(start, PAGE_ROWS));
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_ROWS) return;
    from = last.position + 1;
  }
}

export function parse(path: string, text: string): unknown {
  try {
    return fromCanonicalJson(text);
  } catch (error) {
    throw damaged(path, "a record is not JSON", error);
  }
}

/** `boots` is 0 in a journal that was made just now or by version 1: its chain is followed from the beginning. */
function readIdentity({ path, terminal, hadWal }: SessionPlace, statements: Statements): StoredIdentity {
  const row = statements.identity.get();
  if (row === undefined) {
    // The random id keeps the records of this journal from fitting into another.
    const journalId = randomBytes(16).toString("hex");
    return { terminal, journalId, predecessor: null, boots: 0, openings: [], clean: true };
  }
  const { journal_id: journalId, predecessor, boots } = row;
  const openings = readOpenings(row.openings);
  const identity = {
    terminal: row.terminal,
    journalId,
    predecessor,
    boots,
    openings,
    clean: row.clean === 1,
  };
  // Version 1 did not seal it; the chain, followed from the beginning, vouches for it.
  const isUnsealed = row.hash === null && row.boots === 0;
  if (!isUnsealed && !sameHash(identityHash(identity), row.hash))
    throw damaged(path, "the journal's identity was changed");
  if (row.terminal !== terminal) {
    throw new Fault(
      "settings.invalid",
      `${path} is the journal of terminal ${row.terminal}, the settings say ${terminal}: give each terminal its own file`,
    );
  }
  // SQLite removes the -wal only when a journal is closed in order, and that is written down.
  if (!identity.clean && !hadWal)
    throw damaged(path, "it was not closed in order and its -wal, with the last sales, is missing");
  return identity;
}

function readAnchor(path: string, statements: Statements): Link | undefined {
  const row = statements.anchor.get();
  if (row === undefined) return undefined;
  if (!sameHash(anchorHash(row.position, row.link), row.hash))
    throw damaged(path, "the record of what was forgotten was changed");
  return { position: row.position, hash: row.link };
}

/** Where the last verification ended, when the file still says so. */
function trustedLink(session: Session): Link {
  const row = session.statements.verified.get();
  if (row === undefined || row.position <= session.origin.position) return session.origin;
  const link = linkAt(session, row.position);
  if (link === undefined) throw damaged(session.path, `event ${row.position} is missing`);
  if (!sameHash(link.hash, row.hash)) throw damaged(session.path, `event ${row.position} was changed`);
  return link;
}

function linkAt(session: Session, position: number): Link | undefined {
  if (position === session.origin.position) return session.origin;
  return session.statements.link.get(position);
}

/** Every row that waits, each with its own hash checked. */
function readWaiting(session: Session): Waiting {
  let waiting = NONE_WAITING;
  let from = 0;
  for (;;) {
    const page = session.statements.pending.all(from, PAGE_ROWS);
    for (const row of page) {
      if (!isRowIntact(row)) throw damaged(session.path, `outbox row ${row.id} was changed`);
      waiting = withRow(waiting, row);
      from = row.position;
    }
    if (page.length < PAGE_ROWS) return waiting;
  }
}

/** What every append vouched for. Absent in a journal that was made just now or by version 1, and only there. */
function checkSeal(session: Session): void {
  const { path, identity } = session;
  const row = session.statements.seal.get();
  if (row === undefined) {
    if (identity.boots > 0) throw damaged(path, "its seal is missing");
    return;
  }
  const { journal_id: journalId, last_row: lastRow } = row;
  const waiting: Waiting = { count: row.waiting, digest: row.waiting_digest };
  const seal = {
    synced: row.synced === 1,
    journalId,
    head: { position: row.position, hash: row.link },
    waiting,
    lastRow,
  };
  if (!sameHash(sealHash(seal), row.hash) || journalId !== identity.journalId)
    throw damaged(path, "its seal was changed");
  if (row.position > session.head.position)
    throw damaged(path, `event ${session.head.position + 1} is missing`);
  if (!sameHash(session.head.hash, row.link)) throw damaged(path, `event ${row.position} was changed`);
  const { count, digest } = session.waiting;
  if (count !== waiting.count || !sameHash(digest, waiting.digest))
    throw damaged(path, `the outbox was changed: of ${waiting.count} requests that wait, ${count} are found`);
  session.lastRow = lastRow;
}

function readSnapshot(session: Session): Snapshot | null {
  const { path, origin } = session;
  const row = session.statements.snapshot.get();
  if (row === undefined) {
    // Without a snapshot the state is folded from the events: all of them must be there.
    if (origin.position > 0)
      throw damaged(path, `the state snapshot is missing and events up to ${origin.position} are forgotten`);
    return null;
  }
  const { position, body } = row;
  const link = linkAt(session, position);
  if (link === undefined) throw damaged(path, `event ${position} is missing`);
  const snapshot: Snapshot = { link, body };
  const hash = row.link === null ? stateHash(link, body) : snapshotHash(snapshot);
  if (!sameHash(hash, row.hash)) throw damaged(path, "the state snapshot was changed");
  return snapshot;
}

/**
 * Writes at every opening, so that a file that cannot be written is found now and not at the first sale. The main file
 * itself learns that it is in use, which is why the -wal is missed when it is gone.
 */
function countBoot(session: Session): void {
  const { identity, bootNonce } = session;
  const openings = withOpening(identity.boots === 0 ? [] : identity.openings, bootNonce);
  session.identity = { ...identity, boots: identity.boots + 1, openings, clean: false };
  session.database
    .transaction(() => {
      saveIdentity(session, session.identity);
      saveVerified(session, session.head);
      saveSeal(session, { ...session, synced: true });
      // One that version 1 took gets the hash of this version.
      if (session.snapshot !== null) saveSnapshot(session, session.snapshot);
    })
    .immediate();
  session.verified = session.head.position;
  session.database.pragma("wal_checkpoint(PASSIVE)");
}
