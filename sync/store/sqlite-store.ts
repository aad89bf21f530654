/**
 * The store on an SQLite file: one synchronous transaction and one sync of the disk for each append.
 *
 * Assumptions: a local file system that honours fsync. After a failed write nobody knows what is on disk, so the store
 * refuses everything until it is opened again; the daemon ends, is started again and replays.
 */
import { randomBytes } from "node:crypto";
import type Database from "better-sqlite3";
import type { LedgerRequest } from "../../daemon/core/clearing.ts";
import { Fault } from "../../daemon/core/fault.ts";
import { fromCanonicalJson, toCanonicalJson } from "./canonical-json.ts";
import {
  damaged,
  followChain,
  genesis,
  type Link,
  nextLink,
  rowHash,
  type StoredRecord,
  sameHash,
  stateHash,
} from "./chain.ts";
import { FileLock } from "./file-lock.ts";
import { faultOf, translated } from "./sqlite-fault.ts";
import { openFile, realPathOf } from "./sqlite-file.ts";
import { type Identity, type Statements, statementsOf } from "./statements.ts";
import {
  type Commit,
  type DeadLetter,
  type JournalEvent,
  type JournalRecord,
  lastTimeOf,
  type Opened,
  type OutboxRow,
  type Store,
} from "./store.ts";

/** Rows read at a time when the journal is walked. */
export const PAGE_ROWS = 500;

/** The chain is known to be good up to at most this many events before the last. */
export const VERIFIED_EVERY = 1_000;

export type SqliteStoreSettings = { readonly path: string; readonly terminal: string };

/** Everything that exists while the file is open. */
type Session = {
  readonly path: string;
  readonly database: Database.Database;
  readonly statements: Statements;
  readonly lock: FileLock;
  readonly origin: Link;
  head: Link;
  verified: number;
  readonly unsavedSends: Map<string, number>;
};

export class SqliteStore<Event extends JournalEvent, State> implements Store<Event, State> {
  readonly #settings: SqliteStoreSettings;
  #session: Session | undefined;
  #failure: Fault | undefined;

  constructor(settings: SqliteStoreSettings) {
    this.#settings = settings;
  }

  open(): Opened<Event, State> {
    if (this.#session !== undefined) throw new Error("the store is open");
    const path = realPathOf(this.#settings.path);
    const lock = new FileLock(path);
    lock.take();
    let database: Database.Database | undefined;
    try {
      database = openFile(path);
      const session = startSession(path, this.#settings.terminal, database, lock);
      const opened = translated(path, () => this.#readState(session));
      this.#session = session;
      this.#failure = undefined;
      return opened;
    } catch (error) {
      database?.close();
      lock.release();
      throw error;
    }
  }

  append(commit: Commit<Event, State>): number {
    const session = this.#require();
    const atMs = lastTimeOf(commit.events);
    let head = session.head;
    try {
      session.database
        .transaction(() => {
          head = writeEvents(session, commit.events);
          writeState(session, head, toCanonicalJson(commit.state));
          writeOutbox(session, commit, atMs);
          writeVerified(session, head);
        })
        .immediate();
    } catch (error) {
      throw this.#poison(session, error);
    }
    session.head = head;
    if (head.position - session.verified >= VERIFIED_EVERY) session.verified = head.position;
    session.unsavedSends.clear();
    return head.position;
  }

  events(fromPosition = 1): Iterable<JournalRecord<Event>> {
    return this.#walk(this.#require(), fromPosition);
  }

  lastOfKind(kind: Event["kind"], upToPosition: number): Event | null {
    const session = this.#require();
    return translated(session.path, () => {
      const row = session.statements.lastOfKind.get(kind, upToPosition);
      return row === undefined ? null : (parse(session.path, row.body) as Event);
    });
  }

  verify(): { readonly events: number } {
    const session = this.#require();
    return translated(session.path, () => {
      const report = session.database.pragma("quick_check(1)", { simple: true });
      if (report !== "ok") throw damaged(session.path, String(report));
      const head = followChain(session.origin, walk(session, 1), session.path);
      if (head.position !== session.head.position)
        throw damaged(session.path, `event ${head.position + 1} is missing`);
      return { events: head.position };
    });
  }

  pending(afterPosition: number, limit: number): readonly OutboxRow[] {
    const session = this.#require();
    return translated(session.path, () =>
      session.statements.pending.all(afterPosition, limit).map((row) => ({
        position: row.position,
        id: row.id,
        request: readRequest(session.path, row),
        createdMs: row.created_ms,
        sentCount: row.sent_count + (session.unsavedSends.get(row.id) ?? 0),
      })),
    );
  }

  depth(): number {
    const session = this.#require();
    return translated(session.path, () => Number(session.statements.depth.get()));
  }

  markSent(id: string): void {
    const { unsavedSends } = this.#require();
    unsavedSends.set(id, (unsavedSends.get(id) ?? 0) + 1);
  }

  deadLetter(id: string, reason: string, atMs: number): void {
    const session = this.#require();
    try {
      session.database
        .transaction(() => {
          if (session.statements.kill.run(id).changes === 0) return;
          session.statements.insertDeadLetter.run(id, reason, atMs);
        })
        .immediate();
    } catch (error) {
      throw this.#poison(session, error);
    }
  }

  deadLetters(): readonly DeadLetter[] {
    const session = this.#require();
    return translated(session.path, () =>
      session.statements.deadLetters.all().map((row) => ({
        id: row.id,
        reason: row.reason,
        atMs: row.at_ms,
        request: readRequest(session.path, row),
      })),
    );
  }

  lastCounter(token: string): number | null {
    const session = this.#require();
    return translated(session.path, () => session.statements.lastCounter.get(token)?.counter ?? null);
  }

  close(): void {
    const session = this.#session;
    if (session === undefined) return;
    this.#session = undefined;
    try {
      if (this.#failure === undefined) translated(session.path, () => settle(session));
    } finally {
      session.database.close();
      session.lock.release();
    }
  }

  #require(): Session {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#session === undefined) throw new Error("the store is not open");
    return this.#session;
  }

  /** A broken rule rolls back cleanly and is the caller's; anything else leaves the disk unknown. */
  #poison(session: Session, error: unknown): unknown {
    const fault = faultOf(session.path, error);
    if (fault instanceof Fault) this.#failure = fault;
    return fault;
  }

  #readState(session: Session): Opened<Event, State> {
    const row = session.statements.state.get();
    if (row === undefined) return { state: null, statePosition: 0, tail: this.#walk(session, 1) };
    const link = linkAt(session, row.position);
    if (link === undefined) throw damaged(session.path, `event ${row.position} is missing`);
    if (!sameHash(stateHash(link, row.body), row.hash))
      throw damaged(session.path, "the state snapshot was changed");
    // The chain proves that this program wrote the body, in the shape that it was given.
    const state = parse(session.path, row.body) as State;
    return { state, statePosition: row.position, tail: this.#walk(session, row.position + 1) };
  }

  *#walk(session: Session, fromPosition: number): Generator<JournalRecord<Event>> {
    for (const { position, body, hash } of walk(session, fromPosition)) {
      yield { position, event: parse(session.path, body) as Event, hash };
    }
  }
}

function startSession(path: string, terminal: string, database: Database.Database, lock: FileLock): Session {
  return translated(path, () => {
    const statements = statementsOf(database);
    const identity = statements.identity.get() ?? makeIdentity(statements, terminal);
    if (identity.terminal !== terminal) {
      throw new Fault(
        "settings.invalid",
        `${path} is the journal of terminal ${identity.terminal}, the settings say ${terminal}: give each terminal its own file`,
      );
    }
    const origin = genesis(terminal, identity.journal_id);
    const session: Session = {
      path,
      database,
      statements,
      lock,
      origin,
      head: origin,
      verified: 0,
      unsavedSends: new Map(),
    };
    session.head = followChain(trustedLink(session), walk(session, verifiedPosition(session) + 1), path);
    // Written at every opening, so that a file that cannot be written is found now and not at the first sale.
    session.statements.saveVerified.run(session.head.position, session.head.hash);
    session.verified = session.head.position;
    return session;
  });
}

/** A new journal: the random id keeps its records from fitting into another. */
function makeIdentity(statements: Statements, terminal: string): Identity {
  const identity = { terminal, journal_id: randomBytes(16).toString("hex") };
  statements.insertIdentity.run(identity.terminal, identity.journal_id);
  return identity;
}

function verifiedPosition(session: Session): number {
  return session.statements.verified.get()?.position ?? 0;
}

/** Where the last verification ended, when the file still says so. */
function trustedLink(session: Session): Link {
  const row = session.statements.verified.get();
  if (row === undefined || row.position === 0) return session.origin;
  const link = linkAt(session, row.position);
  if (link === undefined) throw damaged(session.path, `event ${row.position} is missing`);
  if (!sameHash(link.hash, row.hash)) throw damaged(session.path, `event ${row.position} was changed`);
  return link;
}

function linkAt(session: Session, position: number): Link | undefined {
  return session.statements.link.get(position);
}

/** Page by page, because the binding allows no other statement while one is being read. */
function* walk(session: Session, fromPosition: number): Generator<StoredRecord> {
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

function writeEvents(session: Session, events: readonly JournalEvent[]): Link {
  let link = session.head;
  for (const event of events) {
    const body = toCanonicalJson(event);
    link = nextLink(link, body);
    session.statements.insertRecord.run(link.position, body, link.hash);
  }
  return link;
}

function writeState(session: Session, link: Link, body: string): void {
  session.statements.saveState.run(link.position, body, stateHash(link, body));
}

function writeOutbox<Event extends JournalEvent, State>(
  session: Session,
  commit: Commit<Event, State>,
  atMs: number,
): void {
  const { statements } = session;
  for (const { id, request } of commit.outbox) {
    const text = toCanonicalJson(request);
    if (statements.insertRow.run(id, text, rowHash(id, text), atMs).changes === 1) continue;
    if (statements.requestOf.get(id)?.request !== text)
      throw new Error(`outbox row ${id} exists with another request`);
  }
  for (const answer of commit.acknowledged) {
    const { requestId, outcome } = answer;
    if (statements.acknowledge.run(atMs, toCanonicalJson(answer), requestId).changes === 0) continue;
    if (outcome.kind === "refused")
      statements.insertDeadLetter.run(requestId, `refused: ${outcome.reason}`, atMs);
  }
  for (const { token, counter } of commit.cardCounters) statements.saveCounter.run(token, counter);
  for (const [id, count] of session.unsavedSends) statements.addSent.run(count, id);
}

function writeVerified(session: Session, head: Link): void {
  if (head.position - session.verified >= VERIFIED_EVERY)
    session.statements.saveVerified.run(head.position, head.hash);
}

/** Leaves a file that opens at once and has no -wal beside it. */
function settle(session: Session): void {
  session.database
    .transaction(() => {
      for (const [id, count] of session.unsavedSends) session.statements.addSent.run(count, id);
      session.statements.saveVerified.run(session.head.position, session.head.hash);
    })
    .immediate();
  session.database.pragma("wal_checkpoint(TRUNCATE)");
}

function readRequest(path: string, row: { id: string; request: string; hash: Uint8Array }): LedgerRequest {
  if (!sameHash(rowHash(row.id, row.request), row.hash))
    throw damaged(path, `outbox row ${row.id} was changed`);
  return parse(path, row.request) as LedgerRequest;
}

function parse(path: string, text: string): unknown {
  try {
    return fromCanonicalJson(text);
  } catch (error) {
    throw damaged(path, "a record is not JSON", error);
  }
}
