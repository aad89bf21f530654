/**
 * The ledger's storage on SQLite: WAL, synchronous FULL (set and asserted, because the binding's default for WAL may
 * lose the newest commits with the power), foreign keys on, one writing connection, an exclusive lock against a
 * second ledger on the same folder.
 *
 * Assumes that one process owns the file. Other processes may read it while the ledger runs.
 */
import type Database from "better-sqlite3";
import { raiseAlarm, readAlarms } from "./alarms-sqlite.ts";
import { type AuditVerdict, appendAudit, verifyAudit } from "./audit-sqlite.ts";
import { cardSalt, openBooks, openingBooks, takeLock } from "./books-file.ts";
import { book } from "./books-sqlite.ts";
import type { Charge } from "./charge.ts";
import { honouringOf, type Learnt, moveOf, openingOf, UNRESOLVED } from "./charge.ts";
import { insertCharge, judgeTapOf, useTap } from "./charges-sqlite.ts";
import { allowCard, cardOfCharge, denyCard, readDenied, rememberCard } from "./denied-sqlite.ts";
import { cardFingerprint, refundKeyOf } from "./fingerprint.ts";
import type { JournalClaim, Verdict } from "./journal-registry.ts";
import { RESOLVE_HORIZON_MS } from "./patience.ts";
import { prepared } from "./prepared.ts";
import type { Refund } from "./refund.ts";
import {
  beginRefundAttempt,
  dueRefunds,
  findRefund,
  hasRefunds,
  makeRefundsDue,
  openRefund,
  settleRefund,
} from "./refunds-sqlite.ts";
import type {
  CardOfCharge,
  Denied,
  DeniedCard,
  RecallSearch,
  Remembered,
  TerminalRecord,
} from "./registry.ts";
import {
  expectJournal,
  greetJournal,
  notePosition,
  readTerminals,
  recallCharges,
} from "./registry-sqlite.ts";
import { chargeOf } from "./row.ts";
import { readStatement, readTransactions } from "./statement-sqlite.ts";
import {
  type Alarm,
  type DeadLetter,
  MAX_DEAD_LETTER_BYTES,
  MAX_DEAD_LETTERS,
  type NewCharge,
  type NewRefund,
  type Opened,
  type OpenedRefund,
  type Operation,
  type PromptLedgerStorage,
  type Raise,
  type RefundSettlement,
  type ReversalAsked,
  type Settlement,
  type Statement,
  type StatementFilter,
  type Transactions,
} from "./storage.ts";

type Db = Database.Database;

export class SqliteLedgerStorage implements PromptLedgerStorage {
  readonly #path: string;
  #db: Db | undefined;
  #lock: Db | undefined;
  #salt: Buffer = Buffer.alloc(0);

  /** `path`: the database file, or ":memory:". */
  constructor(path: string) {
    this.#path = path;
  }

  open(): void {
    openingBooks(this.#path, () => {
      if (this.#path !== ":memory:") this.#lock = takeLock(`${this.#path}.lock`);
      const db = openBooks(this.#path);
      this.#db = db;
      this.#salt = cardSalt(db);
    });
  }

  close(): void {
    this.#db?.close();
    this.#lock?.close();
    this.#db = undefined;
    this.#lock = undefined;
  }

  openCharge(fresh: NewCharge, nowMs: number): Opened {
    return this.#write((db) => {
      const known = this.#find(fresh.terminal, fresh.key);
      if (known !== undefined) {
        if (known.bodyHash !== fresh.bodyHash) return { kind: "conflict", charge: known };
        if (fresh.outbox !== null) notePosition(db, fresh.terminal, fresh.outbox);
        return { kind: "known", charge: known };
      }
      const { terminal, key } = fresh;
      if (fresh.outbox !== null) notePosition(db, terminal, fresh.outbox);
      const card = cardFingerprint(this.#salt, fresh.card.token);
      const opening = openingOf(fresh, {
        entombed: this.#entombed(terminal, key),
        honoured: this.#honoured(terminal, key),
        tap: judgeTapOf(db, card, fresh),
      });
      rememberCard(db, card, fresh.card.token);
      const charge = insertCharge(db, fresh, { card, opening, salt: this.#salt, nowMs });
      const { state } = opening;
      appendAudit(db, nowMs, { event: "received", terminal, key, state, ...amountOf(fresh) });
      for (const alarm of opening.alarms) raiseAlarm(db, { ...alarm, subject: `${terminal} ${key}` }, nowMs);
      book(db, charge, opening.steps, nowMs);
      if (state !== "attempting") return { kind: "decided", charge };
      useTap(db, card, fresh);
      return { kind: "opened", charge, attempt: this.#attempt(charge, "authorise", nowMs) };
    });
  }

  find(terminal: string, key: string): Charge | undefined {
    return this.#find(terminal, key);
  }

  entomb(terminal: string, key: string, saleId: string, nowMs: number): boolean {
    return this.#write((db) => {
      if (this.#find(terminal, key) !== undefined) return false;
      const put =
        "INSERT INTO tombstones (terminal, key, sale_id, received_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
      const { changes } = prepared(db, put).run(terminal, key, saleId, nowMs);
      if (changes > 0) appendAudit(db, nowMs, { event: "entombed", terminal, key });
      return true;
    });
  }

  isEntombed(terminal: string, key: string): boolean {
    return this.#entombed(terminal, key);
  }

  honour(terminal: string, key: string, saleId: string, nowMs: number): Charge | undefined {
    return this.#write((db) => {
      const charge = this.#find(terminal, key);
      if (charge === undefined) {
        const put =
          "INSERT INTO honours (terminal, key, sale_id, received_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
        prepared(db, put).run(terminal, key, saleId, nowMs);
        return undefined;
      }
      if (charge.saleId !== saleId) throw new Error(`charge ${charge.id} is not of sale ${saleId}`);
      if (charge.mode === "offline") return charge;
      prepared(db, "UPDATE charges SET mode = 'offline' WHERE id = ?").run(charge.id);
      const { steps, alarms } = honouringOf(charge);
      book(db, charge, steps, nowMs);
      for (const alarm of alarms) raiseAlarm(db, { ...alarm, subject: `${terminal} ${key}` }, nowMs);
      appendAudit(db, nowMs, { event: "honoured", terminal, key, state: charge.state });
      return { ...charge, mode: "offline" };
    });
  }

  beginAttempt(charge: Charge, operation: Operation, nowMs: number): number {
    return this.#write(() => this.#attempt(charge, operation, nowMs));
  }

  beginResend(charge: Charge, sentBeforeMs: number | null, nowMs: number): number | null {
    return this.#write((db) => {
      if (this.#find(charge.terminal, charge.key)?.state !== charge.state)
        throw new Error(`charge ${charge.id} is not ${charge.state} any more`);
      const later =
        "SELECT 1 FROM attempts WHERE charge_id = ? AND operation = 'authorise' AND started_ms >= ?";
      if (sentBeforeMs !== null && prepared(db, later).get(charge.id, sentBeforeMs) !== undefined)
        return null;
      return this.#attempt(charge, "authorise", nowMs);
    });
  }

  askReversal(charge: Charge, nextResolveMs: number, nowMs: number): ReversalAsked {
    return this.#write((db) => {
      if (hasRefunds(db, charge)) return { kind: "refunded" };
      const asked = {
        learnt: { kind: "reversal-asked" },
        attempt: null,
        nextResolveMs,
        alarms: [],
        nowMs,
      } as const;
      return { kind: "reversing", charge: this.#settle(db, charge, asked) };
    });
  }

  settle(charge: Charge, settlement: Settlement): Charge {
    return this.#write((db) => this.#settle(db, charge, settlement));
  }

  #settle(db: Db, charge: Charge, settlement: Omit<Settlement, "learnt"> & { learnt: Learnt }): Charge {
    const { learnt, nowMs } = settlement;
    const move = moveOf(charge, learnt);
    const unresolved = UNRESOLVED.includes(move.state);
    const update = prepared(
      db,
      `
        UPDATE charges SET state = @state, authorisation = COALESCE(@authorisation, authorisation),
          decline_reason = COALESCE(@reason, decline_reason), card_token = iif(@unresolved, card_token, NULL),
          resolve_count = resolve_count + @asked, next_resolve_ms = @nextMs,
          settled_ms = iif(@unresolved, NULL, @nowMs)
        WHERE id = @id AND state = @from AND mode = @mode`,
    );
    const { changes } = update.run({
      state: move.state,
      authorisation: learnt.kind === "approved" ? learnt.authorisation : null,
      reason: learnt.kind === "declined" ? learnt.reason : null,
      unresolved: unresolved ? 1 : 0,
      asked: settlement.attempt === null ? 0 : 1,
      nextMs: settlement.nextResolveMs,
      nowMs,
      id: charge.id,
      from: charge.state,
      mode: charge.mode,
    });
    if (changes !== 1)
      throw new Error(`charge ${charge.id} is not ${charge.state} any more, or not ${charge.mode}`);
    book(db, charge, move.steps, nowMs);
    if (settlement.attempt !== null) {
      prepared(db, "UPDATE attempts SET finished_ms = ?, result = ? WHERE id = ?").run(
        nowMs,
        settlement.attempt.result,
        settlement.attempt.id,
      );
    }
    for (const alarm of settlement.alarms) raiseAlarm(db, alarm, nowMs);
    if (move.state !== charge.state) {
      appendAudit(db, nowMs, {
        event: move.state,
        terminal: charge.terminal,
        key: charge.key,
        ...amountOf(charge),
      });
    }
    const settled = this.#find(charge.terminal, charge.key);
    if (settled === undefined) throw new Error(`charge ${charge.id} is gone`);
    return settled;
  }

  due(nowMs: number, limit: number): readonly Charge[] {
    const select = `SELECT * FROM charges WHERE state IN ('attempting', 'pending', 'reversing')
      AND (next_resolve_ms <= @nowMs OR next_resolve_ms > @horizonMs) ORDER BY next_resolve_ms LIMIT @limit`;
    const horizonMs = nowMs + RESOLVE_HORIZON_MS;
    return prepared(this.#open(), select).all({ nowMs, horizonMs, limit }).map(chargeOf);
  }

  makeAllDue(nowMs: number): number {
    return this.#write((db) => {
      const update = `UPDATE charges SET next_resolve_ms = ? WHERE state IN ('attempting', 'pending', 'reversing')`;
      return prepared(db, update).run(nowMs).changes + makeRefundsDue(db, nowMs);
    });
  }

  openRefund(fresh: NewRefund, nowMs: number): OpenedRefund {
    const refundKey = refundKeyOf(this.#salt, fresh.terminal, fresh.key);
    return this.#write((db) => openRefund(db, fresh, refundKey, nowMs));
  }

  findRefund(terminal: string, key: string): Refund | undefined {
    return findRefund(this.#open(), terminal, key);
  }

  beginRefundAttempt(refund: Refund, nowMs: number): number {
    return this.#write((db) => beginRefundAttempt(db, refund, nowMs));
  }

  settleRefund(refund: Refund, settlement: RefundSettlement): Refund {
    return this.#write((db) => settleRefund(db, refund, settlement));
  }

  dueRefunds(nowMs: number, limit: number): readonly Refund[] {
    return dueRefunds(this.#open(), nowMs, limit);
  }

  greet(terminal: string, claim: JournalClaim, nowMs: number): Verdict {
    return this.#write((db) => greetJournal(db, terminal, claim, nowMs));
  }

  expectJournal(terminal: string, journalId: string): boolean {
    return this.#write((db) => expectJournal(db, terminal, journalId));
  }

  terminals(limit: number): readonly TerminalRecord[] {
    return readTerminals(this.#open(), limit);
  }

  recall(terminal: string, search: RecallSearch): Remembered {
    return recallCharges(this.#open(), terminal, search);
  }

  denied(): Denied {
    return readDenied(this.#open());
  }

  deny(denied: Omit<DeniedCard, "sinceMs">, nowMs: number): number {
    return this.#write((db) => denyCard(db, denied, nowMs));
  }

  allow(card: string, by: string, nowMs: number): number | undefined {
    return this.#write((db) => allowCard(db, card, by, nowMs));
  }

  cardOfCharge(terminal: string, key: string): CardOfCharge | undefined {
    return cardOfCharge(this.#open(), terminal, key);
  }

  raise(alarm: Raise, nowMs: number): void {
    this.#write((db) => raiseAlarm(db, alarm, nowMs));
  }

  bury(letter: DeadLetter, nowMs: number): void {
    this.#write((db) => {
      const count = prepared(db, "SELECT COUNT(*) AS n FROM dead_letters").get();
      if (Number(count?.["n"]) < MAX_DEAD_LETTERS) {
        const kept = Buffer.from(letter.payload.subarray(0, MAX_DEAD_LETTER_BYTES));
        prepared(
          db,
          "INSERT INTO dead_letters (topic, payload, bytes, reason, received_ms) VALUES (?, ?, ?, ?, ?)",
        ).run(letter.topic, kept, letter.payload.byteLength, letter.reason, nowMs);
      }
      raiseAlarm(db, { kind: "dead-letter", subject: letter.topic, detail: letter.reason }, nowMs);
    });
  }

  alarms(limit: number): readonly Alarm[] {
    return readAlarms(this.#open(), limit);
  }

  /** Reads the whole audit log; not part of the interface, because it is for people. */
  verify(): AuditVerdict {
    return verifyAudit(this.#open());
  }

  transactions(filter: StatementFilter): Transactions {
    return readTransactions(this.#open(), filter);
  }

  statement(filter: StatementFilter): Statement {
    return readStatement(this.#open(), filter);
  }

  #open(): Db {
    if (this.#db === undefined) throw new Error("the ledger's storage is not open");
    return this.#db;
  }

  /** Runs the work in one immediate transaction; an exception leaves nothing behind. */
  #write<Result>(work: (db: Db) => Result): Result {
    const db = this.#open();
    return db.transaction(() => work(db)).immediate();
  }

  #find(terminal: string, key: string): Charge | undefined {
    const select = "SELECT * FROM charges WHERE terminal = ? AND key = ?";
    const row = prepared(this.#open(), select).get(terminal, key);
    return row === undefined ? undefined : chargeOf(row);
  }

  #entombed(terminal: string, key: string): boolean {
    return (
      prepared(this.#open(), "SELECT 1 FROM tombstones WHERE terminal = ? AND key = ?").get(terminal, key) !==
      undefined
    );
  }

  #honoured(terminal: string, key: string): boolean {
    return (
      prepared(this.#open(), "SELECT 1 FROM honours WHERE terminal = ? AND key = ?").get(terminal, key) !==
      undefined
    );
  }

  #attempt(charge: Charge, operation: Operation, nowMs: number): number {
    const insert = "INSERT INTO attempts (charge_id, operation, gateway_key, started_ms) VALUES (?, ?, ?, ?)";
    return Number(
      prepared(this.#open(), insert).run(charge.id, operation, charge.gatewayKey, nowMs).lastInsertRowid,
    );
  }
}

function amountOf(of: Pick<NewCharge, "amount">): { amountMinor: string; currency: string } {
  return { amountMinor: of.amount.minor.toString(), currency: of.amount.currency };
}
