/**
 * The store on an SQLite file: one synchronous transaction and one sync of the disk for each append.
 *
 * Assumptions: a local file system that honours fsync. After a failed write nobody knows what is on disk, so the store
 * refuses everything until it is opened again; the daemon ends, is started again and replays.
 */
import type Database from "better-sqlite3";
import { Fault } from "../../daemon/core/fault.ts";
import type { FoundSale } from "../../daemon/core/staff.ts";
import type { DenyList } from "../wire/deny-list.ts";
import { checkAll, clearSuspicion, isSuspect, markSuspect } from "./checking.ts";
import { FileLock } from "./file-lock.ts";
import { forgetOld } from "./forgetting.ts";
import {
  readCounter,
  readDeadLetters,
  readDenyList,
  readLastOfKind,
  readPending,
  readSale,
  readSales,
  writeDenyList,
} from "./reading.ts";
import { withoutRow } from "./seal.ts";
import { putInPlace } from "./set-aside.ts";
import { faultOf, translated } from "./sqlite-fault.ts";
import { closeUnsettled, openFile, realPathOf } from "./sqlite-file.ts";
import {
  parse,
  type Session,
  saveIdentity,
  saveSeal,
  saveVerified,
  setSyncing,
  startSession,
  TIDY_AFTER_APPENDS,
  VERIFIED_EVERY,
  walk,
} from "./sqlite-session.ts";
import {
  type Commit,
  type DeadLetter,
  type JournalEvent,
  type JournalIdentity,
  type JournalRecord,
  lastTimeOf,
  type Opened,
  type OutboxRow,
  type Retention,
  type Store,
} from "./store.ts";
import { checkBeside, hasWal } from "./wal.ts";
import { takeSnapshot, writeBeside, writeEvents, writeOutbox } from "./writing.ts";

export type SqliteStoreSettings = { readonly path: string; readonly terminal: string };

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
      putInPlace(path);
      checkBeside(path);
      const hadWal = hasWal(path);
      database = openFile(path);
      const { terminal } = this.#settings;
      const session = startSession({ path, terminal, database, lock, hadWal });
      if (isSuspect(path)) translated(path, () => checkAll(session));
      clearSuspicion(path);
      const opened = this.#opened(session);
      this.#session = session;
      this.#failure = undefined;
      return opened;
    } catch (error) {
      if (database !== undefined) closeUnsettled(database);
      lock.release();
      throw error;
    }
  }

  append(commit: Commit<Event, State>): number {
    const session = this.#require();
    const atMs = lastTimeOf(commit.events);
    const synced = commit.synced ?? true;
    const after = this.#write(session, synced, () => {
      const { head, weight } = writeEvents(session, commit.events);
      const queue = writeOutbox(session, commit, atMs);
      saveSeal(session, { ...queue, head, synced });
      const taken = takeSnapshot(session, head, commit.state, weight);
      writeBeside(session, commit, atMs);
      const isMarked = head.position - session.verified >= VERIFIED_EVERY;
      if (isMarked) saveVerified(session, head);
      const verified = isMarked ? head.position : session.verified;
      return { head, ...queue, ...taken, verified, state: commit.state };
    });
    Object.assign(session, after);
    session.unsavedSends.clear();
    session.appends += 1;
    return after.head.position;
  }

  events(fromPosition = 1): Iterable<JournalRecord<Event>> {
    return this.#walk(this.#require(), fromPosition);
  }

  lastOfKind(kind: Event["kind"], upToPosition: number): Event | null {
    return this.#read((session) => readLastOfKind(session, kind, upToPosition) as Event | null);
  }

  verify(): { readonly events: number } {
    return this.#read(checkAll);
  }

  pending(afterPosition: number, limit: number): readonly OutboxRow[] {
    return this.#read((session) => readPending(session, afterPosition, limit));
  }

  depth(): number {
    return this.#require().waiting.count;
  }

  markSent(id: string): void {
    const { unsavedSends } = this.#require();
    unsavedSends.set(id, (unsavedSends.get(id) ?? 0) + 1);
  }

  deadLetter(id: string, reason: string, atMs: number): void {
    const session = this.#require();
    const after = this.#write(session, true, () => {
      const row = session.statements.bury.get(id);
      if (row === undefined) return undefined;
      session.statements.insertDeadLetter.run(id, reason, atMs);
      const waiting = withoutRow(session.waiting, row);
      saveSeal(session, { ...session, waiting, synced: true });
      return { waiting };
    });
    if (after !== undefined) Object.assign(session, after);
  }

  deadLetters(): readonly DeadLetter[] {
    return this.#read(readDeadLetters);
  }

  lastCounter(token: string): number | null {
    return this.#read((session) => readCounter(session, token));
  }

  identity(): JournalIdentity {
    const { identity, bootNonce, lastRow } = this.#require();
    const { journalId, predecessor, boots, openings } = identity;
    return { journalId, predecessor, boots, bootNonce, openings, lastOutboxPosition: lastRow };
  }

  markWelcomed(): void {
    const session = this.#require();
    const { identity, bootNonce } = session;
    if (identity.openings.length === 1) return;
    const welcomed = { ...identity, openings: [bootNonce] };
    this.#write(session, true, () => saveIdentity(session, welcomed));
    session.identity = welcomed;
  }

  soldSale(saleId: string): FoundSale | null {
    return this.#read((session) => readSale(session, saleId));
  }

  soldSales(limit: number): readonly FoundSale[] {
    return this.#read((session) => readSales(session, limit));
  }

  saveDenyList(list: DenyList): void {
    const session = this.#require();
    this.#write(session, true, () => writeDenyList(session, list));
  }

  denyList(): DenyList | null {
    return this.#read(readDenyList);
  }

  tidy(): void {
    const session = this.#require();
    if (session.appends < TIDY_AFTER_APPENDS) return;
    session.appends = 0;
    // Passive: a support tool that reads the file meanwhile is not waited for.
    this.#guarded(session, () => session.database.pragma("wal_checkpoint(PASSIVE)"));
  }

  prune(retention: Retention, nowMs: number): boolean {
    const session = this.#require();
    const { more, ...after } = this.#write(session, true, () => {
      const taken = takeSnapshot(session, session.head, session.state, Infinity);
      return { ...taken, ...forgetOld({ ...session, ...taken }, retention, nowMs) };
    });
    Object.assign(session, after);
    return more;
  }

  close(): void {
    const session = this.#session;
    if (session === undefined) return;
    this.#session = undefined;
    try {
      if (this.#failure === undefined) translated(session.path, () => settle(session));
    } finally {
      if (session.database.open) closeUnsettled(session.database);
      session.lock.release();
    }
  }

  #require(): Session {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#session === undefined) throw new Error("the store is not open");
    return this.#session;
  }

  #read<Result>(work: (session: Session) => Result): Result {
    const session = this.#require();
    try {
      return translated(session.path, () => work(session));
    } catch (error) {
      throw this.#failed(session, error);
    }
  }

  #write<Result>(session: Session, synced: boolean, work: () => Result): Result {
    return this.#guarded(session, () => {
      setSyncing(session, synced);
      return session.database.transaction(work).immediate();
    });
  }

  /** A broken rule rolls back cleanly and is the caller's; anything else leaves the disk unknown. */
  #guarded<Result>(session: Session, work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      const fault = this.#failed(session, error);
      if (fault instanceof Fault) this.#failure = fault;
      throw fault;
    }
  }

  /** Nothing more is written to a journal that is damaged. */
  #failed({ path }: Session, error: unknown): unknown {
    const fault = faultOf(path, error);
    if (!(fault instanceof Fault) || fault.code !== "journal.damaged") return fault;
    markSuspect(path);
    this.#failure = fault;
    return fault;
  }

  #opened(session: Session): Opened<Event, State> {
    const { snapshot } = session;
    if (snapshot === null) return { state: null, statePosition: 0, tail: this.#walk(session, 1) };
    // The seal proves that this program wrote the body, in the shape that it was given.
    const state = parse(session.path, snapshot.body) as State;
    const { position } = snapshot.link;
    return { state, statePosition: position, tail: this.#walk(session, position + 1) };
  }

  *#walk(session: Session, fromPosition: number): Generator<JournalRecord<Event>> {
    for (const { position, body, hash } of walk(session, fromPosition)) {
      yield { position, event: parse(session.path, body) as Event, hash };
    }
  }
}

/** Leaves a file that opens at once and has no -wal beside it: SQLite removes what it has written into the file. */
function settle(session: Session): void {
  setSyncing(session, true);
  session.database
    .transaction(() => {
      for (const [id, count] of session.unsavedSends) session.statements.addSent.run(count, id);
      takeSnapshot(session, session.head, session.state, Infinity);
      saveVerified(session, session.head);
      saveIdentity(session, { ...session.identity, clean: true });
    })
    .immediate();
  session.database.pragma("wal_checkpoint(TRUNCATE)");
  session.database.close();
}
